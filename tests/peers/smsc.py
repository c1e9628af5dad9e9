"""A stand-in for an SMPP 3.4 server, by its own reading of the standard: binds, texts, receipts, over real TCP."""
import socket
import struct
import threading

from .ports import LOOPBACK, free_port

BIND, SUBMIT, DELIVER, UNBIND, ENQUIRE = 9, 4, 5, 6, 0x15
RESPONSE = 0x80000000


def c_string(body, at):
    end = body.index(b"\0", at)
    return body[at:end].decode("ascii"), end + 1


class Smsc:
    """What was submitted, and a receipt for each at once, even before its answer if told so."""

    def __init__(self, password):
        self.port = free_port()
        self.password = password
        self.lock = threading.Lock()
        self.submitted = []
        self.receipts_answered = []
        self.state = "DELIVRD"
        self.early = False
        self.stopped = False
        self.listener = None

    def up(self):
        self.listener = socket.create_server((LOOPBACK, self.port))
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection, connection.makefile("rb") as stream:
            bound = False
            while head := stream.read(16):
                length, command, status, sequence = struct.unpack(">IIII", head)
                body = stream.read(length - 16)
                if command == BIND:
                    system_id, at = c_string(body, 0)
                    password, _ = c_string(body, at)
                    bound = (system_id, password) == ("office", self.password)
                    self.answer(connection, command, 0 if bound else 0x0E, sequence, b"smsc\0")
                elif command == SUBMIT and bound:
                    self.take(connection, sequence, body)
                elif command in (ENQUIRE, UNBIND):
                    self.answer(connection, command, 0, sequence)
                elif command == DELIVER | RESPONSE:
                    with self.lock:
                        self.receipts_answered.append(status)

    @staticmethod
    def answer(connection, command, status, sequence, body=b""):
        connection.sendall(struct.pack(">IIII", 16 + len(body), command | RESPONSE, status, sequence) + body)

    def take(self, connection, sequence, body):
        _, at = c_string(body, 0)
        source_kind = tuple(body[at:at + 2])
        source, at = c_string(body, at + 2)
        kind = tuple(body[at:at + 2])
        to, at = c_string(body, at + 2)
        esm_class = body[at]
        _, at = c_string(body, at + 3)
        _, at = c_string(body, at)
        wants_receipt, _, coding, _, size = body[at:at + 5]
        text = body[at + 5:at + 5 + size]
        assert len(text) == size and at + 5 + size == len(body)
        with self.lock:
            name = f"m{len(self.submitted) + 1:x}"
            self.submitted.append({
                "name": name, "source": source, "source_kind": source_kind, "to": to, "kind": kind,
                "header": text[:6] if esm_class & 0x40 else b"", "wants_receipt": wants_receipt,
                "text": (text[6:] if esm_class & 0x40 else text).decode("utf-16-be" if coding == 8 else "ascii"),
            })
        if not self.early:
            self.answer(connection, SUBMIT, 0, sequence, name.encode() + b"\0")
        words = f"id:{name} sub:001 dlvrd:001 submit date:2601010000 done date:2601010001 stat:{self.state} err:000 text:"
        receipt = (b"\0\1\1" + to.encode() + b"\0\5\0" + source.encode() + b"\0\4\0\0\0\0\0\0\0\0"
                   + bytes([len(words)]) + words.encode())
        connection.sendall(struct.pack(">IIII", 16 + len(receipt), DELIVER, 0, 1000 + sequence) + receipt)
        if self.early:
            self.answer(connection, SUBMIT, 0, sequence, name.encode() + b"\0")

    def down(self):
        if self.listener is not None:
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
            self.listener = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.down()
