"""A raw RTP end: sends a tone or keys in G.711, keeps every packet that came.

The packets are kept with their arrival times, so that a test can assert what no phone shows: one SSRC
for life, no jump in sequence, no gap in time (R2).
"""
import math
import random
import socket
import struct
import threading
import time
from dataclasses import dataclass

import numpy

from . import g711, sdp, tone
from .ports import LOOPBACK
from .waiting import until

RATE, FRAME = 8000, 160
FRAME_SECONDS = FRAME / RATE
KEYS = "0123456789*#ABCD"


@dataclass
class Packet:
    arrived: float
    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    source: tuple


class RtpEnd:
    """One socket. `payload_type` is what it says; it hears PCMU and PCMA. `event_type` is its own number for keys, in
    which it is told of them (RFC 3264 5.1); it tells of its own in the number of the other side."""

    def __init__(self, payload_type=0, event_type=101):
        self.payload_type, self.event_type, self.own_event_type = payload_type, event_type, event_type
        self.socket = self._even_port()
        self.port = self.socket.getsockname()[1]
        self.socket.settimeout(0.1)
        self.packets, self.to = [], None
        self.ssrc, self.sequence = random.getrandbits(32), random.getrandbits(15)
        self.timestamp = random.getrandbits(31)
        self._hertz, self._level, self._phase, self._keys = None, tone.FULL_SCALE, 0, []
        self._going = True
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._hear, self._say)]
        for thread in self._threads:
            thread.start()

    @staticmethod
    def _even_port():
        while True:
            found = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            found.bind((LOOPBACK, 0))
            if found.getsockname()[1] % 2 == 0:
                return found
            found.close()

    def close(self):
        self._going = False
        for thread in self._threads:
            thread.join(2)
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # ---- saying

    def send_to(self, description, codec=None):
        """Aims at the audio line of an SDP text."""
        line = sdp.audio(description)
        self.to = (line.address, line.port)
        if codec is not None:
            self.payload_type = line.type_of(codec)
        self.event_type = line.type_of("telephone-event") or self.event_type

    def say(self, hertz, dbfs=-15.0):
        """A tone from now on; None stops it."""
        self._level = 10 ** (dbfs / 20) * math.sqrt(2)
        self._hertz = hertz

    def press(self, keys, hold_ms=100):
        """RFC 4733 events between the frames of the tone."""
        self._keys += [(key, max(3, hold_ms // 20)) for key in keys]

    def _say(self):
        next_at = time.monotonic()
        while self._going:
            next_at += FRAME_SECONDS
            time.sleep(max(0.0, next_at - time.monotonic()))
            if not self.to:
                continue
            if self._keys:
                key, frames = self._keys.pop(0)
                next_at = self._send_key(KEYS.index(key), frames, next_at)
            elif self._hertz:
                self._send_frame()

    def _send_frame(self):
        steps = self._phase + numpy.arange(FRAME)
        wave = self._level * numpy.sin(2 * math.pi * self._hertz * steps / RATE)
        self._phase += FRAME
        self._send(self.payload_type, g711.encode(wave, self.payload_type), False, self.timestamp)
        self.timestamp += FRAME

    def _send_key(self, event, frames, next_at):
        """RFC 4733 2.5: one timestamp for the event, growing duration, the end sent three times."""
        for index in range(frames + 2):
            duration, end = FRAME * min(index + 1, frames), index >= frames - 1
            body = struct.pack("!BBH", event, (0x80 if end else 0) | 10, duration)
            self._send(self.event_type, body, index == 0, self.timestamp)
            next_at += FRAME_SECONDS
            time.sleep(max(0.0, next_at - time.monotonic()))
        self.timestamp += FRAME * (frames + 2)
        return next_at

    def _send(self, payload_type, body, marker, timestamp):
        head = struct.pack(
            "!BBHII", 0x80, (0x80 if marker else 0) | payload_type, self.sequence & 0xFFFF,
            timestamp & 0xFFFFFFFF, self.ssrc,
        )
        self.sequence += 1
        try:
            self.socket.sendto(head + body, self.to)
        except OSError:
            pass  # nobody listens there now; a test that cares counts what arrived

    # ---- hearing

    def _hear(self):
        while self._going:
            try:
                data, source = self.socket.recvfrom(2048)
            except OSError:
                continue
            arrived = time.monotonic()
            if len(data) < 12 or data[0] >> 6 != 2 or 192 <= data[1] <= 223:
                continue  # not RTP; 192 to 223 is RTCP on this port (RFC 5761 section 4)
            kind, sequence, timestamp, ssrc = struct.unpack_from("!xBHII", data)
            skip = 12 + 4 * (data[0] & 0x0F)
            self.packets.append(
                Packet(arrived, kind & 0x7F, bool(kind & 0x80), sequence, timestamp, ssrc, data[skip:], source)
            )

    def speech(self):
        """The packets that carry sound."""
        return [packet for packet in list(self.packets) if packet.payload_type in g711.DECODE]

    def wait_packets(self, count, seconds=5):
        until(lambda: len(self.packets) >= count, seconds, f"{count} RTP packets at port {self.port}",
              lambda: f"{len(self.packets)} came")
        return self.packets

    def wait_heard(self, seconds_of_sound, seconds=None):
        """Waits for that much loud sound and returns everything heard."""

        def look():
            sound = self.heard()
            return sound if sound.talk().seconds >= seconds_of_sound else None

        return until(look, seconds or seconds_of_sound + 8, f"{seconds_of_sound} s of sound at port {self.port}",
                     lambda: f"{len(self.packets)} packets came", every=0.1)

    def heard(self):
        """The sound in order of sequence; lost packets leave no hole here, see `longest_pause_ms`."""
        frames = [g711.decode(packet.payload, packet.payload_type) for packet in self.speech()]
        return tone.Sound(numpy.concatenate(frames) if frames else numpy.zeros(0), RATE)

    def longest_pause_ms(self):
        """The longest time between two packets that came."""
        times = [packet.arrived for packet in list(self.packets)]
        return max((1000 * (b - a) for a, b in zip(times, times[1:])), default=0.0)

    def keys(self):
        """Keys that came as RFC 4733 events, one for each event timestamp."""
        found, last = "", None
        for packet in list(self.packets):
            if packet.payload_type == self.own_event_type and len(packet.payload) >= 4 and packet.timestamp != last:
                last = packet.timestamp
                found += KEYS[packet.payload[0]] if packet.payload[0] < len(KEYS) else "?"
        return found

    def wait_keys(self, wanted, seconds=5):
        until(lambda: wanted in self.keys(), seconds, f"keys {wanted} at port {self.port}",
              lambda: f"heard {self.keys()!r} in {len(self.packets)} packets")

    def assert_one_stream(self):
        """R2: one SSRC, sequence without a jump, timestamps that never go back."""
        packets = list(self.packets)
        sources = {packet.ssrc for packet in packets}
        assert len(sources) == 1, f"{len(sources)} SSRCs: {sources}"
        for before, after in zip(packets, packets[1:]):
            step = (after.sequence - before.sequence) & 0xFFFF
            assert step == 1, f"sequence {before.sequence} then {after.sequence}"
            ahead = (after.timestamp - before.timestamp) & 0xFFFFFFFF
            assert ahead < 0x80000000, f"timestamp {before.timestamp} then {after.timestamp}"
