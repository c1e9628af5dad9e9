"""Free ports on loopback, asked from the system instead of guessed. Test runs beside each other have a part each."""
import os
import random
import socket
from collections import deque

LOOPBACK = "127.0.0.1"


def part_of(first, end):
    """What this process has of a range, when pytest-xdist runs several beside each other."""
    index = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    share = (end - first) // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1)) // 2 * 2
    return first + index * share, first + (index + 1) * share


# Below the usual ephemeral range, so that no outgoing socket lands in a media range by chance. The exchange holds
# thousands of ports at once; phones have a part of their own, or each fifth phone would meet it.
PROGRAMS = part_of(5_100, 10_000)
PHONES = part_of(10_000, 14_000)
EXCHANGES = part_of(14_000, 32_000)
# A port goes out once in a while only: its last user may still be ending.
handed_out = deque(maxlen=1000)


def free_port(count=1):
    """The first of `count` ports in a row that are each free for UDP and TCP. A SIP program takes two: TLS listens on
    the next one. Drawn below the ephemeral range: a port that any outgoing connection may take meanwhile is not free."""
    for _ in range(500):
        first = random.randrange(PROGRAMS[0], PROGRAMS[1] - count)
        if all(is_free(port) for port in range(first, first + count)):
            return first
    raise RuntimeError(f"no {count} ports in a row are free for both UDP and TCP")


def is_free(port):
    """Nobody holds `port` on loopback, for UDP or TCP, and none was handed out before by this test run."""
    if port in handed_out:
        return False
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_INET, kind) as held:
            try:
                held.bind((LOOPBACK, port))
            except OSError:
                return False
    handed_out.append(port)
    return True


def media_range(span, among=EXCHANGES):
    """An even range of ports for RTP that nobody holds now, drawn at random so that two test runs seldom meet."""
    held = bound_ports()
    starts = range(among[0] + among[0] % 2, among[1] - span, 2)
    free = [first for first in starts if not held.intersection(range(first, first + span))]
    if not free:
        # A busy machine: the exchange skips ports that others hold, and phones try the next.
        free = [min(random.sample(starts, 50), key=lambda first: len(held.intersection(range(first, first + span))))]
    first = random.choice(free)
    return first, first + span - 1


def bound_ports():
    """Every UDP port that is bound on this machine."""
    with open("/proc/net/udp") as table:
        rows = [line.split() for line in table][1:]
    return {int(row[1].rsplit(":", 1)[1], 16) for row in rows}
