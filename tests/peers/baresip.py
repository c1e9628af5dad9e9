"""baresip without a terminal: a real phone, driven over its control socket.

The control socket (module ctrl_tcp) speaks JSON in netstrings: `LEN:{...},`. What the phone heard is
written by its sndfile module, before any sound card, as one WAV file a call and direction.
"""
import json
import re
import socket
from collections import defaultdict, deque

from . import tone
from .listening import Listening
from .ports import LOOPBACK, free_port
from .process import PeerFailed, Process
from .waiting import Expired, until

MODULES = "/usr/lib/baresip/modules"
TONE_DBFS = -15.0
# aufile does not repeat; a test must not outlast it.
TONE_SECONDS = 90
SOURCE_RATE = 48000

CONFIG = """\
poll_method		epoll
sip_listen		{host}:{sip_port}
sip_trans_bsize		128
call_local_timeout	120
call_max_calls		8
audio_player		aubridge,nobody
audio_source		aufile,{tone}
audio_alert		aubridge,nobody
ausrc_srate		{rate}
ausrc_channels		1
audio_level		no
audio_jitter_buffer_type	fixed
audio_jitter_buffer_delay	1-5
rtp_tos			184
rtcp_mux		no
rtp_stats		yes
net_interface		{host}
module_path		{modules}
{module_lines}
module_tmp		uuid.so
module_tmp		account.so
module_app		contact.so
module_app		debug_cmd.so
module_app		menu.so
module_app		ctrl_tcp.so
ctrl_tcp_listen		{host}:{control_port}
snd_path		{sound}
ringback_disabled	yes
statmode_default	off
"""

CODEC_MODULE = {"PCMU": "g711.so", "PCMA": "g711.so", "G722": "g722.so", "opus": "opus.so"}
CODEC_NAME = {
    "PCMU": "PCMU/8000/1",
    "PCMA": "PCMA/8000/1",
    "G722": "G722/16000/1",
    "opus": "opus/48000/2",
}


