"""`ringdown phone`: our own phone, driven by its control socket."""
import json
import os
import socket

from . import tone
from .exchange import binary
from .listening import Listening
from .process import PeerFailed, Process
from .waiting import until

TONE_DBFS = -9.0
# A socket's path may be 107 characters long; test folders may be longer.
SOCKET = "control"


class Softphone(Listening, Process):
    """One phone with one account, or with several: `accounts` are dicts of what a `[[account]]` says, with its `password`. `play` is a WAV file; without it, `hertz` is said as a tone,
    and with a `card` a person talks by that."""

    def __init__(self, user, secret, registrar, transport="udp", codecs=("PCMU",), hertz=440.0, play=None,
                 answer_after=None, extra=(), card=None, accounts=()):
        super().__init__(f"ringdown phone {user}")
        self.user, self.secret, self.registrar, self.transport = user, secret, registrar, transport
        self.record = self.folder / "heard.wav"
        self.control = self.folder / SOCKET
        self.events, self._taken, self._buffer, self._socket = [], 0, b"", None
        self._environment = card.environment if card else {}
        if card:
            source = ["--headset"]
        else:
            source = ["--play", play] if play else ["--tone", f"{hertz:g}"]
        where = ["--server", registrar, "--user", user, "--transport", transport, "--expires", "60"]
        if accounts:
            where = ["--config", self._config(accounts)]
        self._command = [
            binary(), "phone", *where, "--codecs", ",".join(codecs), "--record", self.record, "--control", self.control,
            *source, *extra,
        ]
        if not accounts and transport in ("tls", "wss") and not any("trust" in str(word) for word in extra):
            self._command.append("--tls-trust-any")
        if answer_after is not None:
            self._command += ["--answer-after", f"{answer_after:g}"]

    def _config(self, accounts):
        lines = []
        for account in accounts:
            secret = self.folder / f"{account['name']}.secret"
            secret.write_text(account["password"])
            said = {**account, "password_file": str(secret)}
            del said["password"]
            lines += ["[[account]]", *(f"{key} = {json.dumps(value)}" for key, value in said.items())]
        path = self.folder / "phone.toml"
        path.write_text("\n".join(lines))
        return path

    # ---- life

    def start(self):
        environment = {"XDG_STATE_HOME": str(self.folder), "RINGDOWN_PHONE_PASSWORD": self.secret or ""}
        self.spawn(self._command, env={**os.environ, **environment, **self._environment})
        until(self._connect, 10, f"{self.name} opens its control socket", self.tail)
        return self

    def _connect(self):
        self.must_live()
        opened = socket.socket(socket.AF_UNIX)
        try:
            opened.connect(str(self.control))
        except OSError:
            opened.close()
            return False
        opened.setblocking(False)
        self._socket = opened
        return True

    def stop(self, seconds=5, **options):
        super().stop(seconds, **options)
        if self._socket:
            self._socket.close()
            self._socket = None

    def tail(self, lines=60):
        told = "\n".join("    " + json.dumps(event) for event in self.events if event["event"] != "heard")
        return f"{super().tail(lines)}\n{self.name} told:\n{told}"

    # ---- the control socket

    def do(self, verb, **arguments):
        self._socket.sendall((json.dumps({"do": verb, **arguments}) + "\n").encode())

    def _pump(self):
        try:
            while piece := self._socket.recv(65536):
                self._buffer += piece
        except BlockingIOError:
            pass
        while b"\n" in self._buffer:
            line, self._buffer = self._buffer.split(b"\n", 1)
            self.events.append(json.loads(line))

    def wait_event(self, kind, seconds=10, **wanted):
        """The next event of that kind whose fields match; those before it are passed by."""

        def look():
            alive = self.alive()
            self._pump()
            while self._taken < len(self.events):
                event = self.events[self._taken]
                self._taken += 1
                if event["event"] == kind and all(event.get(key) == value for key, value in wanted.items()):
                    return event
            if not alive:
                self.must_live()

        return until(look, seconds, f"{self.name} tells {kind} {wanted or ''}", self.tail)

    def saw(self, kind):
        self._pump()
        return [event for event in self.events if event["event"] == kind]

    # ---- what a person does

    def wait_registered(self, seconds=10):
        event = self.wait_event("registered", seconds)
        if self.saw("not_registered"):
            raise PeerFailed(f"{self.name} was refused first\n{self.tail()}")
        return event

    def dial(self, number):
        self.do("call", number=number)

    def wait_incoming(self, seconds=10):
        return self.wait_event("incoming", seconds)

    def wait_ringing(self, seconds=10):
        return self.wait_event("ringing", seconds)

    def wait_established(self, seconds=10):
        return self.wait_event("answered", seconds)

    def wait_closed(self, seconds=10):
        return self.wait_event("ended", seconds)

    def answer(self):
        self.do("answer")

    def hangup(self):
        self.do("hang_up")

    def hold(self):
        self.do("hold")
        self.wait_event("held", by="us")

    def resume(self):
        self.do("resume")
        self.wait_event("resumed", by="us")

    def dtmf(self, keys, style="rtp"):
        self.do("dtmf", keys=keys, style=style)

    def digits(self):
        return "".join(event["key"] for event in self.saw("dtmf"))

    def wait_digits(self, wanted, seconds=10):
        until(lambda: wanted in self.digits(), seconds, f"{self.name} hears the keys {wanted}",
              lambda: f"heard {self.digits()!r}\n{self.tail()}")

    def wait_measured(self, hertz, tolerance=4.0, seconds=8):
        """Its own measurement of what it hears now."""

        def look():
            self._pump()
            heard = [event for event in self.events[self._taken:] if event["event"] == "heard"]
            return any(abs(event["hertz"] - hertz) <= tolerance for event in heard[-1:])

        until(look, seconds, f"{self.name} measures {hertz:g} Hz", lambda: f"{self.saw('heard')[-3:]}\n{self.tail()}")

    # ---- what it heard

    def recordings(self):
        return [self.record] if self.record.exists() else []


def write_speech(path, hertz, rate=8000):
    """A WAV file for `play`: five seconds, so that it is looped in a long test."""
    return tone.write_tone(path, hertz, 5, rate, TONE_DBFS)
