#!/usr/bin/python3
"""The second reader: opens a keystore's folders as Keystore/FORMAT.md says, and nothing else says.

    read.py DATA STATE --machine-id 32-DIGITS|none|unreadable|/etc/machine-id [--root-uuid UUID]
            [--partition-uuid UUID] [--disk-serial SERIAL] [--pin PIN] [--now UNIX] [--at UNIX]

It prints the layer at which it stops (FORMAT.md §13), and writes nothing: it counts no attempt.
It is a tool to prove a format with. It takes a PIN as an argument and keeps secrets in memory.
"""
import argparse
import hmac
import itertools
import os
import stat
import struct
import sys
import time
import unicodedata

import counted
from primitives import (
    DISK_SERIAL, H, KDF, MACHINE_ID, PARTITION_UUID, ROOT_UUID, Device, argon2id, binding_of, decrypt,
    log_subkeys, otp, unlock_keys, x25519_public)

ALGORITHMS = {1: "SHA1", 2: "SHA256", 3: "SHA512"}


class Stop(Exception):
    """Where reading ends."""

    def __init__(self, layer, reason):
        super().__init__(f"{layer}: {reason}")
        self.layer, self.reason = layer, reason


def require(condition, layer, reason):
    if not condition:
        raise Stop(layer, reason)


# Files and folders, FORMAT.md §1.

def check_folder(path):
    info = os.lstat(path)
    require(stat.S_ISDIR(info.st_mode), "refused", f"{path} is no folder")
    require(info.st_uid == os.geteuid(), "refused", f"{path} is another user's")
    require(info.st_mode & 0o077 == 0, "refused", f"{path} is open to others")


def read_file(folder, name):
    """The bytes of a private file, or None where there is none."""
    path = os.path.join(folder, name)
    try:
        info = os.lstat(path)
    except FileNotFoundError:
        return None
    require(stat.S_ISREG(info.st_mode), "refused", f"{name} is no plain file")
    require(info.st_uid == os.geteuid(), "refused", f"{name} is another user's")
    require(info.st_mode & 0o077 == 0, "refused", f"{name} is open to others")
    with open(path, "rb") as file:
        return file.read()


def same(left, right):
    return hmac.compare_digest(left, right)


