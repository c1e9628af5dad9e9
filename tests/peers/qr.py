"""What a telephone's camera would read of a picture on a page: zxing-cpp, of a screenshot."""
import struct
import zlib

import numpy
import zxingcpp

from .waiting import until


def scanned(locator):
    """The text of the one QR code in what is seen there; what moves into its place is looked at again."""
    found = until(lambda: zxingcpp.read_barcodes(grey(locator.screenshot())), 5, "a code is seen", every=0.1)
    assert len(found) == 1, f"{len(found)} codes are seen"
    return found[0].text


def grey(png):
    """A PNG of eight bits a channel, not interlaced (as browsers write it), as rows of brightness."""
    place, data = 8, b""
    while place < len(png):
        length, kind = struct.unpack(">I4s", png[place : place + 8])
        body = png[place + 8 : place + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour, *_, interlaced = struct.unpack(">IIBBBBB", body)
            assert (depth, interlaced) == (8, 0)
            channels = {0: 1, 2: 3, 6: 4}[colour]
        elif kind == b"IDAT":
            data += body
        place += 12 + length
    lines = numpy.frombuffer(zlib.decompress(data), numpy.uint8).reshape(height, 1 + width * channels)
    rows = numpy.zeros((height, width, channels), numpy.int64)
    above = numpy.zeros((width, channels), numpy.int64)
    for row, line in enumerate(lines):
        above = rows[row] = unfiltered(line[0], line[1:].astype(numpy.int64).reshape(width, channels), above)
    return rows[:, :, : min(channels, 3)].mean(axis=2).astype(numpy.uint8)


def unfiltered(kind, line, above):
    """A row, of its differences (PNG, section 9.2)."""
    if kind == 0:
        return line
    if kind == 2:
        return (line + above) % 256
    row, left, corner = line.copy(), numpy.zeros_like(line[0]), numpy.zeros_like(line[0])
    for column, over in enumerate(above):
        row[column] = left = (line[column] + guess(kind, left, over, corner)) % 256
        corner = over
    return row


def guess(kind, left, over, corner):
    if kind == 1:
        return left
    if kind == 3:
        return (left + over) // 2
    guess = left + over - corner
    far = [abs(guess - one) for one in (left, over, corner)]
    nearest = numpy.where(far[1] <= far[2], over, corner)
    return numpy.where((far[0] <= far[1]) & (far[0] <= far[2]), left, nearest)