class Baresip(Listening, Process):
    """One phone with one account.

    `registrar` is `host:port`. `hertz` is the tone it says; `answer` is manual or auto.
    """

    def __init__(
        self,
        user,
        secret,
        registrar,
        transport="udp",
        codecs=("PCMU",),
        hertz=440.0,
        answer="manual",
        expires=60,
        media_encryption="srtp-mand",
        dtmf_mode="rtpevent",
        account_extra="",
    ):
        super().__init__(f"baresip {user}")
        # R14: SRTP where signalling is encrypted, and nowhere else.
        media_encryption = media_encryption if transport == "tls" else None
        self.user, self.registrar, self.transport = user, registrar, transport
        self.control_port, self.sip_port = free_port(), free_port(2)
        self.sound = self.folder / "sound"
        self.sound.mkdir()
        self.events = defaultdict(deque)
        self._all_events = []
        self._socket = None
        self._buffer = b""
        self._token = 0
        self._answers = {}
        said = tone.write_tone(self.folder / "tone.wav", hertz, TONE_SECONDS, SOURCE_RATE, TONE_DBFS)
        modules = {"aubridge.so", "aufile.so", "sndfile.so"} | {CODEC_MODULE[codec] for codec in codecs}
        if media_encryption:
            modules.add("srtp.so")
        (self.folder / "config").write_text(
            CONFIG.format(
                host=LOOPBACK,
                sip_port=self.sip_port,
                control_port=self.control_port,
                tone=said,
                rate=SOURCE_RATE,
                modules=MODULES,
                module_lines="\n".join(f"module\t\t\t{name}" for name in sorted(modules)),
                sound=self.sound,
            )
        )
        account = (
            f"<sip:{user}@{registrar};transport={transport}>;auth_user={user};auth_pass={secret}"
            f";regint={expires};answermode={answer};dtmfmode={dtmf_mode}"
            f";audio_codecs={','.join(CODEC_NAME[codec] for codec in codecs)}"
        )
        if media_encryption:
            account += f";mediaenc={media_encryption}"
        self._account = account + account_extra
        # Made over the control socket, so that no event is told before we listen.
        (self.folder / "accounts").write_text("# made by `uanew`\n")
        (self.folder / "contacts").write_text("")

    # ---- life

    def start(self):
        self.spawn(["baresip", "-s", "-f", self.folder])
        until(self._connect, 10, f"{self.name} opens its control socket", self.tail)
        self.command("uanew", self._account)
        return self

    def _connect(self):
        self.must_live()
        try:
            self._socket = socket.create_connection((LOOPBACK, self.control_port), timeout=1)
        except OSError:
            return False
        self._socket.setblocking(False)
        return True

    def stop(self, seconds=5, **options):
        if self._socket:
            self._socket.close()
            self._socket = None
        super().stop(seconds, **options)

    # ---- the control socket

    def _pump(self):
        """Reads what has arrived and sorts it into events and answers."""
        try:
            while True:
                piece = self._socket.recv(65536)
                if not piece:
                    break
                self._buffer += piece
        except BlockingIOError:
            pass
        while b":" in self._buffer:
            length, rest = self._buffer.split(b":", 1)
            size = int(length)
            if len(rest) < size + 1:
                break
            message = json.loads(rest[:size].decode(errors="replace"))
            self._buffer = rest[size + 1:]
            if message.get("event"):
                self.events[message.get("class")].append(message)
                self._all_events.append(message)
            else:
                self._answers[message.get("token")] = message

    def command(self, name, params="", seconds=5):
        """Sends one command and returns what the phone answered."""
        self._token += 1
        token = str(self._token)
        body = json.dumps({"command": name, "params": params, "token": token}).encode()
        self._socket.sendall(b"%d:%s," % (len(body), body))

        def answered():
            self.must_live()
            self._pump()
            return self._answers.pop(token, None)

        answer = until(answered, seconds, f"{self.name} answers `{name}`", self.tail)
        if not answer.get("ok"):
            raise PeerFailed(f"{self.name} refused `{name} {params}`: {answer}\n{self.tail()}")
        return answer.get("data", "")

    def wait_event(self, kind, seconds=10, failure=()):
        """The next event of that type; earlier ones of its class (call, register) are skipped."""

        def look():
            self._pump()
            queue = self.events["register" if kind.startswith("REGISTER") else "call"]
            while queue:
                event = queue.popleft()
                if event.get("type") == kind:
                    return event
                if event.get("type") in failure:
                    raise PeerFailed(f"{self.name} wanted {kind}, got {event}\n{self.tail()}")
            self.must_live()

        def told():
            return f"told so far: {self.event_types()}\n{self.tail()}"

        return until(look, seconds, f"{self.name} tells {kind}", told)

    def event_types(self):
        return [event.get("type") for event in self._all_events]

    def saw(self, kind):
        self._pump()
        return [event for event in self._all_events if event.get("type") == kind]

    # ---- what a person does

    def wait_registered(self, seconds=10):
        return self.wait_event("REGISTER_OK", seconds, failure=("REGISTER_FAIL",))

    def wait_not_registered(self, seconds=10):
        return self.wait_event("REGISTER_FAIL", seconds, failure=("REGISTER_OK",))

    def dial(self, target):
        """A number at the registrar, or a whole SIP URI."""
        if not target.startswith("sip"):
            target = f"sip:{target}@{self.registrar};transport={self.transport}"
        self.command("dial", target)

    def wait_incoming(self, seconds=10):
        return self.wait_event("CALL_INCOMING", seconds)

    def answer(self):
        self.command("accept")

    def wait_ringing(self, seconds=10):
        """The far side rings (180)."""
        return self.wait_event("CALL_RINGING", seconds, failure=("CALL_CLOSED",))

    def wait_established(self, seconds=10):
        return self.wait_event("CALL_ESTABLISHED", seconds, failure=("CALL_CLOSED",))

    def wait_closed(self, seconds=10):
        """The event carries the reason in `param`."""
        return self.wait_event("CALL_CLOSED", seconds)

    def hangup(self):
        self.command("hangup")

    def hold(self):
        self.command("hold")

    def resume(self):
        self.command("resume")

    def dtmf(self, digits):
        """Keys as RFC 4733 events (or INFO, by the account's dtmf mode)."""
        for digit in digits:
            self.command("sndcode", digit)

    def digits(self):
        """Keys that came from the far side so far."""
        return "".join(event.get("param", "") for event in self.saw("CALL_DTMF_START"))

    def wait_digits(self, wanted, seconds=10):
        until(
            lambda: wanted in self.digits(),
            seconds,
            f"{self.name} hears the keys {wanted}",
            lambda: f"heard {self.digits()!r}\n{self.tail()}",
        )

    # ---- what it heard

    def recordings(self, way="dec"):
        """WAV files of what was heard (`dec`) or said (`enc`), oldest first."""
        return sorted(self.sound.glob(f"dump-*-{way}.wav"))

    def decoded_seconds(self):
        """How much sound was decoded in this call, by the phone's own count.

        baresip 1.0.0 drops its recorder from the decode path at the first re-INVITE and never puts it
        back, so after a hold the recording stands still; this count goes on.
        """
        received = self.command("audio_debug").partition(" rx:")[2]
        time = re.search(r"time = ([\d.]+) sec", received)
        return float(time.group(1)) if time else 0.0

    def wait_decoded(self, more, seconds=None):
        """Waits until `more` seconds of sound were decoded from now on."""
        start = self.decoded_seconds()
        until(
            lambda: self.decoded_seconds() >= start + more, seconds or more + 8,
            f"{self.name} decodes {more:g} s more than {start:g} s", self.tail, every=0.1,
        )
