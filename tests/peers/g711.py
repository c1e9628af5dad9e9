"""G.711 by table, after ITU-T G.711; numpy only, so that it also runs where `audioop` is gone."""
import numpy


def _mu_decode_table():
    code = ~numpy.arange(256) & 0xFF
    size = ((((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4)) - 0x84
    return numpy.where(code & 0x80, -size, size).astype(numpy.int16)


def _a_decode_table():
    code = numpy.arange(256) ^ 0x55
    step, segment = (code & 0x0F) << 4, (code & 0x70) >> 4
    size = numpy.where(segment == 0, step + 8, (step + 0x108) << numpy.maximum(segment - 1, 0))
    return numpy.where(code & 0x80, size, -size).astype(numpy.int16)


DECODE = {0: _mu_decode_table(), 8: _a_decode_table()}


def _nearest(table):
    """For each 16 bit sample the code whose value is nearest."""
    order = numpy.argsort(table, kind="stable")
    values = table[order].astype(int)
    samples = numpy.arange(-32768, 32768)
    right = numpy.clip(numpy.searchsorted(values, samples), 1, len(values) - 1)
    left = right - 1
    closer = numpy.where(samples - values[left] <= values[right] - samples, left, right)
    return order[closer].astype(numpy.uint8)


ENCODE = {kind: _nearest(table) for kind, table in DECODE.items()}


def encode(samples, payload_type):
    """Samples from -1 to 1 as bytes; payload type 0 is PCMU, 8 is PCMA."""
    whole = numpy.clip(numpy.round(numpy.asarray(samples) * 32768), -32768, 32767).astype(int)
    return ENCODE[payload_type][whole + 32768].tobytes()


def decode(data, payload_type):
    return DECODE[payload_type][numpy.frombuffer(data, numpy.uint8)].astype(float) / 32768
