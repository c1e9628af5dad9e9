"""PJSIP from Python, in a process of its own.

PJSIP aborts the whole process on misuse, so it lives in a child (`pjsua_agent.py`) and is driven by
JSON lines over two pipes: commands in, answers and events out.
"""
import json
import os
import sys
from collections import defaultdict, deque
from pathlib import Path

from . import tone
from .listening import Listening
from .ports import LOOPBACK, PHONES, free_port, media_range
from .process import PeerFailed, Process
from .waiting import until

AGENT = Path(__file__).with_name("pjsua_agent.py")
TONE_DBFS = -15.0


class Pjsua(Listening, Process):
    """One phone with one account. `codecs` in order of preference; all others are switched off. `retry` is how many
    seconds after a lost connection it tries again to register; `nameserver` is asked where the registrar is."""

    def __init__(
        self,
        user,
        secret,
        registrar,
        transport="udp",
        codecs=("PCMU",),
        hertz=1000.0,
        answer=None,
        expires=60,
        register=True,
        timers=True,
        prack=False,
        **extra,
    ):
        super().__init__(f"pjsua {user}")
        self.user, self.registrar, self.transport = user, registrar, transport
        self.events = defaultdict(deque)
        self._all_events = []
        self._answers = {}
        self._token = 0
        self._buffer = b""
        self._to_child = self._from_child = None
        tone.write_tone(self.folder / "tone.wav", hertz, 20, 16000, TONE_DBFS)
        self._settings = {
            "user": user,
            "secret": secret,
            "registrar": registrar,
            "transport": transport,
            "codecs": list(codecs),
            "host": LOOPBACK,
            "port": free_port(2),
            "rtp_port": media_range(200, PHONES)[0],
            "answer": answer,
            "expires": expires,
            "register": register,
            "timers": timers,
            "prack": prack,
            "folder": str(self.folder),
            "tone": str(self.folder / "tone.wav"),
            **extra,
        }

    # ---- life

    def start(self):
        child_in, self._to_child = os.pipe()
        self._from_child, child_out = os.pipe()
        os.set_blocking(self._from_child, False)
        (self.folder / "settings.json").write_text(json.dumps(self._settings))
        self.spawn(
            [sys.executable, "-u", AGENT, self.folder / "settings.json", child_in, child_out],
            pass_fds=(child_in, child_out),
        )
        os.close(child_in)
        os.close(child_out)
        self.wait_event("started", 15)
        return self

    def stop(self, seconds=10, **options):
        """Lets PJSIP end its calls and unregister: its shutdown is part of what we test against."""
        if self.alive() and self._to_child is not None:
            try:
                os.write(self._to_child, b'{"do":"quit","token":0}\n')
                self.child.wait(seconds)
            except Exception:  # noqa: BLE001 - whatever happened, it is ended below
                pass
        super().stop(1)
        for pipe in (self._to_child, self._from_child):
            if pipe is not None:
                os.close(pipe)
        self._to_child = self._from_child = None

    def tail(self, lines=80):
        return super().tail(lines)

    # ---- the pipes

    def _pump(self):
        try:
            while True:
                piece = os.read(self._from_child, 65536)
                if not piece:
                    break
                self._buffer += piece
        except BlockingIOError:
            pass
        while b"\n" in self._buffer:
            line, self._buffer = self._buffer.split(b"\n", 1)
            message = json.loads(line)
            if "event" in message:
                self.events[message["event"]].append(message)
                self._all_events.append(message)
            else:
                self._answers[message["token"]] = message

    def command(self, do, seconds=10, **arguments):
        self._token += 1
        token = self._token
        line = json.dumps({"do": do, "token": token, **arguments}) + "\n"
        os.write(self._to_child, line.encode())

        def answered():
            self._pump()
            found = self._answers.pop(token, None)
            if found is None:
                self.must_live()
            return found

        answer = until(answered, seconds, f"{self.name} answers `{do}`", self.tail)
        if "error" in answer:
            raise PeerFailed(f"{self.name} could not `{do} {arguments}`: {answer['error']}\n{self.tail()}")
        return answer.get("result")

    def wait_event(self, kind, seconds=10, **wanted):
        """The next event of that kind whose fields match; earlier ones of the same kind are skipped."""

        def look():
            self._pump()
            queue = self.events[kind]
            while queue:
                event = queue.popleft()
                if all(event.get(key) == value for key, value in wanted.items()):
                    return event
            self.must_live()

        def told():
            return "told so far: " + ", ".join(
                " ".join(str(value) for key, value in event.items() if key != "message")
                for event in self._all_events
            ) + "\n" + self.tail()

        return until(look, seconds, f"{self.name} tells {kind} {wanted or ''}", told)

    def saw(self, kind, **wanted):
        self._pump()
        return [
            event
            for event in self._all_events
            if event["event"] == kind and all(event.get(key) == value for key, value in wanted.items())
        ]

    # ---- what a person does; `call` is the number that `dial` or `wait_incoming` gave, or the newest call

    def wait_registered(self, seconds=10):
        event = self.wait_event("registered", seconds)
        if event["code"] != 200:
            raise PeerFailed(f"{self.name} was not registered: {event}\n{self.tail()}")
        return event

    def dial(self, target):
        if not target.startswith("sip"):
            target = f"sip:{target}@{self.registrar};transport={self.transport}"
        return self.command("dial", to=target)

    def wait_incoming(self, seconds=10):
        return self.wait_event("incoming", seconds)["call"]

    def wait_ringing(self, seconds=10):
        return self.wait_event("state", seconds, state="EARLY")

    def wait_established(self, seconds=10):
        return self.wait_event("state", seconds, state="CONFIRMED")

    def wait_closed(self, seconds=10):
        """The event carries `code` and `reason` of the last answer."""
        return self.wait_event("state", seconds, state="DISCONNECTED")

    def wait_media(self, status, seconds=10):
        """`active`, `local_hold`, `remote_hold` or `none`."""
        return self.wait_event("media", seconds, status=status)

    def ring(self, call=None):
        self.command("answer", call=call, code=180)

    def answer(self, call=None, code=200):
        self.command("answer", call=call, code=code)

    def hangup(self, call=None, code=0):
        """`code` refuses an unanswered call with that status."""
        self.command("hangup", call=call, code=code)

    def hold(self, call=None):
        self.command("hold", call=call)

    def resume(self, call=None):
        self.command("resume", call=call)

    def reinvite(self, call=None):
        self.command("reinvite", call=call)

    def update(self, call=None):
        self.command("update", call=call)

    def dtmf(self, digits, call=None, method="rfc2833"):
        """`method`: rfc2833 (RFC 4733 events) or info."""
        self.command("dtmf", call=call, digits=digits, method=method)

    def transfer(self, target, call=None):
        """Blind: REFER. Answers come as `transfer` events."""
        if not target.startswith("sip"):
            target = f"sip:{target}@{self.registrar};transport={self.transport}"
        self.command("transfer", call=call, to=target)

    def transfer_to_call(self, call, other):
        """Attended: REFER with Replaces, joining the far ends of two calls of this phone."""
        self.command("attended", call=call, other=other)

    def info(self, call=None):
        """State, codec and RTP counts of a call."""
        return self.command("info", call=call)

    def digits(self):
        return "".join(event["digit"] for event in self.saw("dtmf"))

    def wait_digits(self, wanted, seconds=10):
        until(
            lambda: wanted in self.digits(),
            seconds,
            f"{self.name} hears the keys {wanted}",
            lambda: f"heard {self.digits()!r}\n{self.tail()}",
        )

    # ---- what it heard

    def recordings(self):
        return sorted(self.folder.glob("heard-*.wav"))
