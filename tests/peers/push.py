"""A Web Push service of the tests' own, and the browsers that subscribed there: it checks who sends (RFC 8292) and opens what
it was sent with the browser's key (RFC 8291, RFC 8188), by Python's cryptography and nothing of ours."""
import base64
import json
import os
import time

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from .ports import LOOPBACK
from .receiver import Receiver
from .waiting import until

DAY = 86_400


def written(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def read(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def point(key):
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def derived(salt, key, info, length):
    return HKDF(hashes.SHA256(), length, salt, info).derive(key)


class PushService(Receiver):
    """Receives by https; knows nothing of what it carries."""

    def __init__(self, certificate):
        super().__init__(certificate)
        # RFC 8030 5: 201.
        self.answer = lambda message: (201, {})

    @property
    def origin(self):
        return f"https://{LOOPBACK}:{self.port}"

    def for_app(self, app):
        return [one for one in list(self.messages) if one.path == app.path]


class App:
    """A browser's subscription."""

    def __init__(self, service):
        self.service = service
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.auth = os.urandom(16)
        self.path = f"/push/{written(os.urandom(16))}"

    @property
    def subscription(self):
        """As `PushSubscription.toJSON()` gives it."""
        keys = {"p256dh": written(point(self.key.public_key())), "auth": written(self.auth)}
        return {"endpoint": self.service.origin + self.path, "expirationTime": None, "keys": keys}

    def text(self, body):
        """What was sent, as it was."""
        salt, size, length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
        assert len(body) <= size == 4096
        sender, record = body[21 : 21 + length], body[21 + length :]
        shared = self.key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender))
        info = b"WebPush: info\0" + point(self.key.public_key()) + sender
        key = derived(self.auth, shared, info, 32)
        content = derived(salt, key, b"Content-Encoding: aes128gcm\0", 16)
        nonce = derived(salt, key, b"Content-Encoding: nonce\0", 12)
        text = AESGCM(content).decrypt(nonce, record, None)
        assert text.rstrip(b"\0")[-1] == 2, "the delimiter of the last record"
        return text.rstrip(b"\0")[:-1].decode()

    def open(self, body):
        """What was sent, where it is JSON."""
        return json.loads(self.text(body))

    def told(self):
        return [self.open(one.body) for one in self.service.for_app(self)]

    def wait(self, count, seconds=10, tail=lambda: ""):
        return until(lambda: self.told() if len(self.told()) >= count else None, seconds, f"{count} pushes",
                     lambda: f"{self.told()}\n{tail()}", every=0.02)


def prove(message, origin, key):
    """Whether a request proves who sends it: an ES256 token for this push service, by the key that browsers were given.
    Returns its claims."""
    scheme, fields = message.headers["authorization"].split(" ", 1)
    assert scheme == "vapid"
    fields = dict(field.strip().split("=", 1) for field in fields.split(","))
    assert fields["k"] == key
    signed, signature = fields["t"].rsplit(".", 1)
    head, claims = (json.loads(read(part)) for part in signed.split("."))
    assert head == {"typ": "JWT", "alg": "ES256"}
    raw = read(signature)
    assert len(raw) == 64
    pair = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), read(key))
    public.verify(pair, signed.encode(), ec.ECDSA(hashes.SHA256()))
    assert claims["aud"] == origin and time.time() < claims["exp"] <= time.time() + DAY
    return claims
