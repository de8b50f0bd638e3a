"""The two folders read from the outside, as Keystore/FORMAT.md says, without the program.

The sweeps ask this reader what a cut or a failure left behind: it costs no Argon2id, because the
key that a PIN makes is kept for as long as the salt stays the same.
"""
import hashlib
import hmac
import json
import pathlib
import re
import struct

import nacl.bindings as sodium
import nacl.pwhash

DATA_FILES = ["keystore", "attempts"]
STATE_FILES = ["attempts", "device-key", "device-share", "attestation", "used-links", "log",
               "log-head", "log-key", "request", "lock", "erased"]
_pin_keys = {}


def hash_of(size, *parts, key=b""):
    return hashlib.blake2b(b"".join(parts), digest_size=size, key=key).digest()


def subkey(key, number, context):
    """crypto_kdf: FORMAT.md, section 1."""
    return hashlib.blake2b(b"", digest_size=32, key=key, salt=struct.pack("<Q", number) + bytes(8),
                           person=context + bytes(8)).digest()


def linked(folder, device):
    """The name in a folder of /dev/disk that leads to a device."""
    paths = pathlib.Path("/dev/disk", folder).iterdir()
    return next(path.name for path in paths if path.resolve().name == device).lower().encode()


def disk_serial(device):
    path = pathlib.Path("/sys/class/block", device).resolve()
    controller = next((part for part in path.parts if re.fullmatch("nvme[0-9]+", part)), None)
    if controller:
        return pathlib.Path("/sys/class/nvme", controller, "serial").read_bytes().strip().upper()
    page = (path.parent / "device/vpd_pg80").read_bytes()
    return page[4:4 + int.from_bytes(page[2:4], "big")].strip().upper()


def machine_binding(bits):
    """FORMAT.md, section 2; the root has to lie on a partition, without volumes between."""
    if not bits:
        return bytes(32)
    digits = pathlib.Path("/etc/machine-id").read_bytes()[:32]
    if bits == 1:
        return hash_of(32, digits, key=b"softtoken-machine-1")
    lines = pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
    number = [line.split()[2] for line in lines if line.split()[4] == "/"][-1]
    device = pathlib.Path("/sys/dev/block", number).resolve().name
    values = {1: lambda: digits, 2: lambda: linked("by-uuid", device),
              4: lambda: linked("by-partuuid", device), 8: lambda: disk_serial(device)}
    parts = [(bit, value()) for bit, value in values.items() if bits & bit]
    return hash_of(32, *(bytes([bit, len(value)]) + value for bit, value in parts),
                   key=b"softtoken-machine-2")


def pin_key(pin, salt, operations, memory):
    known = (pin, salt, operations, memory)
    if known not in _pin_keys:
        _pin_keys[known] = nacl.pwhash.argon2id.kdf(
            32, pin.encode(), salt, opslimit=operations, memlimit=memory)
    return _pin_keys[known]


class Damaged(Exception):
    """A file breaks a rule of FORMAT.md."""


class Folders:
    """What lies in a home's two folders now."""

    def __init__(self, home):
        self.home = pathlib.Path(home)
        self.data = self.home / ".local/share/softtoken"
        self.state = self.home / ".local/state/softtoken"

    def paths(self):
        """Every file's place, whether it is there or not."""
        return ([self.data / name for name in DATA_FILES]
                + [self.state / name for name in STATE_FILES])

    def leftovers(self):
        return sorted(str(path.relative_to(self.home)) for folder in (self.data, self.state)
                      if folder.is_dir() for path in folder.iterdir()
                      if path.name.endswith((".new", ".reserved")))

    def exists(self):
        return (self.data / "keystore").exists()

    def device(self):
        """(device name, device root) of the device key, bound as this machine's keystores are."""
        path = self.data / "keystore"
        bits = bits_of(path.read_bytes()) if path.exists() else 1
        return device_of(self.key("device-key", b"ST-DKEY1"), machine_binding(bits))

    def key(self, name, magic):
        content = (self.state / name).read_bytes()
        if (len(content) != 56 or content[:8] != magic
                or content[40:] != hash_of(16, content[:40])):
            raise Damaged(name)
        return content[8:40]

    def attempts(self):
        """The attempt record that counts, as a dictionary; both copies under `copies`."""
        name, root = self.device()
        copies = []
        for folder in (self.state, self.data):
            try:
                copies.append(parse_attempts((folder / "attempts").read_bytes(), name, root))
            except (FileNotFoundError, Damaged):
                copies.append(None)
        whole = [copy for copy in copies if copy]
        if not whole:
            return None
        best = max(whole, key=lambda copy: copy["generation"])
        lost = len(whole) < 2 or (copies[0]["generation"] == copies[1]["generation"]
                                  and copies[0] != copies[1])
        left = best["limit"] - best["count"]
        return dict(best, copies=copies, lost=lost, left=min(left, 1) if lost else left)

    def write_attempts(self, **changes):
        """Both copies anew, with other values: a count that many wrong PINs would have made."""
        record = dict(self.attempts(), **changes)
        record["generation"] += 1
        content = encode_attempts(record, *self.device())
        for folder in (self.state, self.data):
            (folder / "attempts").write_bytes(content)

    def open(self, pin):
        """The keystore as this PIN opens it; None if it is not the PIN."""
        return open_keystore(self, pin)

    def share(self, header, device_root, derived):
        """The device share, which a chip would give for the right PIN's key alone (None)."""
        content = (self.state / "device-share").read_bytes()
        if content[-32:] != hash_of(32, content[:-32], key=subkey(device_root, 3, b"stdevice")):
            raise Damaged("device-share")
        start = 24 if content[:8] == b"ST-SHAR1" else 58
        return content[start:start + 32]


