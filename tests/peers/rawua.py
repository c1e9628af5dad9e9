"""A user agent without a stack: sends and receives literal SIP.

A real phone hides what it was sent. This one keeps every message, sends exactly what a test says, and
does only two things by itself, in its reading thread: it repeats its last answer to a repeated
request, and its ACK to a repeated final response (RFC 3261 17.1.1.2, 17.2.1, 13.2.2.4).

    with RawUA("desk", "secret", exchange.host_port()) as ua:
        ua.register()
        call = ua.invite("600", sdp.describe(4000))
        call.wait_status(200)
        call.ack()
        call.bye()
"""
import itertools
import os
import threading
import time

from . import digest, process
from .rawcall import IncomingCall, OutgoingCall
from .sipmsg import Message
from .waiting import until
from .wire import WIRES


def new_tag():
    return os.urandom(6).hex()


def new_branch():
    return "z9hG4bK" + os.urandom(8).hex()


class RawUA:
    """One socket, one identity. `server` is (host, port); `domain` goes into From, To and request URIs."""

    def __init__(self, user, secret, server, transport="udp", domain=None, instance=None):
        self.user, self.secret, self.server, self.transport = user, secret, server, transport
        self.domain = domain or f"{server[0]}:{server[1]}"
        self.instance = instance
        self.name = f"raw {user}"
        self.wire = WIRES[transport](server)
        self.trace = []  # (seconds, ">" sent or "<" received, Message)
        self.inbox = []  # received, not yet taken by the test
        self._answered, self._acked, self._invited = {}, {}, set()
        self._counts = itertools.count(1)
        self._nonce_counts = {}
        self._register = None
        self._closed = False
        self._born = time.monotonic()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        process.started.append(self)

    # ---- life

    def alive(self):
        return not self._closed

    def close(self):
        self._closed = True
        self._thread.join(2)
        self.wire.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def tail(self, lines=0):
        """Every message, for the report of a failed test."""
        told = []
        for at, way, message in list(self.trace):
            text = "\n".join("    " + line for line in str(message).splitlines())
            told.append(f"  {at:.3f} {'sent' if way == '>' else 'received'}\n{text}")
        return f"--- {self.name}, all messages:\n" + "\n".join(told)

    # ---- sending

    def send(self, message):
        self.trace.append((time.monotonic() - self._born, ">", message))
        self.wire.send(message.bytes())

    def send_bytes(self, data):
        """Anything at all: for torture tests."""
        self.wire.send(data)

    @property
    def host_port(self):
        host, port = self.wire.local
        return f"{host}:{port}"

    @property
    def contact(self):
        via = "" if self.transport == "udp" else f";transport={self.transport}"
        extra = f';+sip.instance="<{self.instance}>"' if self.instance else ""
        return f"<sip:{self.user}@{self.host_port}{via}>{extra}"

    def via(self, branch):
        return f"SIP/2.0/{self.wire.name} {self.host_port};branch={branch};rport"

    def uri(self, number):
        return number if number.startswith(("sip:", "sips:", "tel:")) else f"sip:{number}@{self.domain}"

    def next_id(self):
        return f"{next(self._counts)}-{os.urandom(6).hex()}@raw"

    # ---- receiving

    def _read(self):
        while not self._closed:
            try:
                pieces = self.wire.receive(0.05)
            except OSError:
                return
            for piece in pieces:
                if piece.strip(b"\r\n\0"):
                    self._arrived(Message.parse(piece))

    def _arrived(self, message):
        self.trace.append((time.monotonic() - self._born, "<", message))
        repeated = None
        with self._lock:
            if message.is_request:
                if message.method != "ACK":
                    repeated = self._answered.get((message.branch, message.method))
            elif message.status >= 200 and message.method == "INVITE":
                repeated = self._acked.get((message.get("call-id"), message.cseq, message.to_tag))
            if repeated is None:
                self.inbox.append(message)
        if repeated is not None:
            self.send(repeated)

    def take(self, wanted, seconds, what):
        """Waits for the first message of which `wanted` is true, and removes it from the inbox."""

        def look():
            with self._lock:
                for message in self.inbox:
                    if wanted(message):
                        self.inbox.remove(message)
                        return message

        return until(look, seconds, f"{self.name} receives {what}", self.tail, every=0.005)

    def received(self, method=None, status=None):
        """All messages that came so far, taken or not, repeats included."""
        return [
            message
            for _, way, message in list(self.trace)
            if way == "<"
            and (method is None or message.method == method)
            and (status is None or message.status == status)
            and (status is not None or method is None or message.is_request)
        ]

    # ---- answering requests

    def respond(self, request, status, reason=None, headers=(), body="", to_tag=None):
        """Sends a response made from `request`, and remembers it for repeats."""
        to = request.get("to")
        if to_tag and status > 100 and request.to_tag is None:
            to += f";tag={to_tag}"
        copied = [("Via", via) for via in request.all("via")]
        copied += [("Record-Route", route) for route in request.all("record-route")]
        copied += [("From", request.get("from")), ("To", to)]
        copied += [("Call-ID", request.get("call-id")), ("CSeq", request.get("cseq"))]
        typed = [("Content-Type", "application/sdp")] if body else []
        response = Message(f"SIP/2.0 {status} {reason or REASONS.get(status, 'Whatever')}",
                           [*copied, *headers, *typed], body)
        with self._lock:
            self._answered[(request.branch, request.method)] = response
        self.send(response)
        return response

    def wait_request(self, method, seconds=5):
        return self.take(lambda one: one.is_request and one.method == method, seconds, method)

    def wait_invite(self, seconds=5):
        """The next new call. An INVITE that was sent again because we were slow is none (RFC 3261 17.2.1)."""
        invite = self.take(
            lambda one: one.is_request and one.method == "INVITE" and one.to_tag is None and one.branch not in self._invited,
            seconds, "a new INVITE",
        )
        self._invited.add(invite.branch)
        return IncomingCall(self, invite)

    # ---- asking

    def request(self, method, uri, headers, body="", seconds=5, credentials=True):
        """One request outside INVITE, its challenge answered; returns the final response.

        `headers` must hold From, To, Call-ID and CSeq; Via, Max-Forwards and Authorization are added.
        """
        extra = []
        for _ in range(3):
            branch = new_branch()
            message = Message(
                f"{method} {uri} SIP/2.0",
                [("Via", self.via(branch)), ("Max-Forwards", "70"), *headers, *extra], body,
            )
            self.send(message)
            response = self.final_of(message, seconds)
            if response.status not in (401, 407) or not credentials or extra:
                return response
            extra = [self.authorization(response, method, uri)]
            headers = [(name, raised(value) if name.lower() == "cseq" else value) for name, value in headers]
        return response

    def final_of(self, request, seconds=5):
        """Repeats a request over UDP until a final response came (RFC 3261 17.1.2)."""
        deadline = time.monotonic() + seconds
        pause = 0.5 if not self.wire.reliable else seconds
        while True:
            left = deadline - time.monotonic()
            try:
                return self.take(
                    lambda one: one.status is not None and one.status >= 200 and one.branch == request.branch,
                    max(0.01, min(pause, left)), f"a final response to {request.start}",
                )
            except AssertionError:
                if time.monotonic() >= deadline:
                    raise
                self.send(request)
                pause = min(pause * 2, 4.0)

    def authorization(self, response, method, uri):
        """The header that answers a 401 or 407. The first challenge that we can answer is taken."""
        asks, answers = (
            ("www-authenticate", "Authorization") if response.status == 401
            else ("proxy-authenticate", "Proxy-Authorization")
        )
        challenges = response.all(asks)
        assert challenges, f"{response.status} without a challenge:\n{response}"
        chosen = next(
            one for one in challenges
            if digest.challenge_fields(one).get("algorithm", "MD5").lower() in digest.HASHES
        )
        nonce = digest.challenge_fields(chosen)["nonce"]
        self._nonce_counts[nonce] = self._nonce_counts.get(nonce, 0) + 1
        return answers, digest.answer(chosen, method, uri, self.user, self.secret, self._nonce_counts[nonce])

    def register(self, expires=60, contact=None, headers=(), ok=True, seconds=5):
        """Registers or refreshes with one Call-ID (RFC 3261 10.2.4). Returns the final response."""
        if self._register is None:
            self._register = {"call_id": self.next_id(), "tag": new_tag(), "cseq": 0}
        state = self._register
        state["cseq"] += 2
        identity = f"<sip:{self.user}@{self.domain}>"
        response = self.request(
            "REGISTER",
            f"sip:{self.domain}",
            [
                ("From", f"{identity};tag={state['tag']}"), ("To", identity),
                ("Call-ID", state["call_id"]), ("CSeq", f"{state['cseq']} REGISTER"),
                ("Contact", contact or self.contact), ("Expires", str(expires)), *headers,
            ],
            seconds=seconds,
        )
        if ok:
            assert response.status == 200, f"{self.name} was not registered\n{response}"
        return response

    def options(self, uri=None, headers=()):
        """An OPTIONS ping; returns the final response, challenged or not."""
        identity = f"<sip:{self.user}@{self.domain}>"
        return self.request(
            "OPTIONS", uri or f"sip:{self.domain}",
            [("From", f"{identity};tag={new_tag()}"), ("To", f"<{uri or 'sip:' + self.domain}>"),
             ("Call-ID", self.next_id()), ("CSeq", "1 OPTIONS"), ("Contact", self.contact), *headers],
            credentials=False,
        )

    def invite(self, number, body="", headers=(), authenticate=True):
        """Starts a call and answers its challenge. Returns at once after the (second) INVITE went out."""
        return OutgoingCall(self, self.uri(number), body, headers).start(authenticate)

    def remember_ack(self, response, ack):
        with self._lock:
            self._acked[(response.get("call-id"), response.cseq, response.to_tag)] = ack


def raised(cseq):
    number, method = cseq.split()
    return f"{int(number) + 1} {method}"


REASONS = {
    100: "Trying", 180: "Ringing", 183: "Session Progress", 200: "OK", 202: "Accepted", 302: "Moved Temporarily",
    400: "Bad Request", 404: "Not Found", 480: "Temporarily Unavailable", 481: "Call/Transaction Does Not Exist",
    486: "Busy Here", 487: "Request Terminated", 488: "Not Acceptable Here", 491: "Request Pending",
    500: "Server Internal Error", 503: "Service Unavailable", 600: "Busy Everywhere", 603: "Decline",
}
