"""A program that webhooks lead to: keeps what it is sent, checks each signature, answers as it is told."""
import hashlib
import hmac
import json
import ssl
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .ports import LOOPBACK, free_port
from .waiting import until

# A message that is older than this may be one that somebody overheard.
OLDEST_SECONDS = 300


def signed(secret, header, body, now=None):
    """Whether a body was sent by who knows the secret, not long ago: as docs/api.md describes it."""
    parts = dict(part.split("=", 1) for part in header.split(","))
    mac = hmac.new(secret.encode(), parts["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
    age = abs((time.time() if now is None else now) - int(parts["t"]))
    return hmac.compare_digest(mac, parts["v1"]) and age <= OLDEST_SECONDS


@dataclass
class Message:
    """One request."""

    path: str
    headers: dict
    body: bytes
    at: float

    @property
    def event(self):
        return json.loads(self.body)

    @property
    def type(self):
        return self.event["type"]


class Receiver:
    """Listens on one port of loopback; can go down and come up again there."""

    def __init__(self, certificate=None):
        self.port = free_port()
        self.certificate = certificate
        self.messages = []
        # What is answered: (status, headers), for each request anew; None hangs up without a word.
        self.answer = lambda message: (204, {})
        self.server = None
        self.up()

    @property
    def url(self):
        return f"http{'s' if self.certificate else ''}://{LOOPBACK}:{self.port}/hook"

    def up(self):
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                message = Message(self.path, headers, body, time.monotonic())
                receiver.messages.append(message)
                answer = receiver.answer(message)
                if answer is None:
                    self.close_connection = True
                    return
                status, more = answer
                self.send_response(status)
                for name, value in more.items():
                    self.send_header(name, value)
                if status != 204:
                    self.send_header("Content-Length", "5")
                self.end_headers()
                if status != 204:
                    self.wfile.write(b"heard")

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer((LOOPBACK, self.port), Handler)
        if self.certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def down(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.down()

    def of(self, *kinds):
        return [one for one in list(self.messages) if one.type in kinds]

    def wait(self, kind, count=1, seconds=10, tail=lambda: ""):
        return until(lambda: self.of(kind) if len(self.of(kind)) >= count else None, seconds, f"{count} of {kind}",
                     lambda: f"{[one.type for one in self.messages]}\n{tail()}", every=0.02)