def bits_of(keystore):
    """What its header says that it is bound to."""
    return keystore[9] | keystore[10] & 14


def device_of(key, binding):
    return (hash_of(16, b"softtoken-device-1", binding, key=key),
            hash_of(32, b"softtoken-device-keys-1", binding, key=key))


def parse_attempts(content, name, root):
    mac = hash_of(32, content[:-32], key=subkey(root, 2, b"stdevice"))
    if len(content) != 112 or content[:8] != b"ST-TRYS1" or content[8:24] != name \
            or not hmac.compare_digest(mac, content[-32:]):
        raise Damaged("attempts")
    generation, keystore, count, limit, delay, vouched = struct.unpack(">QQBBBB", content[24:44])
    boot, start, offset = content[48:64], *struct.unpack(">Qq", content[64:80])
    return {"generation": generation, "keystore": keystore, "count": count, "limit": limit,
            "delay": delay, "vouched": vouched, "boot": boot, "start": start, "offset": offset}


def encode_attempts(record, name, root):
    content = (b"ST-TRYS1" + name + struct.pack(
        ">QQBBBB", record["generation"], record["keystore"], record["count"], record["limit"],
        record["delay"], record["vouched"]) + bytes(4) + record["boot"]
        + struct.pack(">Qq", record["start"], record["offset"]))
    return content + hash_of(32, content, key=subkey(root, 2, b"stdevice"))


def open_keystore(folders, pin):
    """FORMAT.md, sections 2 and 5. Returns every key and token, or None for a wrong PIN."""
    content = (folders.data / "keystore").read_bytes()
    checked, checksum, mac = content[:-64], content[-64:-32], content[-32:]
    if content[:8] != b"ST-KEYS1" or checksum != hash_of(32, checked):
        raise Damaged("keystore")
    binding = machine_binding(bits_of(content))
    name, root = device_of(folders.key("device-key", b"ST-DKEY1"), binding)
    if content[40:56] != name:
        raise Damaged("another device's")
    if mac != hash_of(32, content[:-32], key=subkey(root, 1, b"stdevice")):
        raise Damaged("keystore's MAC")
    operations, memory = struct.unpack(">IQ", content[12:24])
    generation, public_size, box_size, slots = struct.unpack(">QIII", content[72:92])
    header, public = content[:96], content[200:200 + public_size]
    header_hash = hash_of(32, header, public)
    derived = pin_key(pin, content[24:40], operations, memory)
    share = folders.share(header, root, derived)
    if share is None:
        return None
    both = hash_of(64, b"softtoken-unlock-1", share, binding, header_hash, key=derived)
    if both[32:] != content[96:128]:
        return None
    keystore_key = unbox(both[:32], content[128:200], header_hash)
    at = 200 + public_size
    metadata_key = subkey(keystore_key, 0, b"stmetada")
    metadata = unbox(metadata_key, content[at:at + 24 + box_size], header_hash)
    at += 24 + box_size
    tokens = parse_metadata(metadata)
    for token in tokens.values():
        slot = content[at + 112 * token["slot"]:][:112]
        token["key"] = subkey(keystore_key, token["id"], b"stseedk1")
        seal = (b"softtoken-seed-2", token["parameters"]) if content[10] & 128 else (
            b"softtoken-seed-1", b"")
        plain = unbox(token["key"], slot,
                      seal[0] + content[56:72] + struct.pack(">Q", token["id"]) + seal[1])
        token["seed"] = plain[1:1 + plain[0]]
    return {"generation": generation, "tokens": tokens, "id": content[56:72],
            "records": public[4], "keys": {
                "PINKey": derived, "unlock key": both[:32], "keystore key": keystore_key,
                "metadata key": metadata_key, "device share": share,
                "device key": folders.key("device-key", b"ST-DKEY1"), "device root": root,
                **{f"device subkey {n}": subkey(root, n, b"stdevice") for n in range(1, 5)}}}


def unbox(key, box, additional):
    return sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(box[24:], additional, box[:24], key)


def parse_metadata(metadata):
    used, count = struct.unpack(">II", metadata[:8])
    at, tokens = 8, {}
    for _ in range(count):
        (number, slot, _activated, _pending, _expires, kind, factor, algorithm, digits, _origin,
         _warnings, _attempts, _session, _separation) = struct.unpack(
             ">QIqqqBQBBBBBHB", metadata[at:at + 53])
        at += 53
        texts = []
        for _ in range(4):
            size = metadata[at]
            texts.append(metadata[at + 1:at + 1 + size].decode())
            at += 1 + size
        tokens[texts[0]] = {"id": number, "slot": slot, "type": {1: "totp", 2: "hotp"}[kind],
                            "factor": factor, "parameters": struct.pack(
                                ">BQBB", kind, factor if kind == 1 else 0, algorithm, digits)}
    return tokens


def otp(seed, factor):
    """RFC 4226, six digits, SHA-1."""
    mac = hmac.new(seed, struct.pack(">Q", factor), "sha1").digest()
    at = mac[19] & 15
    return f"{(struct.unpack('>I', mac[at:at + 4])[0] & 0x7fffffff) % 10**6:06}"


def log_entries(folders):
    path = folders.state / "log"
    if not path.exists():
        return []
    entries = []
    for line in path.read_bytes().split(b"\n")[:-1]:
        try:
            entries.append(json.loads(line))
        except ValueError:
            entries.append({"event": "unreadable", "outcome": "", "detail": ""})
    return entries
