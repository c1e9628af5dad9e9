"""Free ports on loopback, asked from the system instead of guessed."""
import random
import socket

LOOPBACK = "127.0.0.1"
# Below the usual ephemeral range, so that no outgoing socket lands in a media range by chance.
MEDIA_FLOOR, MEDIA_CEILING = 10_000, 32_000


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


def media_range(span=4000):
    """A random even range of ports for RTP. Random, so that two test runs seldom meet."""
    first = random.randrange(MEDIA_FLOOR, MEDIA_CEILING - span, 2)
    return first, first + span - 1
