"""A stand-in for a provider of text messages: real HTTP, each message once by its key, down and up again when told."""
import json

from .receiver import Receiver


class MessageProvider(Receiver):
    """What was asked, and what was sent: one message a key, however often it is asked for. Down at first."""

    def __init__(self):
        super().__init__()
        self.down()
        # (headers, value) of each request.
        self.asked = []
        # key: value
        self.sent = {}
        # The status of the next answers; a request that is refused sends nothing.
        self.status = 202
        # Whether the answer gets lost after the message was sent.
        self.hangs_up = False
        self.answer = self.take

    def take(self, message):
        value = json.loads(message.body)
        if self.status < 300:
            self.sent.setdefault(message.headers["idempotency-key"], value)
        self.asked.append((message.headers, value))
        return None if self.hangs_up else (self.status, {})
