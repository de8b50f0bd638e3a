"""The notation of Keystore/FORMAT.md §1 and §2, with PyNaCl's low-level bindings and hashlib.

Written from FORMAT.md alone: nothing here was taken from the Swift code.
"""
import collections
import functools
import hashlib
import hmac
import struct

from nacl import bindings
from nacl.exceptions import CryptoError


def H(size, *parts, key=b""):
    """H(n, m) and H(n, key, m)."""
    return hashlib.blake2b(b"".join(parts), digest_size=size, key=key).digest()


def KDF(key, number, context):
    """libsodium's crypto_kdf_derive_from_key, 32 bytes."""
    return hashlib.blake2b(
        b"", digest_size=32, key=key, salt=struct.pack("<Q", number) + bytes(8),
        person=context.encode().ljust(16, b"\0")).digest()


def encrypt(key, nonce, plain, additional):
    return bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(plain, additional, nonce, key)


def decrypt(key, nonce, box, additional):
    """None if it doesn't open."""
    if len(box) < 16:
        return None
    try:
        return bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(box, additional, nonce, key)
    except CryptoError:
        return None


@functools.lru_cache(maxsize=None)
def argon2id(pin, salt, operations, memory_bytes):
    return bindings.crypto_pwhash_alg(
        32, pin, salt, operations, memory_bytes, bindings.crypto_pwhash_ALG_ARGON2ID13)


def x25519_public(secret):
    return bindings.crypto_scalarmult_base(secret)


# The bits of what a keystore can be bound to.
MACHINE_ID, ROOT_UUID, PARTITION_UUID, DISK_SERIAL = 1, 2, 4, 8


def binding_of(values):
    """The machine binding of {bit: text}."""
    if not values:
        return bytes(32)
    if set(values) == {MACHINE_ID}:
        return H(32, values[MACHINE_ID].lower().encode(), key=b"softtoken-machine-1")
    parts = (bytes([bit, len(values[bit])]) + values[bit].encode() for bit in sorted(values))
    return H(32, *parts, key=b"softtoken-machine-2")


class Device:
    """A device key under a machine binding."""

    def __init__(self, key, binding):
        self.key, self.binding = key, binding
        self.name = H(16, b"softtoken-device-1", binding, key=key)
        root = H(32, b"softtoken-device-keys-1", binding, key=key)
        self.keystore, self.attempts, self.share, self.attestation, self.issuers = (
            KDF(root, number, "stdevice") for number in (1, 2, 3, 4, 5))

    def issuer_tag(self, x):
        return H(32, x, key=self.issuers)

    def name_tag(self, x, name):
        return H(32, self.issuer_tag(x), name, key=self.issuers)


LogKeys = collections.namedtuple("LogKeys", "chain head used_links tombstone")


def log_subkeys(log_key):
    return LogKeys(*(KDF(log_key, number, "stlogkey") for number in (1, 2, 3, 4)))


def unlock_keys(pin_key, share, binding, header_hash):
    """unlock key, commitment."""
    both = H(64, b"softtoken-unlock-1", share, binding, header_hash, key=pin_key)
    return both[:32], both[32:]


def otp(seed, algorithm, digits, factor):
    """RFC 4226 §5.3 over hashlib's HMAC."""
    mac = hmac.new(seed, struct.pack(">Q", factor), algorithm.lower()).digest()
    offset = mac[-1] & 15
    number = struct.unpack(">I", mac[offset:offset + 4])[0] & 0x7FFFFFFF
    return str(number % 10 ** digits).zfill(digits)
