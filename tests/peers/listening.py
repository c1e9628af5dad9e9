"""What every phone driver can do with what it heard."""
from . import tone
from .process import PeerFailed
from .waiting import until


class Listening:
    """A driver gives `recordings()`, WAV files oldest first, `name` and `tail()`."""

    def _begun(self):
        """The recordings that hold more than a header."""
        return [path for path in self.recordings() if path.stat().st_size > 44]

    def heard(self):
        """The newest recording as sound."""
        found = self._begun()
        if not found:
            raise PeerFailed(f"{self.name} has heard nothing yet\n{self.tail()}")
        return tone.read(found[-1])

    def mark(self):
        """A point in what was heard; give it to `wait_heard` to hear only what comes after."""
        found = self._begun()
        return (found[-1], len(tone.read(found[-1]).samples)) if found else (None, 0)

    def wait_heard(self, seconds_of_sound, since=(None, 0), seconds=None):
        """Waits until that much sound above silence has been recorded (after `since`), and returns it."""
        path, skip = since
        last = "nothing"

        def look():
            nonlocal last
            self.must_live()
            found = self._begun()
            if not found:
                return None
            sound = tone.read(found[-1])
            if found[-1] == path:
                sound = tone.Sound(sound.samples[skip:], sound.rate)
            talk = sound.talk()
            last = f"{talk.seconds:.2f} s of sound in {sound.seconds:.2f} s, files {[one.name for one in found]}"
            return sound if talk.seconds >= seconds_of_sound else None

        return until(
            look, seconds or seconds_of_sound + 8, f"{self.name} hears {seconds_of_sound:g} s of sound",
            lambda: f"heard {last}\n{self.tail()}", every=0.1,
        )

    def hear_again(self, seconds_of_sound):
        """After a resume: waits until sound is back and settled, then takes a fresh stretch of it."""
        self.wait_heard(0.5, self.mark())
        return self.wait_heard(seconds_of_sound, self.mark())
