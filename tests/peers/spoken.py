"""The exchange's own prompts, as they sound on a telephone, and whether a phone heard them."""
import numpy

from . import g711
from .exchange import REPOSITORY

SOUNDS = REPOSITORY / "crates/media/sounds/en"
RATE = 8_000
# Of a prompt that is looked for in a phone's ear: 0.3 s. Of another prompt at most four pieces in ten are that alike.
PIECE = 2_400


def prompt(name):
    """A prompt as it sounds on a telephone."""
    data = (SOUNDS / f"{name}.wav").read_bytes()
    at = data.index(b"data") + 8
    return g711.decode(data[at:], 0)[::2]


def likeness(heard, wanted):
    """How like a prompt the best fitting part of what was heard is: 1 is the same."""
    heard, wanted = numpy.asarray(heard, float), numpy.asarray(wanted, float)
    size = len(heard) + len(wanted)
    found = numpy.fft.irfft(numpy.fft.rfft(heard, size) * numpy.conj(numpy.fft.rfft(wanted, size)), size)
    at = int(numpy.argmax(found[: max(1, len(heard) - len(wanted))]))
    part = heard[at:at + len(wanted)]
    return float((part * wanted).sum() / (numpy.linalg.norm(part) * numpy.linalg.norm(wanted) + 1e-9))


def assert_says(sound, name, seconds=None):
    """That a phone heard a prompt, or its first so many seconds. In pieces: a phone's buffer for jitter stretches what it
    hears, and whoever is late leaves some out."""
    assert sound.rate in (RATE, 2 * RATE), sound.rate
    samples, said = sound.samples[:: sound.rate // RATE], prompt(name)
    end = len(said) if seconds is None else int(seconds * RATE)
    pieces = [likeness(samples, said[at:at + PIECE]) for at in range(0, end - PIECE + 1, PIECE)]
    assert 2 * sum(one > 0.6 for one in pieces) >= len(pieces), f"{name} is not heard: {pieces}"
