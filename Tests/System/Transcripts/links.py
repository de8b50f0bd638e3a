"""Signed links, prescribing records and requests, made from CONTRACT §4 and the FORMAT.md files
alone, with PyNaCl: an issuer that shares no code with the program.
"""
import base64
import functools
import hashlib
import json
import os
import struct
import time

from nacl import bindings as na

CODE = "7G3KQ-0ZMX1"
SEED = b"12345678901234567890"  # RFC 4226, appendix D


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def blake2b(data, size=32, key=b""):
    return hashlib.blake2b(data, digest_size=size, key=key).digest()


@functools.lru_cache
def _code_key(code, salt):
    return na.crypto_pwhash_alg(32, code.replace("-", "").encode(), salt, 2, 64 << 20,
                                na.crypto_pwhash_ALG_ARGON2ID13)


def spoken(digest):
    """What two people compare by telephone."""
    text = base64.b32encode(digest[:10]).decode()
    return "-".join(text[i:i + 4] for i in range(0, 16, 4))


class Issuer:
    """An issuer with a signing key."""

    def __init__(self, name="Example Token Authority"):
        self.name = name
        self.x, self.key = na.crypto_sign_seed_keypair(blake2b(name.encode()))

    @property
    def fingerprint(self):
        return spoken(blake2b(self.x))

    @property
    def file(self):
        return json.dumps({"name": self.name,
                           "jwk": {"kty": "OKP", "crv": "Ed25519", "x": b64(self.x)}})

    def link(self, seed=SEED, request=None, code=CODE, st=None, carrier="softtoken:activate#",
             key=None, **changes):
        """A link by code, or sealed to a request's device; `st` and `changes` replace members."""
        jti = os.urandom(16)
        now = int(time.time())
        if request is None:
            salt, nonce = blake2b(b"salt", 16), os.urandom(24)
            box = na.crypto_aead_xchacha20poly1305_ietf_encrypt(
                seed, b"softtoken-link-1\0" + self.x + jti, nonce, _code_key(code, salt))
            sealed = {"by": "code", "salt": b64(salt), "ops": 2, "mem": 64 << 20,
                      "nonce": b64(nonce), "box": b64(box)}
        else:
            public = unb64(request.split("#")[1])[1:33]
            sealed = {"by": "device", "box": b64(na.crypto_box_seal(self.x + jti + seed, public))}
        token = {"v": 1, "kind": "soft", "serial": "ST-0001", "type": "totp", "algorithm": "SHA1",
                 "digits": 6, "period": 30, "seed": sealed, **(st or {})}
        if token["type"] == "hotp":
            token.pop("period")
            token.setdefault("counter", 0)
        payload = {"iss": self.name, "sub": "dr.ann@example.org", "jti": b64(jti), "iat": now,
                   "exp": now + 86400, "st": token, **changes}
        head = {"alg": "EdDSA", "typ": "softtoken+jwt",
                "jwk": {"kty": "OKP", "crv": "Ed25519", "x": b64(self.x)}}
        signed = ".".join(b64(json.dumps(part).encode()) for part in (head, payload))
        signature = na.crypto_sign(signed.encode(), key or self.key)[:64]
        return carrier + signed + "." + b64(signature)


def record(identifiers, label="front desk", salt=None):
    """A prescribing record: Sources/Device/FORMAT.md §4. identifiers: (kind, bytes)."""
    salt = salt or os.urandom(16)
    entries = sorted({bytes([kind]) + blake2b(bytes([kind]) + value, key=salt)[:16]
                      for kind, value in identifiers})
    name = label.encode()
    body = struct.pack("BB", 1, len(name)) + name + salt + bytes([len(entries)]) + b"".join(entries)
    return "softtoken:prescribing#" + b64(body + blake2b(body)[:4])


def kinds(text):
    """The kinds of identifier that a record holds."""
    data = unb64(text.split("#")[1])
    start = 2 + data[1] + 16
    return [data[start + 1 + 17 * index] for index in range(data[start])]


def label(text):
    data = unb64(text.split("#")[1])
    return data[2:2 + data[1]].decode()


def verification(request):
    return spoken(blake2b(unb64(request.split("#")[1])[:33]))
