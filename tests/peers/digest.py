"""Digest answers (RFC 7616; MD5 as in RFC 2617), independent of the exchange's own."""
import hashlib
import os
import re

HASHES = {"md5": hashlib.md5, "sha-256": hashlib.sha256}


def challenge_fields(value):
    """The parameters of a WWW-Authenticate or Proxy-Authenticate value; names in lower case."""
    scheme, _, rest = value.partition(" ")
    assert scheme.lower() == "digest", f"not a Digest challenge: {value}"
    found = re.findall(r'([a-zA-Z-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))', rest)
    return {name.lower(): quoted or bare for name, quoted, bare in found}


def answer(challenge, method, uri, user, secret, count=1, cnonce=None):
    """The value of Authorization for one challenge value."""
    asked = challenge_fields(challenge)
    algorithm = asked.get("algorithm", "MD5")
    digest = HASHES[algorithm.lower()]

    def hashed(text):
        return digest(text.encode()).hexdigest()

    cnonce = cnonce or os.urandom(8).hex()
    realm, nonce = asked["realm"], asked["nonce"]
    ha1, ha2 = hashed(f"{user}:{realm}:{secret}"), hashed(f"{method}:{uri}")
    fields = [f'username="{user}"', f'realm="{realm}"', f'nonce="{nonce}"', f'uri="{uri}"']
    if "auth" in asked.get("qop", "").replace(" ", "").split(","):
        nc = f"{count:08x}"
        response = hashed(f"{ha1}:{nonce}:{nc}:{cnonce}:auth:{ha2}")
        fields += ["qop=auth", f"nc={nc}", f'cnonce="{cnonce}"']
    else:
        response = hashed(f"{ha1}:{nonce}:{ha2}")
    fields.append(f'response="{response}"')
    if "algorithm" in asked:
        fields.append(f"algorithm={algorithm}")
    if "opaque" in asked:
        fields.append(f'opaque="{asked["opaque"]}"')
    return "Digest " + ", ".join(fields)
