"""A sound card made of files: ALSA's own plugins give a microphone that is a file, and keep what the loudspeaker plays."""
import os
import wave
from pathlib import Path

import numpy

from . import tone

# Everything that the library would otherwise read from the system.
CONFIGURATION = """
pcm.null {{ type null }}
pcm.played {{ type file slave.pcm null file "{played}" format "raw" }}
pcm.said {{ type file slave.pcm null file "/dev/null" infile "{said}" format "raw" }}
pcm.!default {{ type asym playback.pcm played capture.pcm said }}
"""
RATE = 16000


class SoundCard:
    """`environment` is for the program that uses it; its microphone says a tone."""

    def __init__(self, folder, hertz=440.0, seconds=60):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.said, self.played = self.folder / "said.raw", self.folder / "played.raw"
        tone.write_tone(self.folder / "said.wav", hertz, seconds, RATE, -9.0)
        with wave.open(str(self.folder / "said.wav")) as file:
            self.said.write_bytes(file.readframes(file.getnframes()))
        configuration = self.folder / "asound.conf"
        configuration.write_text(CONFIGURATION.format(played=self.played, said=self.said))
        self.environment = {"ALSA_CONFIG_PATH": str(configuration)}

    def heard(self):
        """All that the loudspeaker played since it was opened last, as samples at 16 kHz."""
        octets = self.played.read_bytes() if self.played.exists() else b""
        return numpy.frombuffer(octets[:len(octets) // 2 * 2], dtype="<i2").astype(float) / 32768

    def listens(self, pid):
        """Whether a child of this process has the microphone open."""
        return any(self._open(child) for child in children(pid))

    def _open(self, pid):
        try:
            return any(os.readlink(f"/proc/{pid}/fd/{number}") == str(self.said) for number in os.listdir(f"/proc/{pid}/fd"))
        except FileNotFoundError:
            return False


def children(pid):
    tasks = Path(f"/proc/{pid}/task")
    return [int(child) for task in tasks.iterdir() for child in (task / "children").read_text().split()]
