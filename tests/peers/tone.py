"""Writing a tone and measuring what arrived.

A call is proven by sound: a sine goes in at one phone, and the other phone's recording must hold the
same frequency, about the same level, and no hole.
"""
import math
import struct
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy

FULL_SCALE = 32768.0
SILENCE_DBFS = -100.0
FRAME_MS = 5


def write_tone(path, hertz=440.0, seconds=30.0, rate=8000, dbfs=-9.0, channels=1):
    """A sine as 16 bit PCM. `dbfs` is RMS against a full-scale square, as `level_dbfs` measures it."""
    peak = FULL_SCALE * 10 ** (dbfs / 20) * math.sqrt(2)
    if peak >= FULL_SCALE:
        raise ValueError(f"{dbfs} dBFS would clip; a sine can reach -3.02")
    steps = numpy.arange(int(seconds * rate))
    mono = numpy.round(peak * numpy.sin(2 * math.pi * hertz * steps / rate)).astype("<i2")
    _write(path, numpy.repeat(mono, channels), rate, channels)
    return Path(path)


def write_silence(path, seconds=30.0, rate=8000):
    _write(path, numpy.zeros(int(seconds * rate), "<i2"), rate, 1)
    return Path(path)


def _write(path, samples, rate, channels):
    with wave.open(str(path), "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(samples.tobytes())


@dataclass
class Sound:
    """Mono samples, from -1 to 1."""

    samples: numpy.ndarray
    rate: int

    @property
    def seconds(self):
        return len(self.samples) / self.rate

    def last(self, seconds):
        return Sound(self.samples[-int(seconds * self.rate):], self.rate)

    def between(self, begin, end):
        return Sound(self.samples[int(begin * self.rate):int(end * self.rate)], self.rate)

    def level_dbfs(self):
        return level_dbfs(self.samples)

    def hertz(self):
        return peak_hertz(self.samples, self.rate)

    def loud_levels(self, frame_ms=FRAME_MS):
        """The level of each frame, for gaps and for finding where the talk is."""
        size = max(1, self.rate * frame_ms // 1000)
        whole = len(self.samples) // size * size
        frames = self.samples[:whole].reshape(-1, size)
        power = numpy.mean(frames * frames, axis=1) if len(frames) else numpy.zeros(0)
        return 10 * numpy.log10(numpy.maximum(power, 10 ** (SILENCE_DBFS / 10)))

    def talk(self, threshold_dbfs=-40.0):
        """From the first loud frame to the last: ringing and hang-up silence cut away."""
        loud = numpy.flatnonzero(self.loud_levels() > threshold_dbfs)
        if not len(loud):
            return Sound(self.samples[:0], self.rate)
        size = self.rate * FRAME_MS // 1000
        return Sound(self.samples[loud[0] * size:(loud[-1] + 1) * size], self.rate)

    def longest_gap_ms(self, threshold_dbfs=-40.0):
        """The longest silence inside the talk. Silence before and after does not count."""
        longest = run = 0
        for level in self.talk(threshold_dbfs).loud_levels():
            run = run + 1 if level <= threshold_dbfs else 0
            longest = max(longest, run)
        return longest * FRAME_MS


def read(path):
    """A WAV file as `Sound`. Tolerant: a recorder that still runs has not written its lengths yet."""
    data = Path(path).read_bytes()
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise ValueError(f"{path} is not a WAV file ({len(data)} bytes)")
    at, channels, rate, bits, body = 12, 0, 0, 0, b""
    while at + 8 <= len(data):
        kind, size = data[at:at + 4], struct.unpack_from("<I", data, at + 4)[0]
        if kind == b"fmt ":
            _, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", data, at + 8)
        if kind == b"data":
            body = data[at + 8:at + 8 + size] if size else data[at + 8:]
            break
        at += 8 + size + size % 2
    if bits != 16 or not channels:
        raise ValueError(f"{path}: {bits} bit and {channels} channels; only 16 bit PCM is read")
    frame = 2 * channels
    samples = numpy.frombuffer(body[:len(body) // frame * frame], "<i2").astype(float) / FULL_SCALE
    return Sound(samples.reshape(-1, channels).mean(axis=1), rate)


def level_dbfs(samples):
    if not len(samples):
        return SILENCE_DBFS
    power = float(numpy.mean(numpy.square(samples)))
    return max(SILENCE_DBFS, 10 * math.log10(power)) if power > 0 else SILENCE_DBFS


def peak_hertz(samples, rate):
    """The strongest frequency, by a parabola over the logarithm of three bins of a Hann-windowed
    spectrum. Over 2 s the error on a clean sine is far below 0.1 Hz."""
    if len(samples) < 64:
        return 0.0
    spectrum = numpy.abs(numpy.fft.rfft(samples * numpy.hanning(len(samples))))
    spectrum[0] = 0.0
    top = int(numpy.argmax(spectrum))
    if spectrum[top] <= 0 or top + 1 >= len(spectrum):
        return 0.0
    left, middle, right = (math.log(max(float(spectrum[i]), 1e-12)) for i in (top - 1, top, top + 1))
    bend = left - 2 * middle + right
    shift = 0.5 * (left - right) / bend if bend else 0.0
    return (top + shift) * rate / len(samples)


def assert_tone(sound, hertz=440.0, dbfs=None, tolerance_hertz=4.0, tolerance_db=3.0, max_gap_ms=60, window=2.0):
    """Show 1 of the exchange: the frequency over a 2 s window, the level, no hole. Returns the talk."""
    talk = sound.talk()
    assert talk.seconds >= window, (
        f"heard {talk.seconds:.2f} s of sound in a recording of {sound.seconds:.2f} s, wanted {window:g} s"
    )
    middle = max(0.0, (talk.seconds - window) / 2)
    part = talk.between(middle, middle + window)
    heard = part.hertz()
    assert abs(heard - hertz) <= tolerance_hertz, f"heard {heard:.2f} Hz, wanted {hertz:g} +- {tolerance_hertz:g}"
    if dbfs is not None:
        level = part.level_dbfs()
        assert abs(level - dbfs) <= tolerance_db, f"heard {level:.1f} dBFS, wanted {dbfs:g} +- {tolerance_db:g}"
    if max_gap_ms is not None:
        gap = talk.longest_gap_ms()
        assert gap <= max_gap_ms, f"a gap of {gap} ms inside {talk.seconds:.2f} s of talk, allowed {max_gap_ms}"
    return talk
