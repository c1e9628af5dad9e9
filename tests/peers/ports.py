"""Free ports on loopback, asked from the system instead of guessed."""
import random
import socket

LOOPBACK = "127.0.0.1"
# Below the usual ephemeral range, so that no outgoing socket lands in a media range by chance. The exchange holds
# thousands of ports at once; phones have a part of their own, or each fifth phone would meet it.
PHONES = (10_000, 14_000)
EXCHANGES = (14_000, 32_000)


def free_port():
    """A port that is free for UDP and TCP at the same time."""
    for _ in range(100):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.bind((LOOPBACK, 0))
            port = udp.getsockname()[1]
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp:
                try:
                    tcp.bind((LOOPBACK, port))
                except OSError:
                    continue
            return port
    raise RuntimeError("no port is free for both UDP and TCP")


def free_ports(count):
    """Distinct free ports. Some programs (SIP with TLS on the next port) want several."""
    found = set()
    while len(found) < count:
        found.add(free_port())
    return sorted(found)


def media_range(span=4000, among=EXCHANGES):
    """An even range of ports for RTP that nobody holds now, drawn at random so that two test runs seldom meet."""
    held = bound_ports()
    for _ in range(100):
        first = random.randrange(among[0], among[1] - span, 2)
        if not held.intersection(range(first, first + span)):
            return first, first + span - 1
    # A busy machine: the exchange skips ports that others hold, and phones try the next.
    return first, first + span - 1


def bound_ports():
    """Every UDP port that is bound on this machine."""
    with open("/proc/net/udp") as table:
        rows = [line.split() for line in table][1:]
    return {int(row[1].rsplit(":", 1)[1], 16) for row in rows}