def padded_length(content_length):
    return max(1, -(-content_length // 2048)) * 2048


class Fields:
    """Reads fields from the front."""

    def __init__(self, content, layer):
        self.content, self.position, self.layer = content, 0, layer

    def take(self, count):
        require(self.position + count <= len(self.content), self.layer, "a field is cut")
        self.position += count
        return self.content[self.position - count:self.position]

    def number(self, count, signed=False):
        return int.from_bytes(self.take(count), "big", signed=signed)

    def bounded(self, count, allowed, what):
        value = self.number(count)
        require(value in allowed, self.layer, what)
        return value

    def string(self, shortest, longest, what):
        raw = self.take(self.number(1))
        require(shortest <= len(raw) <= longest, self.layer, what)
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            raise Stop(self.layer, what) from None
        require(all(map(is_acceptable, text)), self.layer, what)
        return text

    @property
    def rest(self):
        return self.content[self.position:]


def is_acceptable(character):
    """CONTRACT §1, Text: no control, line separator, bidirectional control or noncharacter."""
    code = ord(character)
    if unicodedata.category(character) in ("Cc", "Zl", "Zp"):
        return False
    if code in (0x061C, 0x200E, 0x200F) or 0x202A <= code <= 0x202E or 0x2066 <= code <= 0x2069:
        return False
    return not (0xFDD0 <= code <= 0xFDEF or code & 0xFFFE == 0xFFFE)


# §3, §4

def read_key(folder, name, magic):
    """(present, key or None)"""
    content = read_file(folder, name)
    if content is None:
        return False, None
    whole = len(content) == 56 and content[:8] == magic and H(16, content[:40]) == content[40:]
    return True, content[8:40] if whole else None


def read_share(state, device, handle):
    """The share itself, or where in the chip it lies: what the header asks for. `handle`: of the pair,
    or None with protector 1."""
    content = read_file(state, "device-share")
    require(content is not None, "damaged", "device-share is missing")
    try:
        file = counted.ShareFile(content, device)
    except ValueError as error:
        raise Stop("damaged", f"device-share: {error}") from None
    found = file.share if handle is None else file.pair(handle)
    require(found is not None, "damaged", "device-share lacks what the header asks for")
    return found


# §5

class Keystore:
    def __init__(self, content):
        require(4096 <= len(content) <= 16 << 20 and content[:8] == b"ST-KEYS1"
                and H(32, content[:-64]) == content[-64:-32], "damaged", "keystore, checksum")
        self.content = content
        # What it asks for is judged with the MAC; until then only these bits can be asked for.
        self.bindings = (content[9] != 0) | content[10] & 0x0E
        self.device_name = content[40:56]

    def verify(self, device):
        content = self.content
        require(same(H(32, content[:-32], key=device.keystore), content[-32:]),
                "damaged", "keystore, MAC")
        fields = Fields(content[:96], "damaged")
        fields.take(8)
        is_chip = fields.bounded(1, {1, 2}, "protector") == 2
        fields.bounded(1, {0, 1}, "bound")
        bits = fields.number(1)
        require(bits & ~0x8E == 0, "damaged", "bits")
        self.seals_parameters = bits & 0x80 != 0
        fields.bounded(1, {0} if is_chip else range(7), "why no chip")
        self.operations = fields.bounded(4, range(3, 13), "ops")
        self.memory = fields.bounded(8, range(268_435_456, 1_073_741_824 + 1), "memory")
        self.salt = fields.take(16)
        fields.take(16)
        self.id = fields.take(16)
        self.generation = fields.bounded(8, range(1, 2**63 + 1), "generation")
        public = fields.bounded(4, range(2048, 262_144 + 1, 2048), "public section")
        box = fields.bounded(4, range(16 + 2048, 8_388_624 + 1, 2048), "metadata")
        self.slot_count = fields.bounded(4, range(8, 16_384 + 1, 8), "slots")
        handle = fields.bounded(4, counted.HANDLES if is_chip else {0}, "handle")
        self.handle = handle if is_chip else None
        lengths = (96, 32, 24, 48, public, 24, box, 112 * self.slot_count, 32, 32)
        require(sum(lengths) == len(content), "damaged", "length")
        parts, start = [], 0
        for length in lengths:
            parts.append(content[start:start + length])
            start += length
        (header, self.commitment, self.wrapped_nonce, self.wrapped, public_bytes,
         self.metadata_nonce, self.metadata_box, self.slots, _, _) = parts
        self.header_hash = H(32, header, public_bytes)
        self.read_public(public_bytes)

    def read_public(self, content):
        fields = Fields(content, "damaged")
        read_policy(fields)
        self.records = []
        for _ in range(fields.bounded(1, range(65), "prescribing records")):
            record = fields.take(fields.bounded(2, range(1, 2049), "prescribing record"))
            require(all(0x21 <= byte <= 0x7E for byte in record), "damaged", "record's text")
            self.records.append(record)
        self.issuer_tags = [fields.take(32) for _ in range(fields.number(1))]
        require(self.issuer_tags == sorted(set(self.issuer_tags)), "damaged", "order of issuer tags")
        self.name_tags = None
        end = fields.position
        if fields.rest and fields.bounded(1, {0, 1}, "more") == 1:
            self.name_tags = [fields.take(32) for _ in self.issuer_tags]
            read_policy(fields)
            fields.bounded(1, {0, 1}, "unsigned")
            end = fields.position
        require(not any(fields.rest) and len(content) == padded_length(end),
                "damaged", "padding of the public section")

    def pin_key(self, pin):
        return argon2id(pin.encode(), self.salt, self.operations, self.memory)

    def unlock(self, pin, share, device, chip=None):
        """`share` is a pair with protector 2; `chip(pair, PINKey)` then yields the share."""
        pin_key = self.pin_key(pin)
        if self.handle is not None:
            share = chip(share, pin_key)
            require(share is not None, "wrong-pin", "the chip gives no share")
        key, commitment = unlock_keys(pin_key, share, device.binding, self.header_hash)
        require(same(commitment, self.commitment), "wrong-pin", "commitment")
        self.key = decrypt(key, self.wrapped_nonce, self.wrapped, self.header_hash)
        require(self.key is not None, "damaged-inside", "wrapped key")
        metadata = decrypt(KDF(self.key, 0, "stmetada"), self.metadata_nonce, self.metadata_box,
                           self.header_hash)
        require(metadata is not None, "damaged-inside", "metadata")
        self.read_metadata(metadata)
        require(sorted(device.issuer_tag(x) for x, _ in self.issuers) == self.issuer_tags,
                "damaged-inside", "issuer tags")
        named = {device.issuer_tag(x): device.name_tag(x, name) for x, name in self.issuers}
        require(self.name_tags in (None, [named[tag] for tag in self.issuer_tags]),
                "damaged-inside", "name tags")

    def read_metadata(self, padded):
        outer = Fields(padded, "damaged-inside")
        fields = Fields(outer.take(outer.number(4)), "damaged-inside")
        require(not any(outer.rest) and len(padded) == padded_length(outer.position),
                "damaged-inside", "padding of the metadata")
        count = fields.number(4)
        require(count <= self.slot_count, "damaged-inside", "number of tokens")
        self.tokens = [Token(fields, self.slot_count) for _ in range(count)]
        self.issuers = [
            (fields.take(32), fields.string(1, 64, "issuer's name").encode())
            for _ in range(fields.number(1))]
        self.used_links = fields.bounded(8, range(1, 2**63 + 1), "used links") if fields.rest else 0
        require(not fields.rest, "damaged-inside", "bytes after the last field")
        for what, values in (
                ("id", [token.id for token in self.tokens]),
                ("slot", [token.slot for token in self.tokens]),
                ("name", [unicodedata.normalize("NFC", token.name) for token in self.tokens]),
                ("issuer", [x for x, _ in self.issuers])):
            require(len(set(values)) == len(values), "damaged-inside", f"{what} twice")

    def seed(self, token):
        """None where the slot is damaged."""
        slot = self.slots[112 * token.slot:112 * (token.slot + 1)]
        label = b"softtoken-seed-2" if self.seals_parameters else b"softtoken-seed-1"
        parameters = token.parameters if self.seals_parameters else b""
        plain = decrypt(KDF(self.key, token.id, "stseedk1"), slot[:24], slot[24:],
                        label + self.id + struct.pack(">Q", token.id) + parameters)
        if plain is None or not 1 <= plain[0] <= 64 or any(plain[1 + plain[0]:]):
            return None
        return plain[1:1 + plain[0]]


def read_policy(fields):
    fields.bounded(1, {0, *range(3, 11)}, "attempts")
    fields.bounded(2, {0, *range(30, 901)}, "session")
    fields.bounded(1, {0, 1, 2}, "separation")


class Token:
    def __init__(self, fields, slot_count):
        self.id = fields.number(8)
        require(self.id != 0, fields.layer, "id 0")
        self.slot = fields.number(4)
        require(self.slot < slot_count, fields.layer, "slot")
        self.activated, self.pending, self.expires = (
            fields.number(8, signed=True) for _ in range(3))
        kind = fields.bounded(1, {1, 2}, "type")
        self.type = {1: "totp", 2: "hotp"}[kind]
        allowed = range(1, 301) if self.type == "totp" else range(2**53 + 1)
        self.factor = fields.bounded(8, allowed, "time step or counter")
        algorithm = fields.bounded(1, ALGORITHMS, "algorithm")
        self.algorithm = ALGORITHMS[algorithm]
        self.digits = fields.bounded(1, {6, 7, 8}, "digits")
        step = self.factor if self.type == "totp" else 0
        self.parameters = struct.pack(">BQBB", kind, step, algorithm, self.digits)
        fields.bounded(1, {1, 2}, "origin")
        warnings = fields.bounded(1, {*range(4), *range(8, 12)}, "warnings")
        self.is_counter_known = warnings < 8
        require(self.is_counter_known or self.type == "hotp", fields.layer, "counter unknown")
        read_policy(fields)
        self.name = fields.string(1, 64, "name")
        self.issuer = fields.string(0, 255, "issuer")
        self.account = fields.string(0, 255, "account")
        self.serial = fields.string(0, 64, "serial")

    def line(self, seed, at):
        """As a vector's `token` says it."""
        code = "-"
        if seed is not None and self.type == "totp":
            code = otp(seed, self.algorithm, self.digits, at // self.factor)
        elif seed is not None and self.factor < 2**53 and self.is_counter_known:
            code = otp(seed, self.algorithm, self.digits, self.factor)
        return "|".join((self.name, self.type, self.algorithm, str(self.digits),
                         str(self.factor), code))


# §6

def read_attempts(folder, device):
    """(generation, count, limit, content, vouched), or None where the copy is missing or altered."""
    content = read_file(folder, "attempts")
    if content is None or len(content) != 112:
        return None
    if not same(H(32, content[:80], key=device.attempts), content[80:]):
        return None
    if content[:8] != b"ST-TRYS1" or content[8:24] != device.name:
        return None
    generation, keystore, count, limit, delay, vouched = struct.unpack(">QQBBBB", content[24:44])
    start = content[48:80]
    whole = (1 <= generation <= 2**63 and 1 <= keystore <= 2**63 and 1 <= limit <= 10
             and count <= limit and delay == (1 if count >= 5 else 0)
             and vouched <= 1 and not any(content[44:48]) and (delay or not any(start)))
    return (generation, count, limit, content, vouched) if whole else None


def judge_attempts(state, data, head, device):
    """(count, limit, attempts left), or None when both are lost. `head`: as `readlog.vouched` says."""
    if state is None and data is None:
        return None
    if state is None or data is None:
        newest, is_altered = state or data, True
    else:
        newest = max(state, data, key=lambda copy: copy[0])
        is_altered = state[0] == data[0] and state[3] != data[3]
    generation, count, limit, _, vouched = newest
    if head and head.limit and head.device != device.name and vouched:
        return None
    is_older = head is not None and generation < head.attempts
    if is_older and head.limit and head.count >= head.limit:
        return head.count, head.limit, 0
    is_altered = (is_altered or is_older or bool(head and head.is_gone)
                  or bool(vouched) and (head is None or head.attempts == 0))
    return count, limit, 1 if is_altered else limit - count


# §8, §9, §12

def read_tombstone(state, bindings):
    """The device name of an authentic tombstone of this machine, or None."""
    content = read_file(state, "erased")
    if content is None:
        return None
    _, log_key = read_key(state, "log-key", b"ST-LKEY1")
    if log_key is None or len(content) != 64 or content[:8] != b"ST-ERAS1":
        return None
    for binding in bindings:
        if same(H(32, content[:32], binding, key=log_subkeys(log_key).tombstone), content[32:]):
            return content[8:24]
    return None


def read_attestation(state, device, keystore_id):
    content = read_file(state, "attestation")
    if (content is None or len(content) != 80 or content[:8] != b"ST-ATST1"
            or content[8:24] != device.name or content[24:40] != keystore_id
            or not same(H(32, content[:48], key=device.attestation), content[48:])):
        return None
    return struct.unpack(">q", content[40:48])[0]


def read_request(state, now):
    """The public key of a living request, or None."""
    content = read_file(state, "request")
    if (content is None or len(content) != 64 or content[:8] != b"ST-REQU1"
            or H(16, content[:48]) != content[48:]):
        return None
    created = struct.unpack(">q", content[8:16])[0]
    if not 0 <= created <= now <= created + 14 * 86400:
        return None
    return x25519_public(content[16:48]).hex()


# §5, "Opening, in order"

class Result:
    def __init__(self, layer, reason=""):
        self.layer, self.reason = layer, reason
        self.attempts_left = self.attested = self.request = None
        self.tokens, self.used_links = [], 0


def examine(data, state, machine, pin=None, now=0, at=1111111109, chip=None):
    """`machine`: {bit: text}, the machine-id's text also "none" or "unreadable"; `chip(pair, PINKey)`:
    the share that a chip gives, or None."""
    result = Result("locked")
    try:
        check_folder(data)
        check_folder(state)
        result.request = read_request(state, now)
        open_keystore(result, data, state, machine, pin, at, chip)
    except Stop as stop:
        result.layer, result.reason = stop.layer, stop.reason
    return result


def open_keystore(result, data, state, machine, pin, at, chip):
    machine = {bit: text for bit, text in machine.items() if text not in ("none", "unreadable")}
    # A tombstone doesn't say what its keystore was bound to.
    bindings = [binding_of({bit: machine[bit] for bit in bits})
                for count in range(len(machine) + 1)
                for bits in itertools.combinations(sorted(machine), count)]
    content = read_file(data, "keystore")
    if content is None:
        raise without_keystore(data, state, bindings)
    keystore = Keystore(content)
    is_present, key = read_key(state, "device-key", b"ST-DKEY1")
    require(is_present, "foreign", "device-key is missing")
    require(key is not None, "damaged", "device-key")
    bits = [1 << shift for shift in range(4) if keystore.bindings & 1 << shift]
    require(set(bits) <= set(machine), "failed", "what it is bound to can't be read")
    device = Device(key, binding_of({bit: machine[bit] for bit in bits}))
    require(device.name == keystore.device_name, "foreign", "device name")
    keystore.verify(device)
    require(read_tombstone(state, bindings) != device.name, "erasing", "the tombstone names it")
    import readlog  # which reads files as this module does
    head = readlog.vouched(state)
    standing = judge_attempts(read_attempts(state, device), read_attempts(data, device),
                              head, device)
    require(standing is not None, "attempts", "both records are lost")
    count, limit, result.attempts_left = standing
    require(count < limit, "erasing", "records at their limit")
    share = read_share(state, device, keystore.handle)
    result.attested = read_attestation(state, device, keystore.id)
    if pin is None:
        return
    keystore.unlock(pin, share, device, chip)
    seeds = [keystore.seed(token) for token in keystore.tokens]
    result.used_links = keystore.used_links
    result.tokens = [
        token.line(seed, at) for token, seed in zip(keystore.tokens, seeds, strict=True)]
    result.layer = "damaged-seed" if None in seeds else "opens"


def machine_of(machine_id, root_uuid=None, partition_uuid=None, disk_serial=None):
    """What a machine has, without what is None."""
    values = {MACHINE_ID: machine_id, ROOT_UUID: root_uuid, PARTITION_UUID: partition_uuid,
              DISK_SERIAL: disk_serial}
    return {bit: text for bit, text in values.items() if text is not None}


def without_keystore(data, state, bindings):
    import readlog  # which reads files as this module does
    tombstone = read_tombstone(state, bindings)
    is_present, key = read_key(state, "device-key", b"ST-DKEY1")
    if key is not None:
        for binding in bindings:
            device = Device(key, binding)
            standing = judge_attempts(read_attempts(state, device), read_attempts(data, device),
                                      readlog.vouched(state), device)
            if tombstone == device.name or standing and standing[0] >= standing[1]:
                return Stop("erasing", "no keystore, and an erasure that was cut")
    elif tombstone is not None:
        left = [os.path.lexists(os.path.join(folder, name)) for folder, name in (
            (state, "device-share"), (state, "attempts"), (data, "attempts"))]
        if is_present or any(left):
            return Stop("erasing", "tombstone, and what is left")
    if tombstone is not None:
        return Stop("erased", "tombstone")
    return Stop("none", "no keystore")


def main():
    parser = argparse.ArgumentParser(description="Opens a keystore from FORMAT.md alone.")
    parser.add_argument("data")
    parser.add_argument("state")
    parser.add_argument("--machine-id", default="/etc/machine-id")
    parser.add_argument("--root-uuid")
    parser.add_argument("--partition-uuid")
    parser.add_argument("--disk-serial")
    parser.add_argument("--pin")
    parser.add_argument("--now", type=int, default=int(time.time()))
    parser.add_argument("--at", type=int, default=1111111109)
    options = parser.parse_args()
    machine_id = options.machine_id
    if machine_id.startswith("/"):
        with open(machine_id, encoding="ascii") as file:
            machine_id = file.read().strip()
    machine = machine_of(machine_id, options.root_uuid, options.partition_uuid,
                         options.disk_serial)
    result = examine(options.data, options.state, machine, options.pin, options.now, options.at)
    print(f"layer: {result.layer}")
    if result.reason:
        print(f"reason: {result.reason}", file=sys.stderr)
    for name, value in (("attempts-left", result.attempts_left), ("attested", result.attested)):
        if value is not None:
            print(f"{name}: {value}")
    for token in result.tokens:
        print(f"token: {token}")


if __name__ == "__main__":
    main()
