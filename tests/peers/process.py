"""One child process: its folder, its log, its end."""
import ctypes
import os
import re
import signal
import subprocess
import tempfile
from pathlib import Path

from .waiting import Expired, until

TAIL_LINES = 60
PR_SET_PDEATHSIG = 1
COLOURS = re.compile(r"\x1b\[[0-9;]*m")

# Everything alive or dead in this test, so that a failed test can show every log (see tests/conftest.py).
started = []


class PeerFailed(AssertionError):
    """A peer could not start, or ended when it should run."""


def _die_with_parent():
    """A killed test run leaves no phone behind."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """A child with a log file. `name` is what a reader of a failure sees; `place` is where it runs, if not on our own network
    (see places.py)."""

    def __init__(self, name, folder=None, place=None):
        self.name, self.place = name, place
        self._own = None
        if folder is None:
            self._own = tempfile.TemporaryDirectory(prefix=f"peer-{re.sub(r'[^A-Za-z0-9]', '-', name)}-")
            folder = self._own.name
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log_path = self.folder / "log.txt"
        self.child = None
        started.append(self)

    def spawn(self, command, **options):
        """Starts the child; stdout and stderr go to the log, stdin is empty unless told."""
        if self.place:
            command = self.place.within(command, {key: options.pop(key) for key in ("user", "group", "extra_groups") if key in options})
        command = [str(part) for part in command]
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("cwd", self.folder)
        with open(self.log_path, "ab") as log:
            options.setdefault("stdout", log)
            options.setdefault("stderr", log)
            try:
                self.child = subprocess.Popen(command, preexec_fn=_die_with_parent, **options)
            except FileNotFoundError as missing:
                raise PeerFailed(
                    f"{self.name}: no program {command[0]}; run `scripts/setup peers`"
                ) from missing
        return self

    @property
    def pid(self):
        return self.child.pid

    def alive(self):
        return self.child is not None and self.child.poll() is None

    def log(self):
        try:
            return COLOURS.sub("", self.log_path.read_text(errors="replace"))
        except FileNotFoundError:
            return ""

    def tail(self, lines=TAIL_LINES):
        code = "running" if self.alive() else f"ended with {self.child.returncode if self.child else 'no start'}"
        kept = "\n".join("    " + line for line in self.log().splitlines()[-lines:])
        return f"--- {self.name} ({code}), last lines of its log:\n{kept}"

    def must_live(self):
        if not self.alive():
            raise PeerFailed(f"{self.name} ended\n{self.tail()}")

    def wait_log(self, pattern, seconds=10):
        """The first match of `pattern` in the log."""
        regex = re.compile(pattern)

        def look():
            match = regex.search(self.log())
            if not match:
                self.must_live()
            return match

        return until(look, seconds, f"{self.name} logs /{pattern}/", self.tail)

    def wait_end(self, seconds):
        """The exit code. A child that does not end is killed and the test fails."""
        try:
            return self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Expired(f"{self.name} did not end within {seconds:g} s\n{self.tail()}") from None

    def stop(self, seconds=5, sign=signal.SIGTERM):
        """Asks the child to end, then kills it. Only this child, by its own pid."""
        if not self.alive():
            return
        os.kill(self.pid, sign)
        try:
            self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self):
        if self.alive():
            os.kill(self.pid, signal.SIGKILL)
            self.child.wait(5)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
