"""sipsak: one request from a program that shares no code with anything else here."""
import subprocess
from dataclasses import dataclass

from .process import PeerFailed


@dataclass
class Answer:
    code: int
    output: str

    @property
    def ok(self):
        """sipsak ends with 0 only after a 200."""
        return self.code == 0


def run(*arguments, ok=True, seconds=15):
    """`sipsak ARGUMENTS`."""
    try:
        done = subprocess.run(
            ["sipsak", *map(str, arguments)], capture_output=True, text=True, timeout=seconds,
            stdin=subprocess.DEVNULL,
        )
    except FileNotFoundError as missing:
        raise PeerFailed("no program sipsak; run `scripts/setup peers`") from missing
    except subprocess.TimeoutExpired:
        if ok:
            raise PeerFailed(f"sipsak {arguments} had no answer in {seconds} s") from None
        return Answer(-1, "no answer")
    answer = Answer(done.returncode, done.stdout + done.stderr)
    if ok and not answer.ok:
        raise PeerFailed(f"sipsak {' '.join(map(str, arguments))} ended with {answer.code}\n{answer.output}")
    return answer


def options(uri, ok=True, seconds=5):
    """An OPTIONS ping."""
    return run("-vv", "-s", uri, ok=ok, seconds=seconds)


def register(user, secret, registrar, contact=None, expires=60, ok=True):
    """A REGISTER with digest. `registrar` is `host:port`."""
    arguments = ["-vv", "-U", "-s", f"sip:{user}@{registrar}", "-u", user, "-a", secret, "-x", expires]
    if contact:
        arguments += ["-C", contact]
    return run(*arguments, ok=ok)
