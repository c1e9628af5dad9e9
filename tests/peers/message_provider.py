"""A stand-in for a provider of text messages: real HTTP, each message once by its key, down and up again when told."""
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .ports import LOOPBACK, free_port


class MessageProvider:
    """What was asked, and what was sent: one message a key, however often it is asked for."""

    def __init__(self):
        self.port = free_port()
        self.lock = threading.Lock()
        # (headers, value) of each request.
        self.asked = []
        # key: value
        self.sent = {}
        # The status of the next answers; a request that is refused sends nothing.
        self.status = 202
        # Whether the answer gets lost after the message was sent.
        self.hangs_up = False
        self.server = None

    @property
    def url(self):
        return f"http://{LOOPBACK}:{self.port}/v1/messages"

    def up(self):
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_POST(self):
                value = json.loads(self.rfile.read(int(self.headers["content-length"])))
                with provider.lock:
                    provider.asked.append((dict(self.headers), value))
                    if provider.status < 300:
                        provider.sent.setdefault(self.headers["idempotency-key"], value)
                    status, hangs_up = provider.status, provider.hangs_up
                if hangs_up:
                    self.close_connection = True
                    return
                body = json.dumps({"id": f"m-{len(provider.sent)}"}).encode()
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self.server = ThreadingHTTPServer((LOOPBACK, self.port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def down(self):
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.down()
