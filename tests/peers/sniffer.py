"""Who sends what to whom on loopback, seen by a raw socket: addresses, ports and sizes, never contents."""
import socket
import struct
import threading
from collections import namedtuple

import pytest

Packet = namedtuple("Packet", "protocol source source_port target target_port octets")
ETH_P_IP, OUTGOING, TCP, UDP = 0x0800, 4, 6, 17


class Sniffer:
    """Packets from or to one of these addresses, once each."""

    def __init__(self, *addresses):
        self.addresses = {socket.inet_aton(address) for address in addresses}
        self.packets = []

    def __enter__(self):
        try:
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP))
        except PermissionError:
            pytest.skip("only root sees packets")
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self._socket.bind(("lo", ETH_P_IP))
        self._socket.settimeout(0.2)
        self._going = True
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._going = False
        self._thread.join()
        self._socket.close()

    def _read(self):
        while self._going:
            try:
                frame, address = self._socket.recvfrom(2048)
            except TimeoutError:
                continue
            # On loopback each packet is seen as it leaves and as it comes.
            if address[2] == OUTGOING or (frame[12:16] not in self.addresses and frame[16:20] not in self.addresses):
                continue
            protocol, at = frame[9], (frame[0] & 15) * 4
            if protocol not in (TCP, UDP):
                continue
            source_port, target_port = struct.unpack(">HH", frame[at:at + 4])
            head = 8 if protocol == UDP else (frame[at + 12] >> 4) * 4
            octets = struct.unpack(">H", frame[2:4])[0] - at - head
            self.packets.append(Packet(
                protocol, socket.inet_ntoa(frame[12:16]), source_port, socket.inet_ntoa(frame[16:20]), target_port, octets))

    def between(self, *addresses):
        """Those that one of these sent to another of them, or to itself by another of its names."""
        return [packet for packet in self.packets if packet.source in addresses and packet.target in addresses]

    def of(self, address):
        return [packet for packet in self.packets if address in (packet.source, packet.target)]
