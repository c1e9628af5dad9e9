"""SIP messages as a test wants them: read tolerantly, written exactly as told.

This is a second, independent reading of RFC 3261. It must never be shared with the exchange: a fault
in one parser should not hide in the other.
"""
import re

COMPACT = {
    "i": "call-id", "m": "contact", "e": "content-encoding", "l": "content-length", "c": "content-type",
    "f": "from", "s": "subject", "k": "supported", "t": "to", "v": "via", "x": "session-expires",
    "o": "event", "r": "refer-to", "b": "referred-by", "u": "allow-events",
}
# Headers of which several values may share a line.
LISTS = {"via", "route", "record-route", "contact", "path", "require", "supported", "allow"}


def full_name(name):
    name = name.strip().lower()
    return COMPACT.get(name, name)


class Message:
    """A start line, headers in order as (name, value), a body."""

    def __init__(self, start, headers, body=b""):
        self.start = start
        self.headers = list(headers)
        self.body = body.encode() if isinstance(body, str) else body

    @classmethod
    def parse(cls, data):
        head, _, body = data.partition(b"\r\n\r\n")
        lines = re.sub(r"\r\n[ \t]+", " ", head.decode("utf-8", "surrogateescape")).split("\r\n")
        headers = []
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if not colon:
                raise ValueError(f"not a header line: {line!r}")
            headers.append((name.strip(), value.strip()))
        message = cls(lines[0], headers, body)
        length = message.get("content-length")
        if length is not None:
            message.body = body[:int(length)]
        return message

    def bytes(self):
        """With a right Content-Length, unless a test wrote one itself."""
        headers = list(self.headers)
        if self.get("content-length") is None:
            headers.append(("Content-Length", str(len(self.body))))
        lines = [self.start, *(f"{name}: {value}" for name, value in headers), "", ""]
        return "\r\n".join(lines).encode("utf-8", "surrogateescape") + self.body

    def __str__(self):
        return self.bytes().decode("utf-8", "replace")

    def __repr__(self):
        return f"<{self.start} | {self.get('cseq')} | {self.get('call-id')}>"

    # ---- the start line

    @property
    def is_request(self):
        return not self.start.startswith("SIP/2.0 ")

    @property
    def method(self):
        """Of a request, or of the request that a response answers."""
        return self.start.split(" ")[0] if self.is_request else self.get("cseq").split()[1]

    @property
    def uri(self):
        return self.start.split(" ")[1]

    @property
    def status(self):
        return None if self.is_request else int(self.start.split(" ")[1])

    # ---- headers

    def all(self, name):
        """Every value, also where several stand on one line."""
        name = full_name(name)
        values = [value for key, value in self.headers if full_name(key) == name]
        if name in LISTS:
            values = [one for value in values for one in split_list(value)]
        return values

    def get(self, name):
        """The first value, or None."""
        name = full_name(name)
        return next((value for key, value in self.headers if full_name(key) == name), None)

    def only(self, name):
        """The one value; more or fewer fail the test."""
        values = self.all(name)
        assert len(values) == 1, f"{len(values)} {name} headers in\n{self}"
        return values[0]

    @property
    def branch(self):
        return parameter(self.all("via")[0], "branch")

    @property
    def to_tag(self):
        return parameter(self.get("to"), "tag")

    @property
    def from_tag(self):
        return parameter(self.get("from"), "tag")

    @property
    def cseq(self):
        return int(self.get("cseq").split()[0])

    @property
    def sdp(self):
        return self.body.decode("utf-8", "replace") if self.body else ""


def split_list(value):
    """Splits at commas outside quotes and angle brackets."""
    parts, depth, quoted, current = [], 0, False, ""
    previous = ""
    for letter in value:
        if letter == '"' and previous != "\\":
            quoted = not quoted
        elif not quoted and letter in "<>":
            depth += 1 if letter == "<" else -1
        if letter == "," and not quoted and not depth:
            parts.append(current.strip())
            current = ""
        else:
            current += letter
        previous = letter
    return [*parts, current.strip()]


def parameter(value, name):
    """A header parameter (outside the angle brackets), unquoted; None when absent."""
    outside = re.sub(r"<[^>]*>", "", re.sub(r'^\s*"(?:\\.|[^"\\])*"', "", value or ""))
    match = re.search(rf';\s*{name}\s*=\s*("[^"]*"|[^;,\s]+)', outside, re.IGNORECASE)
    return match.group(1).strip('"') if match else None


def address(value):
    """The URI of a From, To, Contact, Route ..."""
    match = re.search(r"<([^>]*)>", value)
    return match.group(1) if match else value.split(";")[0].strip()
