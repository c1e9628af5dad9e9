"""The two ends of a raw call: dialogs by hand (RFC 3261 section 12)."""
import os

from .sipmsg import Message, address


class Dialog:
    """What both ends share once there is a dialog."""

    def __init__(self, ua):
        self.ua = ua
        self.call_id = self.local = self.remote = self.target = None
        self.routes, self.cseq = [], 0

    def request(self, method, body="", headers=(), cseq=None):
        """Sends a request in the dialog and returns it, not waiting for an answer."""
        if cseq is None:
            self.cseq += 1
            cseq = self.cseq
        typed = []
        if body and not any(name.lower() == "content-type" for name, _ in headers):
            typed = [("Content-Type", "application/sdp")]
        message = Message(
            f"{method} {self.target} SIP/2.0",
            [
                ("Via", self.ua.via("z9hG4bK" + os.urandom(8).hex())), ("Max-Forwards", "70"),
                *(("Route", route) for route in self.routes),
                ("From", self.local), ("To", self.remote), ("Call-ID", self.call_id),
                ("CSeq", f"{cseq} {method}"), ("Contact", self.ua.contact), *headers, *typed,
            ],
            body,
        )
        self.ua.send(message)
        return message

    def ask(self, method, body="", headers=(), seconds=5):
        """A request in the dialog and its final response, a challenge answered."""
        request = self.request(method, body, headers)
        response = self.ua.final_of(request, seconds)
        if response.status in (401, 407):
            proof = self.ua.authorization(response, method, self.target)
            response = self.ua.final_of(self.request(method, body, [*headers, proof]), seconds)
        return response

    def bye(self, seconds=5, headers=()):
        response = self.ask("BYE", headers=headers, seconds=seconds)
        assert response.status == 200, f"BYE was answered with\n{response}"
        return response

    def reinvite(self, body, headers=(), seconds=5):
        """A re-INVITE, its answer and its ACK. Returns the final response."""
        request = self.request("INVITE", body, headers)
        response = self.ua.final_of(request, seconds)
        if response.status in (401, 407):
            self._ack(request, response)
            proof = self.ua.authorization(response, "INVITE", self.target)
            request = self.request("INVITE", body, [*headers, proof])
            response = self.ua.final_of(request, seconds)
        self._ack(request, response)
        return response

    def wait_request(self, method, seconds=5):
        """The next request of that method in this call."""
        return self.ua.take(
            lambda one: one.is_request and one.method == method and one.get("call-id") == self.call_id,
            seconds, f"{method} in call {self.call_id}",
        )

    def wait_bye(self, seconds=5):
        """The far end's BYE, answered with 200."""
        bye = self.wait_request("BYE", seconds)
        self.ua.respond(bye, 200)
        return bye

    def answer_reinvite(self, body, seconds=5, headers=()):
        """Takes a re-INVITE, answers it with 200 and waits for the ACK. Returns the re-INVITE."""
        invite = self.wait_request("INVITE", seconds)
        self.ua.respond(invite, 200, headers=[("Contact", self.ua.contact), *headers], body=body)
        self.wait_request("ACK", seconds)
        return invite

    def _ack(self, request, response):
        """For a 2xx a request of its own in the dialog; else part of the INVITE's transaction."""
        if response.status < 300:
            contact = response.get("contact")
            if contact:
                self.target = address(contact)
            ack = self.request("ACK", cseq=request.cseq)
        else:
            ack = Message(
                f"ACK {request.uri} SIP/2.0",
                [("Via", request.all("via")[0]), ("Max-Forwards", "70"),
                 *(("Route", route) for route in request.all("route")),
                 ("From", request.get("from")), ("To", response.get("to")),
                 ("Call-ID", request.get("call-id")), ("CSeq", f"{request.cseq} ACK")],
            )
            self.ua.send(ack)
        self.ua.remember_ack(response, ack)
        return ack


