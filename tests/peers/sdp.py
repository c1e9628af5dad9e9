"""Writing and reading just enough SDP."""
import re
from dataclasses import dataclass, field

from .ports import LOOPBACK

STATIC = {0: "PCMU/8000", 8: "PCMA/8000", 9: "G722/8000"}
TELEPHONE_EVENT = (101, "telephone-event/8000")
PCMU, PCMA, G722, OPUS = (0, "PCMU/8000"), (8, "PCMA/8000"), (9, "G722/8000"), (111, "opus/48000/2")


def describe(port, codecs=(PCMU, TELEPHONE_EVENT), direction="sendrecv", version=1, address=LOOPBACK, extra=(), secret=False):
    """An offer or answer with one audio line. `codecs` are (payload type, name/rate). `secret`: under SRTP, with a key."""
    profile = "RTP/SAVP" if secret else "RTP/AVP"
    if secret:
        extra = (*extra, f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{'A' * 40}")
    lines = [
        "v=0",
        f"o=raw 4711 {version} IN IP4 {address}",
        "s=-",
        f"c=IN IP4 {address}",
        "t=0 0",
        f"m=audio {port} {profile} {' '.join(str(number) for number, _ in codecs)}",
        *(f"a=rtpmap:{number} {name}" for number, name in codecs),
        *(f"a=fmtp:{number} 0-15" for number, name in codecs if name.startswith("telephone-event")),
        "a=ptime:20",
        f"a={direction}",
        *extra,
        "",
    ]
    return "\r\n".join(lines)


@dataclass
class Audio:
    """The audio line of the other side."""

    address: str
    port: int
    types: list
    names: dict = field(default_factory=dict)
    direction: str = "sendrecv"
    origin: str = ""

    @property
    def codecs(self):
        """Codec names in order, telephone-event left out."""
        names = [self.names[one].split("/")[0] for one in self.types if one in self.names]
        return [name for name in names if name.lower() != "telephone-event"]

    def type_of(self, codec):
        return next((one for one in self.types if self.names.get(one, "").lower().startswith(codec.lower())), None)


def audio(text):
    """The first m=audio of a description; fails the test when there is none."""
    line = re.search(r"^m=audio (\d+) \S+ ([\d ]+)", text, re.MULTILINE)
    assert line, f"no m=audio in SDP:\n{text}"
    media = text[line.start():].split("\nm=", 1)[0]
    where = re.search(r"^c=IN IP[46] (\S+)", media, re.MULTILINE) or re.search(
        r"^c=IN IP[46] (\S+)", text, re.MULTILINE
    )
    types = [int(one) for one in line.group(2).split()]
    names = {one: STATIC[one] for one in types if one in STATIC}
    names |= {int(number): name for number, name in re.findall(r"^a=rtpmap:(\d+) (\S+)", media, re.MULTILINE)}
    direction = re.search(r"^a=(sendrecv|sendonly|recvonly|inactive)", media, re.MULTILINE) or re.search(
        r"^a=(sendrecv|sendonly|recvonly|inactive)", text, re.MULTILINE
    )
    origin = re.search(r"^o=(.*?)\r?$", text, re.MULTILINE)
    return Audio(
        where.group(1), int(line.group(1)), types, names,
        direction.group(1) if direction else "sendrecv", origin.group(1) if origin else "",
    )
