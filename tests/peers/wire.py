"""Raw SIP transports: bytes of whole messages over UDP, TCP, TLS or WebSocket."""
import os
import re
import socket

from .turns import client_context

LENGTH = re.compile(rb"\r\n(?:content-length|l)[ \t]*:[ \t]*(\d+)", re.IGNORECASE)


def facing(peer):
    """The address of ours by which a peer is reached."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        asked.connect(peer)
        return asked.getsockname()[0]


class UdpWire:
    name = "UDP"
    reliable = False

    def __init__(self, peer):
        self.peer = peer
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((facing(peer), 0))

    @property
    def local(self):
        return self.socket.getsockname()

    def send(self, data, to=None):
        self.socket.sendto(data, to or self.peer)

    def receive(self, seconds):
        """Whole messages that came; empty after `seconds`. OSError after `close`."""
        self.socket.settimeout(seconds)
        try:
            return [self.socket.recvfrom(65536)[0]]
        except TimeoutError:
            return []
        except ConnectionRefusedError:
            return []  # the peer's port was closed when we sent; the next read is good

    def close(self):
        self.socket.close()


class TcpWire:
    name = "TCP"
    reliable = True

    def __init__(self, peer):
        self.peer = peer
        self.socket = self._connect(peer)
        self.buffer = b""

    def _connect(self, peer):
        return socket.create_connection(peer, timeout=5)

    @property
    def local(self):
        return self.socket.getsockname()

    def send(self, data, to=None):
        self.socket.sendall(data)

    def receive(self, seconds):
        self.socket.settimeout(seconds)
        try:
            piece = self.socket.recv(65536)
        except (TimeoutError, BlockingIOError):
            return []
        if not piece:
            raise OSError("the exchange closed the connection")
        self.buffer += piece
        return self._frames()

    def _frames(self):
        """RFC 3261 18.3: Content-Length frames a stream; CRLF between messages is keep-alive."""
        found = []
        while True:
            self.buffer = self.buffer.lstrip(b"\r\n")
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return found
            length = LENGTH.search(self.buffer[:end])
            whole = end + 4 + (int(length.group(1)) if length else 0)
            if len(self.buffer) < whole:
                return found
            found.append(self.buffer[:whole])
            self.buffer = self.buffer[whole:]

    def close(self):
        self.socket.close()


class TlsWire(TcpWire):
    name = "TLS"

    def _connect(self, peer):
        return client_context().wrap_socket(super()._connect(peer))


class WsWire:
    """SIP over WebSocket (RFC 7118), as a softphone that is no browser speaks it: no Origin."""

    name = "WS"
    reliable = True
    scheme = "ws"

    def __init__(self, peer):
        from websockets.sync.client import connect

        self.peer = peer
        options = {}
        if self.scheme == "wss":
            options["ssl"] = client_context()
        self._opened = connect(
            f"{self.scheme}://{peer[0]}:{peer[1]}/", subprotocols=["sip"], origin=None, proxy=None, **options
        )
        self.socket = self._opened.__enter__()
        # RFC 7118 5: who has no address of its own makes one up.
        self.local = (f"{os.urandom(6).hex()}.invalid", 5060)

    def send(self, data, to=None):
        self.socket.send(data.decode() if isinstance(data, bytes) else data)

    def receive(self, seconds):
        from websockets.exceptions import ConnectionClosed

        try:
            piece = self.socket.recv(timeout=seconds)
        except TimeoutError:
            return []
        except ConnectionClosed as closed:
            raise OSError("the exchange closed the connection") from closed
        return [piece.encode() if isinstance(piece, str) else piece]

    def close(self):
        self._opened.__exit__(None, None, None)


class WssWire(WsWire):
    name = "WSS"
    scheme = "wss"


WIRES = {"udp": UdpWire, "tcp": TcpWire, "tls": TlsWire, "ws": WsWire, "wss": WssWire}
