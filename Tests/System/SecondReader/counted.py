"""The chip's protector as Keystore/FORMAT.md §4 and §15 say: the pair of indices, its keys, and the file
that names it. Nothing here was taken from the Swift code.
"""
import collections
import hashlib
import struct

from primitives import H

HANDLES = range(0x01800000, 0x01C00000, 2)
WRITTEN = 0x20000000
SHARE_FILE = (b"ST-SHAR1", b"ST-SHAR2")

Pair = collections.namedtuple("Pair", "handle policy")


def odd(key):
    return key[:-1] + bytes([key[-1] | 1])


def gate_key(pin_key):
    return odd(H(32, b"softtoken-tpm-gate-1", key=pin_key))


def share_key(pin_key, limit):
    return odd(H(32, b"softtoken-tpm-share-1", limit, key=pin_key))


def name_of(area):
    return b"\0\x0b" + hashlib.sha256(area).digest()


def gate_area(pair, written=WRITTEN):
    return struct.pack(">IHIH32sH", pair.handle, 11, 0x02040088 | written, 32, pair.policy, 8)


def share_area(handle, written=WRITTEN):
    return struct.pack(">IHIHH", handle + 1, 11, 0x02040004 | written, 0, 32)


def policy_of(handle, share):
    """Of the gate at a handle, whose share holds these bytes."""
    asked = hashlib.sha256(share + bytes(4)).digest()
    return hashlib.sha256(
        bytes(32) + bytes.fromhex("00000149") + asked + name_of(share_area(handle))).digest()


def pair_of(handle, share):
    return Pair(handle, policy_of(handle, share))


class ShareFile:
    """A `device-share`; ValueError where it breaks a rule. Without a device its MAC is not asked for."""

    def __init__(self, content, device=None):
        body, mac = content[:-32], content[-32:]
        if device and (mac != H(32, body, key=device.share) or body[8:24] != device.name):
            raise ValueError("MAC or device name")
        self.share, self.primary, self.pairs = None, None, []
        if body[:8] == SHARE_FILE[0] and len(content) == 88:
            self.share = body[24:]
        elif body[:8] == SHARE_FILE[1] and len(body) in (91 + 36, 91 + 72):
            self.read_pairs(body)
        else:
            raise ValueError("magic or length")

    def read_pairs(self, body):
        self.primary, share, count = body[24:58], body[58:90], body[90]
        self.pairs = [Pair(*struct.unpack(">I32s", body[at:at + 36]))
                      for at in range(91, len(body), 36)]
        handles = [pair.handle for pair in self.pairs]
        if any(share):
            self.share = share
        if not (self.primary[:2] == b"\0\x0b" and count == len(self.pairs)
                and len(set(handles)) == count and all(handle in HANDLES for handle in handles)
                and (self.share is None or count == 1)):
            raise ValueError("a pair")

    def pair(self, handle):
        """The one at a handle; None where it isn't named."""
        return next((pair for pair in self.pairs if pair.handle == handle), None)
