"""A web server with files: ETag, Range, PUT by a token, and the faults that a test wants."""
import hashlib
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import PurePosixPath

from .ports import LOOPBACK, free_port


class WebFiles:
    """Serves and takes the files of a folder. `faults` has by path what is answered instead, once for each entry:
    a location to be sent on to, or a number of octets after which the connection breaks."""

    def __init__(self, folder, certificate=None, token=None):
        self.folder, self.certificate, self.token = folder, certificate, token
        self.port = free_port()
        self.asked = []
        self.faults = {}
        self.weak = False
        self._server = ThreadingHTTPServer((LOOPBACK, self.port), self._handler())
        self._server.daemon_threads = True
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http{'s' if self.certificate else ''}://{LOOPBACK}:{self.port}"

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def _handler(files):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def path_of(self):
                path = PurePosixPath(self.path.split("?")[0].lstrip("/"))
                assert ".." not in path.parts
                return files.folder / path

            def may(self):
                files.asked.append((self.command, self.path, self.headers))
                if files.token and self.headers.get("Authorization") != f"Bearer {files.token}":
                    self.tell(401)
                    return False
                return True

            def tell(self, status, body=b"", **headers):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                if status != 304:
                    self.send_header("Content-Length", len(body))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                if not self.may():
                    return
                fault = (files.faults.get(self.path) or [None]).pop(0)
                if isinstance(fault, str):
                    self.tell(302, Location=fault)
                    return
                if not self.path_of().is_file():
                    self.tell(404)
                    return
                body = self.path_of().read_bytes()
                tag = ("W/" if files.weak else "") + f'"{hashlib.sha256(body).hexdigest()[:16]}"'
                if self.headers.get("If-None-Match") == tag:
                    self.tell(304, ETag=tag)
                    return
                asked = self.headers.get("Range") if self.headers.get("If-Range") == tag else None
                first = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
                if fault is None:
                    if first:
                        self.tell(206, body[first:], ETag=tag, Content_Range=f"bytes {first}-{len(body) - 1}/{len(body)}")
                    else:
                        self.tell(200, body, ETag=tag)
                    return
                self.send_response(200)
                self.send_header("ETag", tag)
                self.send_header("Content-Length", len(body))
                self.end_headers()
                self.wfile.write(body[:fault])
                self.wfile.flush()
                self.close_connection = True

            def do_PUT(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.may():
                    # At once: whoever looks sees a file or none, never half of one.
                    self.path_of().with_suffix(".part").write_bytes(body)
                    self.path_of().with_suffix(".part").replace(self.path_of())
                    self.tell(204)

            def log_message(self, *_):
                pass

        return Handler
