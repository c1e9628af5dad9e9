"""A client of the HTTP API: a browser's session, a program's token, or nobody."""
import http.client
import json
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

PREFIX = "/api/v1"
REPOSITORY = Path(__file__).resolve().parents[2]
SECONDS = 15


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict
    body: bytes = b""

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def etag(self):
        return self.headers.get("etag")

    def must(self, status):
        assert self.status == status, f"{self.status} instead of {status}: {self.body[:500]!r}"
        return self


@dataclass
class Client:
    """Talks to one exchange; keeps the cookie and sends what proves that a page of ours asks."""

    host: str
    cookie: str = ""
    csrf: str = ""
    token: str = ""
    extra: dict = field(default_factory=dict)

    def send(self, method, path, body=None, headers=(), raw=None, seconds=SECONDS):
        sent = dict(self.extra)
        if self.cookie:
            sent["Cookie"] = self.cookie
        if self.csrf and method not in ("GET", "HEAD"):
            sent["X-Ringdown-CSRF"] = self.csrf
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            raw = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        sent.update(dict(headers))
        connection = http.client.HTTPConnection(self.host, timeout=seconds)
        try:
            connection.request(method, path, body=raw, headers=sent)
            answer = connection.getresponse()
            told = {name.lower(): value for name, value in answer.getheaders()}
            whole = b"" if told.get("content-type", "").startswith("text/event-stream") else answer.read()
            return Answer(answer.status, told, whole)
        finally:
            connection.close()

    def ask(self, method, path, body=None, headers=(), **more):
        """An operation of the API."""
        return self.send(method, PREFIX + path, body, headers, **more)

    def get(self, path, **more):
        return self.ask("GET", path, **more)

    def post(self, path, body=None, headers=(), **more):
        return self.ask("POST", path, {} if body is None else body, headers, **more)

    def edit(self, method, path, body=None):
        """Reads, and changes what was read."""
        seen = self.get(path).must(200)
        return self.ask(method, path, body, {"If-Match": seen.etag} if seen.etag else {})

    def take(self, answer):
        """Keeps the session that an answer opened."""
        self.cookie = answer.headers["set-cookie"].split(";")[0]
        self.csrf = self.get("/session").must(200).json["csrf"]
        return self

    def sign_in(self, name, password):
        return self.take(self.post("/session", {"name": name, "password": password}).must(201))

    def enter(self, link):
        """Opens a one-time link, given as a path or a whole address."""
        return self.take(self.send("GET", urlsplit(link).path).must(303))

    def stranger(self):
        return Client(self.host)

    def program(self, scopes, **more):
        """A client with a token of ours."""
        made = self.post("/tokens", {"name": "test", "scopes": list(scopes), **more}).must(201).json
        return Client(self.host, token=made["secret"])


def administrator(exchange):
    """The first start's one-time link, used."""
    lines = (exchange.folder / "stdout.txt").read_text().splitlines()
    link = next(line for line in lines if line.startswith("administrator")).split()[-1]
    return Client(exchange.ready["http"]).enter(link)


def described():
    """`docs/openapi.json`: (method, path, operation) of each operation, and the whole."""
    whole = json.loads((REPOSITORY / "docs" / "openapi.json").read_text())
    operations = [
        (method.upper(), path.removeprefix(PREFIX), operation)
        for path, methods in whole["paths"].items()
        for method, operation in methods.items()
    ]
    return operations, whole


def filled(path, values):
    """A path with its names filled in."""
    for name, value in values.items():
        path = path.replace("{" + name + "}", quote(value, safe=""))
    return path
