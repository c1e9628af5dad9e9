"""Badges made of bytes: cards that answer APDUs, a reader that PC/SC believes in, and what a secure chip tells.

The reader is vpcd (vsmartcard): pcscd loads its driver, and whoever connects to its port is a card that lies on it. The
cryptography of a chip is openssl's, so that nothing of ours checks itself.
"""
import contextlib
import itertools
import os
import socket
import struct
import subprocess
import threading
from pathlib import Path

from .ports import LOOPBACK
from .process import PeerFailed, Process
from .waiting import until

VPCD_PORT = 35963
READER = "Virtual PCD 00 00"
PCSCD_SOCKET = Path("/run/pcscd/pcscd.comm")
# What a contactless reader says of a card that it can read (PC/SC part 3, 3.1.3.2.3).
ATR = bytes.fromhex("3B8F8001804F0CA000000306030001000000006A")
GRANTED, NOT_FOUND = b"\x90\x00", b"\x6A\x82"


def openssl(*arguments, data=b""):
    done = subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=True, timeout=10)
    return done.stdout


def aes(key, block):
    return openssl("enc", "-aes-128-ecb", "-nopad", "-K", key.hex(), data=block)


def cmac(key, message):
    options = ("-cipher", "AES-128-CBC", "-macopt", f"hexkey:{key.hex()}")
    return bytes.fromhex(openssl("mac", *options, "-in", "/dev/stdin", "CMAC", data=message).decode().strip())


class Chip:
    """NTAG 424 DNA with secure dynamic messaging (AN12196): each reading of its record is another."""

    def __init__(self, uid, card):
        """`card` is what the exchange told to write."""
        self.uid = bytes.fromhex(uid)
        self.record = card["record"]
        self.meta_read, self.file_read = (bytes.fromhex(card[name]) for name in ("meta_read_key", "file_read_key"))
        self.counter = 0

    def tap(self):
        """The text of the record, as the next reading finds it."""
        self.counter += 1
        counter = struct.pack("<I", self.counter)[:3]
        picc_data = aes(self.meta_read, b"\xC7" + self.uid + counter + os.urandom(5))
        session = cmac(self.file_read, bytes.fromhex("3CC300010080") + self.uid + counter)
        mac = cmac(session, b"")[1::2]
        record = self.record.replace("picc_data=" + "0" * 32, "picc_data=" + picc_data.hex().upper())
        return record.replace("cmac=" + "0" * 16, "cmac=" + mac.hex().upper())


def uri_record(uri):
    payload = b"\x04" + uri.removeprefix("https://").encode() if uri.startswith("https://") else b"\x00" + uri.encode()
    return b"\xD1\x01" + bytes([len(payload)]) + b"U" + payload


def text_record(text):
    payload = b"\x02en" + text.encode()
    return b"\xD1\x01" + bytes([len(payload)]) + b"T" + payload


class Card:
    """A card on the virtual reader: its UID and, if `message` is given, an NDEF file that asks for it at each selection."""

    def __init__(self, uid, message=None):
        self.uid, self.message = bytes.fromhex(uid), message
        self.file = b""
        self.commands = []
        self._socket = None

    # ---- on the reader and off it

    def __enter__(self):
        self._socket = until(self._connect, 10, "the virtual reader takes a card")
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    @staticmethod
    def _connect():
        try:
            return socket.create_connection((LOOPBACK, VPCD_PORT), timeout=30)
        except OSError:
            return None

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                head = self._exactly(2)
                if not head:
                    return
                body = self._exactly(struct.unpack(">H", head)[0])
                if len(body) > 1:
                    self._send(self.answer(body))
                elif body == b"\x04":
                    self._send(ATR)

    def _exactly(self, count):
        whole = b""
        while len(whole) < count:
            part = self._socket.recv(count - len(whole))
            if not part:
                return b""
            whole += part
        return whole

    def _send(self, body):
        self._socket.sendall(struct.pack(">H", len(body)) + body)

    # ---- what it says

    def answer(self, command):
        self.commands.append(command)
        head, rest = command[:4], command[4:]
        if head == bytes.fromhex("FFCA0000"):
            return self.uid + GRANTED
        if self.message is None:
            return NOT_FOUND
        if head == bytes.fromhex("00A40400"):
            return GRANTED if rest[1:8] == bytes.fromhex("D2760000850101") else NOT_FOUND
        if head == bytes.fromhex("00A4000C"):
            return self.select(rest[1:3])
        if command[:2] == b"\x00\xB0":
            offset = struct.unpack(">H", command[2:4])[0]
            return self.file[offset:offset + (command[4] or 256)] + GRANTED
        return b"\x6D\x00"

    def select(self, file):
        if file == b"\xE1\x03":
            self.file = bytes.fromhex("001720010000FF0406E10401000000")
            return GRANTED
        if file == b"\xE1\x04":
            message = self.message()
            self.file = struct.pack(">H", len(message)) + message
            return GRANTED
        return NOT_FOUND


class Pcscd(Process):
    """The PC/SC service with the virtual reader."""

    def __init__(self):
        super().__init__("pcscd")

    def start(self):
        """One that runs already will do."""
        if not self._listens():
            PCSCD_SOCKET.parent.mkdir(parents=True, exist_ok=True)
            self.spawn(["pcscd", "--foreground"])
            until(lambda: self.must_live() or self._listens(), 10, "pcscd listens", self.tail)
        return self

    @staticmethod
    def _listens():
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(PCSCD_SOCKET)) == 0


class Tap(Process):
    """`ringdown-tap` beside a phone."""

    _keys = itertools.count(1)

    def __init__(self, binary, url, key, *options):
        super().__init__("ringdown-tap")
        if not binary.is_file():
            raise PeerFailed(f"no {binary}: run `cargo build -p tap --features card`")
        self.key_file = self.folder / f"key-{next(self._keys)}"
        self.key_file.write_text(key + "\n")
        self.command = [binary, url, "--key-file", self.key_file, "--reader", READER, *options]
        self.out = self.folder / "stdout.txt"

    def start(self):
        with open(self.out, "wb") as out:
            self.spawn(self.command, stdout=out)
        return self

    def wait_said(self, words, seconds=10):
        return until(lambda: words in self.said() and self.said(), seconds, f"ringdown-tap says {words!r}",
                     lambda: f"{self.said()}\n{self.tail()}")

    def said(self):
        return self.out.read_text()
