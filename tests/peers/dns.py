"""A name server for one test: answers what it was told, and nothing else."""
import socket
import struct
import threading

TYPES = {"A": 1, "SRV": 33, "NAPTR": 35}


def name_bytes(name):
    labels = [label.encode() for label in name.strip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def srv(priority, weight, port, target):
    return "SRV", struct.pack("!HHH", priority, weight, port) + name_bytes(target)


def address(text):
    return "A", socket.inet_aton(text)


def naptr(order, preference, service, replacement):
    text = lambda value: bytes([len(value)]) + value.encode()
    fixed = struct.pack("!HH", order, preference) + text("s") + text(service) + text("")
    return "NAPTR", fixed + name_bytes(replacement)


class NameServer:
    """`records`: name -> list of what `srv`, `address` and `naptr` make. `at`: an address of loopback and a port, else any."""

    def __init__(self, records, at=("127.0.0.1", 0)):
        self.records = {name.strip(".").lower(): made for name, made in records.items()}
        self.asked = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(at)
        self.address = "%s:%d" % self._socket.getsockname()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def _serve(self):
        while True:
            try:
                query, peer = self._socket.recvfrom(2048)
            except OSError:
                return
            self._socket.sendto(self._answer(query), peer)

    def _answer(self, query):
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1 : at + 1 + query[at]].decode())
            at += 1 + query[at]
        (kind,) = struct.unpack("!H", query[at + 1 : at + 3])
        question, name = query[12 : at + 5], ".".join(labels).lower()
        self.asked.append((name, kind))
        known = self.records.get(name)
        fitting = [data for made, data in known or [] if TYPES[made] == kind]
        answers = b"".join(
            b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 60, len(data)) + data for data in fitting
        )
        # NXDOMAIN only for names that we know nothing of.
        flags = 0x8580 if known is not None else 0x8583
        return query[:2] + struct.pack("!HHHHH", flags, 1, len(fitting), 0, 0) + question + answers