class OutgoingCall(Dialog):
    """We are the caller. `responses` holds all that answered the INVITE that counts."""

    def __init__(self, ua, uri, body, headers):
        super().__init__(ua)
        self.uri = self.target = uri
        self.body, self.headers = body, list(headers)
        self.call_id = ua.next_id()
        self.local = f"<sip:{ua.user}@{ua.domain}>;tag={os.urandom(6).hex()}"
        self.remote = f"<{uri}>"
        self.invite = None
        self.responses, self._unseen = [], []

    def start(self, authenticate=True):
        self.invite = self.request("INVITE", self.body, self.headers)
        if authenticate:
            first = self._next(5)
            if first.status in (401, 407):
                self._ack(self.invite, first)
                proof = self.ua.authorization(first, "INVITE", self.uri)
                self.invite = self.request("INVITE", self.body, [*self.headers, proof])
            else:
                self._unseen.append(first)
        return self

    def _next(self, seconds):
        """The next response; a 100 before a challenge is skipped by the caller of this."""
        while True:
            response = self.ua.take(
                lambda one: one.status is not None and one.branch == self.invite.branch
                and one.method == "INVITE",
                seconds, f"a response to INVITE {self.uri}",
            )
            if response.status != 100:
                return response

    def _keep(self, response):
        self.responses.append(response)
        if response.to_tag:
            self.remote = response.get("to")
        if response.get("contact") and response.status < 300:
            self.target = address(response.get("contact"))
        if response.status < 300:
            self.routes = list(reversed(response.all("record-route")))

    def wait_status(self, status, seconds=10):
        """Collects responses until one has `status` (a number or a collection of them); another final fails."""
        wanted = {status} if isinstance(status, int) else set(status)
        while True:
            response = self._unseen.pop() if self._unseen else self._next(seconds)
            self._keep(response)
            if response.status in wanted:
                return response
            assert response.status < 200, f"wanted {sorted(wanted)}, got\n{response}\n{self.ua.tail()}"

    def wait_final(self, seconds=10):
        """The final response, whatever it is; a failure is acknowledged at once."""
        response = self.wait_status(range(200, 700), seconds)
        if response.status >= 300:
            self._ack(self.invite, response)
        return response

    def wait_ringing(self, seconds=10):
        """Whether it rings; a failure is acknowledged."""
        response = self.wait_status({180, *range(300, 700)}, seconds)
        if response.status >= 300:
            self._ack(self.invite, response)
        return response.status == 180

    def wait_answer(self, seconds=10):
        """The 200, acknowledged."""
        response = self.wait_status(200, seconds)
        self.ack()
        return response

    def ack(self):
        final = next(one for one in reversed(self.responses) if one.status >= 200)
        return self._ack(self.invite, final)

    def cancel(self, headers=()):
        """CANCEL of the INVITE (RFC 3261 9.1: same branch). Returns the response to the CANCEL."""
        cancel = Message(
            f"CANCEL {self.invite.uri} SIP/2.0",
            [("Via", self.invite.all("via")[0]), ("Max-Forwards", "70"),
             ("From", self.invite.get("from")), ("To", self.invite.get("to")),
             ("Call-ID", self.call_id), ("CSeq", f"{self.invite.cseq} CANCEL"), *headers],
        )
        self.ua.send(cancel)
        return self.ua.take(
            lambda one: one.status is not None and one.method == "CANCEL" and one.branch == self.invite.branch,
            5, "a response to CANCEL",
        )

    def prack(self, response, body="", seconds=5):
        """Acknowledges a reliable 1xx (RFC 3262)."""
        rack = f"{response.only('rseq')} {response.get('cseq')}"
        return self.ask("PRACK", body, [("RAck", rack)], seconds)

    def to_tags(self):
        """Every To tag that the caller saw for its INVITE. R1 allows one."""
        return {
            message.to_tag
            for message in self.ua.received()
            if not message.is_request and message.get("call-id") == self.call_id
            and message.method == "INVITE" and message.cseq == self.invite.cseq and message.to_tag
        }

    def answers(self):
        """Every distinct SDP that the caller got for its INVITE. R1 allows one."""
        return {
            message.sdp
            for message in self.ua.received()
            if not message.is_request and message.get("call-id") == self.call_id
            and message.method == "INVITE" and message.cseq == self.invite.cseq and message.body
        }


class IncomingCall(Dialog):
    """We are called."""

    def __init__(self, ua, invite):
        super().__init__(ua)
        self.invite = invite
        self.tag = os.urandom(6).hex()
        self.call_id = invite.get("call-id")
        self.local = f"{invite.get('to')};tag={self.tag}"
        self.remote = invite.get("from")
        self.target = address(invite.only("contact"))
        self.routes = invite.all("record-route")

    @property
    def offer(self):
        return self.invite.sdp

    def respond(self, status, body="", headers=(), reason=None):
        headers = list(headers)
        if 100 < status < 300:
            headers.insert(0, ("Contact", self.ua.contact))
        return self.ua.respond(self.invite, status, reason, headers, body, self.tag)

    def ring(self):
        return self.respond(180)

    def progress(self, body, reliable=None):
        """183 with SDP; `reliable` is an RSeq number, and then the PRACK is awaited and answered."""
        if reliable is None:
            return self.respond(183, body)
        self.respond(183, body, [("Require", "100rel"), ("RSeq", str(reliable))])
        prack = self.wait_request("PRACK")
        self.ua.respond(prack, 200)
        return prack

    def answer(self, body, seconds=5):
        """200 and its ACK; the ACK is returned."""
        self.respond(200, body)
        return self.wait_request("ACK", seconds)

    def refuse(self, status, seconds=5, headers=()):
        self.respond(status, headers=headers)
        return self.wait_request("ACK", seconds)

    def wait_cancel(self, seconds=5):
        """The CANCEL, answered; the INVITE gets its 487 and the ACK is taken."""
        cancel = self.wait_request("CANCEL", seconds)
        self.ua.respond(cancel, 200, to_tag=self.tag)
        self.refuse(487, seconds)
        return cancel
