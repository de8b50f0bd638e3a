#!/usr/bin/python3
"""Writes Keystore/Vectors, one file a case: an independent writer, from Keystore/FORMAT.md alone.

    make_vectors.py                     writes every vector but opens-written-by-softtoken
    make_vectors.py --pack DATA STATE --machine-id ID --pin PIN    prints a vector of real folders

What is random elsewhere is drawn here from a label, so that each run writes the same bytes.
"""
import argparse
import os
import stat
import struct
from dataclasses import dataclass, field, replace

import counted
import log_vectors
import read
from primitives import (
    DISK_SERIAL, H, KDF, MACHINE_ID, PARTITION_UUID, ROOT_UUID, Device, argon2id, binding_of, encrypt,
    log_subkeys, otp, unlock_keys, x25519_public)
from vectorfile import Vector, drawn, escape, flipped

FOLDER = os.path.join(os.path.dirname(__file__), "..", "..", "..", "Keystore", "Vectors")
MACHINE = "5f0c9be2d14a4c7fb3a86d0275e91b48"
OTHER_MACHINE = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
FILE_SYSTEM = "0b6f2c1e-58d3-4a7f-9e04-71c5ad20b938"
PARTITION = "c9a41d70-2e6b-4f15-8d3c-50fe9b7a6142"
DISK = "S4EVNX0R512345Z"
PIN = "8206"
NOW = 1_750_000_000
AT = 1111111109


@dataclass(frozen=True)
class Token:
    name: object = "Pharmacy"
    id: int = 0x1122334455667788
    slot: int = 0
    activated: int = NOW
    pending: int = 0
    expires: int = 0
    type: int = 1
    factor: int = 30
    algorithm: int = 1
    digits: int = 6
    origin: int = 2
    warnings: int = 0
    attempts: int = 0
    session: int = 0
    separation: int = 0
    issuer: object = "Example Clinic"
    account: object = "dr.lee"
    serial: object = "ST-0001"
    seed: bytes = b"12345678901234567890"

    def content(self):
        return struct.pack(
            ">QIqqqBQBBBBBHB", self.id, self.slot, self.activated, self.pending, self.expires,
            self.type, self.factor, self.algorithm, self.digits, self.origin, self.warnings,
            self.attempts, self.session, self.separation) + b"".join(
                map(string, (self.name, self.issuer, self.account, self.serial)))

    @property
    def parameters(self):
        return struct.pack(">BQBB", self.type, self.factor if self.type == 1 else 0,
                           self.algorithm, self.digits)

    def line(self, has_seed=True):
        algorithm = {1: "SHA1", 2: "SHA256", 3: "SHA512"}[self.algorithm]
        code = "-"
        if has_seed and not (self.type == 2 and (self.factor == 2**53 or self.warnings & 8)):
            factor = AT // self.factor if self.type == 1 else self.factor
            code = otp(self.seed, algorithm, self.digits, factor)
        return "|".join((self.name, {1: "totp", 2: "hotp"}[self.type], algorithm,
                         str(self.digits), str(self.factor), code))


def string(text):
    raw = text if isinstance(text, bytes) else text.encode()
    return bytes([len(raw)]) + raw


def padded(content, blocks=0):
    """Zero padded, and `blocks` of 2,048 bytes too many."""
    return content + bytes(-len(content) % 2048 + 2048 * blocks)


@dataclass(frozen=True)
class Case:
    """A keystore with all its files; each field that is not as it should be makes a vector."""

    tokens: tuple = (Token(),)
    issuers: tuple = ()
    machine: object = MACHINE
    file_system: object = None
    partition: object = None
    disk: object = None
    bits: object = None
    seals_parameters: bool = False
    used_links: int = 0  # 0: not there
    more: object = None  # "seen": name tags and a policy; bytes: as they are
    device_key: bytes = drawn("device key", 32)
    share: bytes = drawn("device share", 32)
    salt: bytes = drawn("salt", 16)
    id: bytes = drawn("keystore id", 16)
    magic: bytes = b"ST-KEYS1"
    protector: int = 1
    bound: object = None
    reserved11: int = 0
    reserved92: int = 0
    ops: int = 3
    memory: int = 1 << 28
    generation: int = 7
    public_length: object = None
    box_length: object = None
    slot_number: object = None
    public: object = None
    commitment: object = None
    wrapped: object = None
    box: object = None
    metadata: object = None
    slots: object = field(default=None, hash=False)
    before_checksum: bytes = b""
    checksum_flip: int = 0
    mac_flip: int = 0

    @property
    def bound_to(self):
        return read.machine_of(self.machine, self.file_system, self.partition, self.disk)

    @property
    def device(self):
        return Device(self.device_key, binding_of(self.bound_to))

    def header_bits(self):
        if self.bits is not None:
            return self.bits
        return sum(bit for bit in self.bound_to if bit > 1) | (128 if self.seals_parameters else 0)

    @property
    def keystore_key(self):
        return drawn("keystore key", 32)

    def public_section(self):
        if self.public is not None:
            return self.public
        stricter = [min((getattr(t, n) for t in self.tokens if getattr(t, n)), default=0)
                    for n in ("attempts", "session")]
        separation = max((t.separation for t in self.tokens), default=0)
        return padded(struct.pack(">BHBB", *stricter, separation, 0) + self.tags() + self.more_of())

    def more_of(self):
        """What follows the tags."""
        if self.more is None or isinstance(self.more, bytes):
            return self.more or b""
        return b"\1" + self.name_tags() + struct.pack(">BHBB", *self.more)

    def name_tags(self):
        named = {self.device.issuer_tag(x): self.device.name_tag(x, name.encode())
                 for x, name in self.issuers}
        return b"".join(named[tag] for tag in sorted(named))

    def tags(self):
        tags = sorted({self.device.issuer_tag(x) for x, _ in self.issuers})
        return bytes([len(tags)]) + b"".join(tags)

    def metadata_content(self):
        return (struct.pack(">I", len(self.tokens)) + b"".join(t.content() for t in self.tokens)
                + bytes([len(self.issuers)])
                + b"".join(x + string(name) for x, name in self.issuers)
                + (struct.pack(">Q", self.used_links) if self.used_links else b""))

    def metadata_plain(self):
        if self.metadata is not None:
            return self.metadata
        content = self.metadata_content()
        return padded(struct.pack(">I", len(content)) + content)

    def slot(self, token, plain=None, keystore_id=None, token_id=None):
        if plain is None:
            plain = (bytes([len(token.seed)]) + token.seed).ljust(72, b"\0")
        number = token.id if token_id is None else token_id
        nonce = drawn(f"slot nonce {token.slot}", 24)
        label = b"softtoken-seed-2" if self.seals_parameters else b"softtoken-seed-1"
        parameters = token.parameters if self.seals_parameters else b""
        return nonce + encrypt(
            KDF(self.keystore_key, number, "stseedk1"), nonce, plain,
            label + (keystore_id or self.id) + struct.pack(">Q", number) + parameters)

    def all_slots(self):
        count = 8 * max(1, -(-(1 + max((t.slot for t in self.tokens), default=0)) // 8))
        slots = [drawn(f"unused slot {number}", 112) for number in range(min(count, 16))]
        for token in self.tokens:
            if token.slot < len(slots):
                slots[token.slot] = self.slot(token)
        for number, content in (self.slots or {}).items():
            slots[number] = content
        return b"".join(slots)

    def keystore(self):
        public, plain, slots = self.public_section(), self.metadata_plain(), self.all_slots()
        device = self.device
        header = self.magic + struct.pack(
            ">BBBBIQ16s16s16sQIIII", self.protector,
            (1 if self.machine else 0) if self.bound is None else self.bound, self.header_bits(),
            self.reserved11,
            self.ops, self.memory, self.salt, device.name, self.id, self.generation,
            len(public) if self.public_length is None else self.public_length,
            len(plain) + 16 if self.box_length is None else self.box_length,
            len(slots) // 112 if self.slot_number is None else self.slot_number,
            self.reserved92)
        header_hash = H(32, header, public)
        pin_key = argon2id(PIN.encode(), drawn("salt", 16), 3, 1 << 28)
        key, commitment = unlock_keys(pin_key, self.share, device.binding, header_hash)
        nonce, metadata_nonce = drawn("wrapped nonce", 24), drawn("metadata nonce", 24)
        wrapped = nonce + encrypt(key, nonce, self.keystore_key, header_hash)
        box = metadata_nonce + encrypt(
            KDF(self.keystore_key, 0, "stmetada"), metadata_nonce, plain, header_hash)
        content = (header + (self.commitment or commitment) + (self.wrapped or wrapped) + public
                   + (self.box or box) + slots + self.before_checksum)
        content += flipped(H(32, content), self.checksum_flip)
        return content + flipped(H(32, content, key=device.keystore), self.mac_flip)

    def key_file(self, magic=b"ST-DKEY1", key=None, flip=0):
        content = magic + (key or self.device_key)
        return content + flipped(H(16, content), flip)

    def share_file(self, magic=b"ST-SHAR1", name=None, flip=0):
        content = magic + (name or self.device.name) + self.share
        return content + flipped(H(32, content, key=self.device.share), flip)

    def chip_file(self, *pairs, share=bytes(32), primary=b"\0\x0b" + drawn("primary", 32), count=None,
                  magic=b"ST-SHAR2", name=None, flip=0, tail=b""):
        """`device-share` that names pairs: handles, whose gates' policies are of this share."""
        content = magic + (name or self.device.name) + primary + share
        content += bytes([len(pairs) if count is None else count])
        content += b"".join(struct.pack(">I", handle) + counted.policy_of(handle, self.share)
                            for handle in pairs) + tail
        return content + flipped(H(32, content, key=self.device.share), flip)

    def attempts(self, generation=20, keystore=7, count=0, limit=10, delay=None, vouched=0,
                 reserved=0, start=None, magic=b"ST-TRYS1", name=None, flip=0):
        if delay is None:
            delay = 1 if count >= 5 else 0
        if start is None:
            start = drawn("boot", 16) + struct.pack(">Qq", 90_000_000_000, 0)
            start = start if delay else bytes(32)
        content = magic + (name or self.device.name) + struct.pack(
            ">QQBBBB4s", generation, keystore, count, limit, delay, vouched or reserved,
            bytes([reserved] * 4)) + start
        return content + flipped(H(32, content, key=self.device.attempts), flip)

    def tombstone(self, magic=b"ST-ERAS1", name=None, machine=None, flip=0, tail=b""):
        content = magic + (name or self.device.name) + struct.pack(">q", NOW) + tail
        mac = H(32, content, binding_of({MACHINE_ID: machine} if machine else self.bound_to),
                key=log_subkeys(drawn("log key", 32)).tombstone)
        return content + flipped(mac, flip)

    def attestation(self, magic=b"ST-ATST1", name=None, keystore_id=None, flip=0):
        content = magic + (name or self.device.name) + (keystore_id or self.id)
        content += struct.pack(">q", NOW)
        return content + flipped(H(32, content, key=self.device.attestation), flip)

    def files(self, **others):
        """Every file; `data_attempts=None` leaves one out, a pair gives content and mode."""
        files = {
            "data/keystore": self.keystore, "data/attempts": self.attempts,
            "state/attempts": self.attempts, "state/device-key": self.key_file,
            "state/device-share": self.share_file}
        for name, content in others.items():
            files[name.replace("_", "/", 1).replace("_", "-")] = content
        return {path: content() if callable(content) else content
                for path, content in files.items() if content is not None}


def request(magic=b"ST-REQU1", created=NOW - 3600, flip=0):
    content = magic + struct.pack(">q", created) + drawn("request", 32)
    return content + flipped(H(16, content), flip)


def log_key(magic=b"ST-LKEY1", key=None, flip=0):
    return GOOD.key_file(magic, key or drawn("log key", 32), flip)


HANDLE = 0x01A2B3C4
LIMIT = bytes.fromhex("5a3c96e1")
GOOD = Case()
CHIP = Case(protector=2, reserved92=HANDLE)
WRITTEN = []


def write(name, comment, layer, files, case=GOOD, pin=None, machine=None, left=None, tokens=None,
          extra=(), items=(), now=None, values=None):
    vector = Vector()
    header = vector.headers
    header += [("comment", comment), ("layer", layer)]
    if pin:
        header.append(("pin", pin))
    if machine is None:
        machine = case.machine or MACHINE
    header.append(("machine-id", machine))
    values = case.bound_to if values is None else values
    header += [(name, values[bit]) for bit, name in (
        (ROOT_UUID, "root-uuid"), (PARTITION_UUID, "partition-uuid"),
        (DISK_SERIAL, "disk-serial")) if bit in values]
    if now is not None:
        header.append(("now", str(now)))
    if left is None and layer in ("locked", "opens", "damaged-inside", "damaged-seed", "wrong-pin"):
        left = 10
    if left is not None:
        header.append(("attempts-left", str(left)))
    header += extra
    for token in tokens or ():
        header.append(("token", escape(token)))
    replaced = {item[1] for item in items}
    for path in sorted(files):
        if path in replaced:
            continue
        content, mode = files[path], "600"
        if isinstance(content, tuple):
            content, mode = content
        vector.items.append(("file", path, mode, content))
    vector.items += [(*item, None) for item in items]
    assert name not in WRITTEN, name
    WRITTEN.append(name)
    with open(os.path.join(FOLDER, name + ".txt"), "w", encoding="ascii") as file:
        file.write(vector.text())


def write_case(name, comment, layer, case, pin=None, lines=None, **options):
    if layer in ("opens", "damaged-seed") and lines is None:
        lines = [token.line() for token in case.tokens]
    write(name, comment, layer, case.files(), case, pin, tokens=lines, **options)


def opens():
    write_case("opens-one-totp", "RFC 6238 App. B's seed; 1111111109 gives 07081804, six digits "
               "of it", "opens", GOOD, PIN)
    eight = tuple(
        Token(f"Token {n}", id=1000 + n, slot=7 - n, type=1 + n % 2, factor=30 if n % 2 == 0 else n,
              algorithm=1 + n % 3, digits=6 + n % 3, seed=drawn(f"seed {n}", (16, 20, 32, 64)[n % 4]),
              attempts=(0, 5)[n % 2], session=(0, 120)[n % 2], separation=n % 3)
        for n in range(8))
    write_case("opens-eight-tokens", "every slot used, all types, algorithms and digits; the "
               "strictest policy is in the public section", "opens", Case(tokens=eight), PIN)
    ends = Token(type=2, factor=2**53), Token("Last", id=5, slot=1, type=2, factor=2**53 - 1)
    write_case("opens-hotp-at-its-end", "2^53: no counter is left; 2^53 - 1: one is", "opens",
               Case(tokens=ends), PIN)
    write_case("opens-unbound", "made without a machine-id: opens under any", "opens",
               Case(machine=None), PIN, machine=OTHER_MACHINE)
    record = b"softtoken:prescribing#AQRkZXNr"
    case = Case(tokens=(Token(attempts=3, session=30, separation=2, seed=b"x"),),
                issuers=((drawn("x1", 32), "A"), (drawn("x2", 32), "b" * 64)), generation=2**63)
    public = padded(struct.pack(">BHBB", 3, 30, 2, 2) + 2 * (struct.pack(">H", len(record)) + record)
                    + case.tags())
    write_case("opens-with-records-and-issuers", "two prescribing records, two issuers, limits at "
               "their ends", "opens", replace(case, public=public), PIN)
    texts = (Token("\u00e9" * 32, issuer="", account="", serial="", pending=NOW + 60,
                   expires=NOW + 90),
             Token("\u5317\u4eac e\u0301", id=2, slot=3, issuer="i" * 255, account="a" * 255,
                   serial="s" * 64, warnings=3, origin=1))
    write_case("opens-hidden-text", "names that are not ASCII, texts that are empty or at their "
               "longest, a metadata box of one step", "opens", Case(tokens=texts), PIN)
    write_case("opens-bound-to-the-file-system", "machine-id and UUID of the file system at /",
               "opens", Case(file_system=FILE_SYSTEM), PIN)
    write_case("opens-bound-to-all", "what an ordinary machine has", "opens",
               Case(file_system=FILE_SYSTEM, partition=PARTITION, disk=DISK), PIN)
    write_case("opens-bound-without-machine-id", "made where there was none", "opens",
               Case(machine=None, file_system=FILE_SYSTEM), PIN, machine="none")
    write_case("opens-sealed-parameters", "additional data with type, step, algorithm and digits",
               "opens", Case(tokens=eight, seals_parameters=True), PIN)
    named = Case(issuers=((drawn("x1", 32), "Example Clinic"), (drawn("x2", 32), "Other")),
                 more=(3, 120, 2, 1))
    write_case("opens-with-name-tags", "two issuers, each under a name, and a policy that was seen",
               "opens", named, PIN)
    unknown = Token(type=2, factor=5, warnings=8), Token("Next", id=5, slot=1, type=2, factor=6)
    write_case("opens-counter-unknown", "an older keystore was put back under the first", "opens",
               Case(tokens=unknown), PIN)
    blank = Token(" "), Token("\u200b", id=2, slot=1, issuer="\u3164")
    write_case("opens-blank-names", "names that an earlier version took in, and none does now",
               "opens", Case(tokens=blank), PIN)
    for_ever = 2**63
    write_case("opens-with-used-links", "it names the highest generation of used links that there is",
               "opens", Case(used_links=for_ever), PIN, extra=[("names-used-links", str(for_ever))])
    write_case("opens-without-the-chip", "the header says that the chip doesn't count", "opens",
               replace(GOOD, reserved11=5), PIN)
    write("opens-file-beside-a-pair", "a change to the chip that was cut before the keystore", "opens",
          GOOD.files(state_device_share=GOOD.chip_file(HANDLE, share=GOOD.share)), pin=PIN,
          tokens=[Token().line()])
    write_case("wrong-pin", "the PIN is 8206", "wrong-pin", GOOD, "8207", left=10)
    write_case("commitment-altered", "with a right checksum and MAC: as a wrong PIN", "wrong-pin",
               replace(GOOD, commitment=drawn("other", 32)), PIN, left=10)


def refused():
    good = GOOD.files()
    for name, path in (("keystore", "data/keystore"), ("device-key", "state/device-key"),
                       ("device-share", "state/device-share"), ("attempts", "state/attempts")):
        write(f"mode-{name}", "others may read it", "refused", good | {path: (good[path], "644")})
    write("mode-data-folder", "others may search it", "refused", good,
          items=[("folder", "data", "711")])
    moved = good | {"state/moved": good["data/keystore"]}
    write("link-keystore", "a symbolic link to a whole keystore", "refused", moved,
          items=[("link", "data/keystore", "../state/moved")])
    moved = good | {"data/moved": good["state/device-share"]}
    write("link-device-share", "a symbolic link to a whole share", "refused", moved,
          items=[("link", "state/device-share", "../data/moved")])
    write("folder-keystore", "a folder where a file belongs", "refused", good,
          items=[("folder", "data/keystore", "700")])


def without_keystore():
    gone = {"data_keystore": None, "state_device_share": None}
    logs = {"state_log_key": log_key()}
    write("nothing-there", "two empty folders", "none", {})
    write("cut-creation", "everything but the keystore, no tombstone", "none",
          GOOD.files(data_keystore=None))
    for name, comment, tombstone in (
            ("tombstone-mac", "not authentic", GOOD.tombstone(flip=1)),
            ("tombstone-magic", "another version, authentic", GOOD.tombstone(b"ST-ERAS2")),
            ("tombstone-long", "a byte more, authentic", GOOD.tombstone(tail=b"\0")),
            ("tombstone-of-another-machine", "authentic under another machine binding",
             GOOD.tombstone(machine=OTHER_MACHINE))):
        write(name, comment, "none", {"state/erased": tombstone, "state/log-key": log_key()})
    write("erased", "tombstone and log key alone", "erased",
          {"state/erased": GOOD.tombstone(), "state/log-key": log_key()})
    new = Case(device_key=drawn("new device key", 32))
    write("erased-then-cut-creation", "a whole device key that the tombstone doesn't name",
          "erased", new.files(data_keystore=None, state_erased=GOOD.tombstone(), **logs))
    limit = GOOD.attempts(count=10)
    full = {"data_attempts": limit, "state_attempts": limit}
    write("erasing-records-at-limit", "killed after the count of the last attempt", "erasing",
          GOOD.files(**full), pin=PIN)
    reset = GOOD.attempts(count=1, limit=1)
    write("erasing-reset-begun", "a reset, killed behind its records", "erasing",
          GOOD.files(data_attempts=reset, state_attempts=reset), pin=PIN)
    write("erasing-share-gone", "killed before the keystore was unlinked", "erasing",
          GOOD.files(**full, state_device_share=None))
    write("erasing-keystore-gone", "killed before the tombstone", "erasing",
          GOOD.files(**full, **gone))
    write("erasing-tombstone-and-device-key", "killed before the device key was overwritten",
          "erasing", GOOD.files(**full, **gone, **logs, state_erased=GOOD.tombstone()))
    write("erasing-device-key-half-overwritten", "56 zeros where the device key was", "erasing",
          GOOD.files(**full, **gone, **logs, state_erased=GOOD.tombstone(),
                     state_device_key=bytes(56)))
    write("erasing-records-left", "killed before the state copy was removed", "erasing",
          GOOD.files(**gone, **logs, data_attempts=None, state_attempts=limit,
                     state_erased=GOOD.tombstone(), state_device_key=None))
    write("erasing-keystore-put-back", "all files of before, and the tombstone", "erasing",
          GOOD.files(**logs, state_erased=GOOD.tombstone()), pin=PIN)
    write("tombstone-of-another-device", "an older erasure's", "locked",
          GOOD.files(**logs, state_erased=GOOD.tombstone(name=drawn("name", 16))))
    write("leftovers", "what a killed writer left beside", "locked",
          GOOD.files() | {"data/keystore.new": b"half", "state/attempts.reserved": bytes(112)})


def ascending(count):
    """So many issuer tags in their order."""
    return b"".join(struct.pack(">I", number).ljust(32, b"t") for number in range(count))


def damaged_files():
    whole = GOOD.keystore()
    for name, comment, content in (
            ("keystore-empty", "no byte", b""),
            ("keystore-short", "4,095 bytes", whole[:4095])):
        write(name, comment, "damaged", GOOD.files(data_keystore=content))
    for name, comment, changes in (
            ("keystore-magic", "another file's magic", {"magic": b"ST-DKEY1"}),
            ("keystore-version", "version 2", {"magic": b"ST-KEYS2"}),
            ("keystore-checksum", "its first bit flipped, the MAC made anew",
             {"checksum_flip": 0x80}),
            ("keystore-mac", "its first bit flipped", {"mac_flip": 0x80}),
            ("keystore-trailing", "a byte after the last slot", {"before_checksum": b"\0"}),
            ("header-protector-0", "", {"protector": 0}),
            ("header-protector-2", "the chip's, without a handle", {"protector": 2}),
            ("header-protector-3", "", {"protector": 3}),
            ("header-handle-odd", "", {"protector": 2, "reserved92": HANDLE + 1}),
            ("header-handle-low", "", {"protector": 2, "reserved92": 0x017FFFFE}),
            ("header-handle-high", "", {"protector": 2, "reserved92": 0x01C00000}),
            ("header-reason-7", "why no chip holds the share: 7", {"reserved11": 7}),
            ("header-reason-of-the-chip", "why no chip holds the share, and it does",
             {"protector": 2, "reserved92": HANDLE, "reserved11": 1}),
            ("header-bound-2", "", {"bound": 2}),
            ("header-reserved-10", "a bit that says nothing", {"bits": 32}),
            ("header-bits-1", "the machine-id's bit, where it doesn't stand", {"bits": 1}),
            ("header-bits-16", "bound to what there is not", {"bits": 16}),
            ("header-bits-64", "", {"bits": 64}),
            ("header-reserved-92", "a handle, where a file holds the share",
             {"reserved92": HANDLE}),
            ("header-ops-2", "cheaper than MODERATE", {"ops": 2}),
            ("header-ops-13", "", {"ops": 13}),
            ("header-memory-low", "cheaper than MODERATE by a byte", {"memory": (1 << 28) - 1}),
            ("header-memory-high", "a byte over 1 GiB", {"memory": (1 << 30) + 1}),
            ("header-generation-0", "", {"generation": 0}),
            ("header-generation-high", "2^63 + 1", {"generation": 2**63 + 1}),
            ("header-public-0", "no public section", {"public": b"", "public_length": 0}),
            ("header-public-unit", "2,049 bytes", {"public": bytes(2049)}),
            ("header-public-high", "262,144 + 2,048; the file is not so long",
             {"public_length": 264_192}),
            ("header-metadata-0", "a tag alone", {"metadata": b""}),
            ("header-metadata-unit", "16 + 2,049", {"metadata": GOOD.metadata_plain() + b"\0"}),
            ("header-metadata-high", "16 + 8,388,608 + 2,048; the file is not so long",
             {"box_length": 8_390_672}),
            ("header-slots-0", "the file has eight", {"slot_number": 0}),
            ("header-slots-unit", "the file has eight", {"slot_number": 9}),
            ("header-slots-high", "the file has eight", {"slot_number": 16_392})):
        write_case(name, comment or "with a right checksum and MAC", "damaged",
                   replace(GOOD, **changes))
    public = struct.Struct(">BHBB").pack
    text = lambda raw: public(0, 0, 0, 1) + struct.pack(">H", len(raw)) + raw
    for name, content in (
            ("public-attempts-2", public(2, 0, 0, 0)), ("public-attempts-11", public(11, 0, 0, 0)),
            ("public-session-29", public(0, 29, 0, 0)),
            ("public-session-901", public(0, 901, 0, 0)),
            ("public-separation-3", public(0, 0, 3, 0)),
            ("public-records-65", public(0, 0, 0, 65) + 65 * b"\0\1x"),
            ("public-record-empty", text(b"")), ("public-record-long", text(b"x" * 2049)),
            ("public-record-not-ascii", text(b"a\x7f")),
            ("public-padding", public(0, 0, 0, 0) + bytes(2042) + b"\1"),
            # 64 whole tags end where a section of 2,048 bytes does; here the last one is cut.
            ("public-tags-cut", public(0, 0, 0, 0) + b"\x40" + ascending(64)[:2042]),
            ("public-tags-unsorted", public(0, 0, 0, 0) + b"\2" + b"\2" * 32 + b"\1" * 32),
            ("public-tag-twice", public(0, 0, 0, 0) + b"\2" + b"\1" * 64)):
        write_case(name, "with a right checksum and MAC", "damaged",
                   replace(GOOD, public=padded(content)))
    seen = lambda *policy: b"\1" + struct.pack(">BHBB", *policy)
    for name, content in (
            ("public-more-2", b"\2"), ("public-seen-attempts-2", seen(2, 0, 0, 0)),
            ("public-seen-session-29", seen(0, 29, 0, 0)),
            ("public-seen-separation-3", seen(0, 0, 3, 0)),
            ("public-seen-unsigned-2", seen(0, 0, 0, 2)),
            ("public-seen-padding", seen(0, 0, 0, 0) + b"\0\1")):
        write_case(name, "with a right checksum and MAC", "damaged",
                   replace(GOOD, public=padded(public(0, 0, 0, 0) + b"\0" + content)))
    # One tag, and the section ends in the middle of its name tag.
    write_case("public-name-tags-cut", "with a right checksum and MAC", "damaged",
               replace(GOOD, public=public(0, 0, 0, 0) + b"\x3e" + ascending(62) + b"\1"
                       + b"t" * 57))
    write_case("public-padded-twice", "2,048 zeros too many: a second spelling", "damaged",
               replace(GOOD, public=padded(public(0, 0, 0, 0), blocks=1)))


def damaged_keys():
    key, share = GOOD.key_file(), GOOD.share_file()
    for name, path, content in (
            ("device-key-short", "state_device_key", key[:55]),
            ("device-key-long", "state_device_key", key + b"\0"),
            ("device-key-magic", "state_device_key", GOOD.key_file(b"ST-LKEY1")),
            ("device-key-checksum", "state_device_key", GOOD.key_file(flip=1)),
            ("device-share-missing", "state_device_share", None),
            ("device-share-short", "state_device_share", share[:87]),
            ("device-share-magic", "state_device_share", GOOD.share_file(b"ST-SHAR2")),
            ("device-share-name", "state_device_share", GOOD.share_file(name=drawn("name", 16))),
            ("device-share-mac", "state_device_share", GOOD.share_file(flip=1)),
            ("device-share-of-the-chip", "state_device_share", GOOD.chip_file(HANDLE)),
            ("device-share-without-share", "state_device_share",
             GOOD.chip_file(HANDLE, HANDLE + 2))):
        write(name, "known without a PIN, so that it costs no attempt", "damaged",
              GOOD.files(**{path: content}), pin=PIN)
    chip_files()
    write("device-key-missing", "a copied file", "foreign", GOOD.files(state_device_key=None))
    write("device-key-other", "another device's, whole", "foreign",
          GOOD.files(state_device_key=GOOD.key_file(key=drawn("another", 32))))
    write("machine-id-other", "a copied home", "foreign", GOOD.files(), pin=PIN,
          machine=OTHER_MACHINE)
    bound, here = Case(file_system=FILE_SYSTEM), {ROOT_UUID: FILE_SYSTEM}
    write("root-uuid-other", "a copied home, on a machine that was given its machine-id", "foreign",
          bound.files(), pin=PIN, values={ROOT_UUID: PARTITION})
    write("root-uuid-none", "a file system without a UUID: not foreign, not damaged", "failed",
          bound.files(), pin=PIN, values={})
    everything = Case(file_system=FILE_SYSTEM, partition=PARTITION, disk=DISK)
    write("disk-serial-other", "the disk's image on another disk", "foreign", everything.files(),
          pin=PIN, values=everything.bound_to | {DISK_SERIAL: "S4EVNX0R999999Z"})
    write("bound-taken-out", "bound to both, and the header says the machine-id alone", "foreign",
          replace(bound, bits=0).files(), pin=PIN, values=here)
    for machine in ("none", "unreadable"):
        write(f"machine-id-{machine}", "bound, and no machine-id to be had: not foreign, not "
              "damaged", "failed", GOOD.files(), machine=machine)


def chip_files():
    """`device-share` with protector 2: where in the chip the share lies."""
    f, other = CHIP.chip_file, HANDLE + 2
    whole = f(HANDLE)
    for name, content in (
            ("missing", None), ("short", f(HANDLE, tail=bytes(35), count=2)),
            ("long", f(HANDLE, tail=b"\0")), ("magic", f(HANDLE, magic=b"ST-SHAR3")),
            ("name", f(HANDLE, name=drawn("name", 16))), ("mac", f(HANDLE, flip=1)),
            ("flipped", whole[:100] + flipped(whole[100:], 1)),
            ("primary", f(HANDLE, primary=b"\0\x0c" + drawn("primary", 32))),
            ("no-pair", f(tail=bytes(36))), ("three-pairs", f(HANDLE, other, HANDLE + 4)),
            ("pair-missing", f(other)), ("pair-twice", f(HANDLE, HANDLE)),
            ("handle-odd", f(HANDLE, HANDLE + 1)), ("handle-low", f(HANDLE, 0x017FFFFE)),
            ("handle-high", f(HANDLE, 0x01C00000)),
            ("share-and-two-pairs", f(HANDLE, other, share=CHIP.share)),
            ("of-a-file", CHIP.share_file())):
        write(f"chip-share-{name}", "known without a PIN and without the chip", "damaged",
              CHIP.files(state_device_share=content), CHIP, pin=PIN)
    pin_key = argon2id(PIN.encode(), CHIP.salt, CHIP.ops, CHIP.memory)
    keys = counted.gate_key(pin_key), counted.share_key(pin_key, LIMIT)
    for name, comment, content in (
            ("", "the one pair", whole),
            ("-two-pairs", "of a PIN before, or of one that was never saved", f(other, HANDLE)),
            ("-beside-a-share", "a change to a file that was cut", f(HANDLE, share=drawn("file", 32)))):
        write(f"chip-share{name}", comment, "locked", CHIP.files(state_device_share=content), CHIP,
              extra=[("chip", "|".join([PIN, *(part.hex() for part in (LIMIT, CHIP.share, *keys))]))])


def attempts():
    a = GOOD.attempts
    write("attempts-both-missing", "", "attempts",
          GOOD.files(state_attempts=None, data_attempts=None))
    write("attempts-both-altered", "", "attempts",
          GOOD.files(state_attempts=a(flip=1), data_attempts=a(flip=1)), pin=PIN)
    write("attempts-state-missing", "one is left", "locked", GOOD.files(state_attempts=None),
          left=1)
    for name, content in (
            ("attempts-data-missing", None), ("attempts-short", a()[:111]),
            ("attempts-long", a() + b"\0"), ("attempts-magic", a(magic=b"ST-TRYS2")),
            ("attempts-name", a(name=drawn("name", 16))), ("attempts-generation-0", a(0)),
            ("attempts-generation-high", a(2**63 + 1)), ("attempts-keystore-generation-0", a(20, 0)),
            ("attempts-count-over-limit", a(count=4, limit=3)), ("attempts-limit-0", a(limit=0)),
            ("attempts-limit-11", a(limit=11)), ("attempts-delay-missing", a(count=5, delay=0)),
            ("attempts-delay-too-early", a(count=4, delay=1)),
            ("attempts-delay-2", a(count=5, delay=2)), ("attempts-reserved", a(reserved=1)),
            ("attempts-vouched-2", a(vouched=2)),
            ("attempts-start-without-delay", a(start=bytes(31) + b"\1")),
            ("attempts-mac", a(flip=1)), ("attempts-equal-generations", a(count=1))):
        write(name, "the data copy, with a right MAC where it is not the MAC: one is left",
              "locked", GOOD.files(data_attempts=content), left=1)
    write("attempts-newer-state", "a crash between the two copies: the newer counts", "locked",
          GOOD.files(state_attempts=a(21, count=6, limit=8)), left=2)
    write("attempts-newer-data", "an old state copy put back: the newer counts", "locked",
          GOOD.files(data_attempts=a(21, count=3)), left=7)


def inside():
    def case(name, comment="with right MACs and the right PIN", **changes):
        write_case(name, comment, "damaged-inside", replace(GOOD, **changes), PIN)

    content, plain = GOOD.metadata_content(), GOOD.metadata_plain()
    framed = lambda length, raw: padded(struct.pack(">I", length) + raw)
    box = lambda raw, label: drawn(label, 24) + raw
    case("wrapped-key", wrapped=box(drawn("wrapped", 48), "n"))
    case("metadata-box", box=box(drawn("box", 2064), "n"))
    case("metadata-length", "longer than what there is", metadata=framed(2045, content))
    case("metadata-padding", metadata=plain[:-1] + b"\1")
    case("metadata-padded-twice", "2,048 zeros too many: a second spelling",
         metadata=plain + bytes(2048))
    case("metadata-trailing", "a byte inside of the length",
         metadata=framed(len(content) + 1, content + b"\0"))
    for name, number in ("0", 0), ("high", 2**63 + 1):
        case(f"metadata-used-links-{name}", f"{number} where the generation of the used links stands",
             metadata=framed(len(content) + 8, content + struct.pack(">Q", number)))
    case("metadata-count-high", "more tokens than slots",
         metadata=framed(len(content), b"\0\0\0\x09" + content[4:]))
    two = lambda **changes: (Token(), replace(Token("Other", id=9, slot=1), **changes))
    case("token-id-0", tokens=(Token(id=0),))
    case("token-id-twice", tokens=two(id=Token().id))
    case("token-slot-high", "slot 8 of eight", tokens=(Token(),), metadata=Case(
        tokens=(Token(slot=8),)).metadata_plain())
    case("token-slot-twice", tokens=two(slot=0))
    case("token-name-twice", tokens=two(name="Pharmacy"))
    case("token-name-twice-nfc", "one is composed, the other decomposed",
         tokens=(Token("caf\u00e9"), Token("cafe\u0301", id=9, slot=1)))
    for name, value in (("empty", ""), ("long", "x" * 65), ("control", "a\tb"),
                        ("bidirectional", "a\u202eb"), ("not-utf8", b"a\xff")):
        case(f"token-name-{name}", tokens=(Token(value),))
    for name, changes in (
            ("type-3", {"type": 3}), ("step-0", {"factor": 0}), ("step-301", {"factor": 301}),
            ("counter-high", {"type": 2, "factor": 2**53 + 1}), ("algorithm-4", {"algorithm": 4}),
            ("digits-5", {"digits": 5}), ("digits-9", {"digits": 9}), ("origin-0", {"origin": 0}),
            ("warnings-4", {"warnings": 4}), ("warnings-16", {"type": 2, "warnings": 16}),
            ("counter-unknown-totp", {"warnings": 8}), ("attempts-2", {"attempts": 2}),
            ("session-29", {"session": 29}), ("separation-3", {"separation": 3}),
            ("serial-long", {"serial": "s" * 65})):
        token = replace(Token(), **changes)
        case(f"token-{name}", tokens=(token,), public=GOOD.public_section())
    x = drawn("x", 32)
    case("issuer-twice", issuers=((x, "A"), (x, "B")))
    case("issuer-name-empty", issuers=((x, ""),))
    case("issuer-name-long", issuers=((x, "n" * 65),))
    tagged = lambda *issuers: padded(
        struct.pack(">BHBB", 0, 0, 0, 0) + Case(issuers=issuers).tags())
    case("issuer-without-tag", issuers=((x, "A"),), public=tagged())
    case("issuer-tag-of-another", issuers=((x, "A"),), public=tagged((drawn("y", 32), "A")))
    case("issuer-tag-without-issuer", public=tagged((x, "A")))
    other = Case(issuers=((x, "B"),), more=(0, 0, 0, 0))
    case("issuer-name-tag-of-another", "the key's own tag, and another name's",
         issuers=((x, "A"),), public=other.public_section())


def seeds():
    other = Token("Other", id=9, slot=1, seed=b"abcdefghijklmnopqrst")
    good = Case(tokens=(Token(), other))
    for name, comment, slot in (
            ("seed-length-0", "", good.slot(Token(), bytes(72))),
            ("seed-length-65", "", good.slot(Token(), bytes([65]) + bytes(71))),
            ("seed-padding", "a byte after the seed",
             good.slot(Token(), (b"\x14" + Token().seed + b"\1").ljust(72, b"\0"))),
            ("seed-of-another-token", "the other token's slot, copied", good.slot(other)),
            ("seed-of-another-keystore", "encrypted for another keystore's id",
             good.slot(Token(), keystore_id=drawn("other id", 16))),
            ("seed-altered", "a random slot", drawn("altered", 112))):
        write_case(name, comment or "with a right tag", "damaged-seed",
                   replace(good, slots={0: slot}), PIN, [Token().line(False), other.line()])
    sealed = replace(good, seals_parameters=True)
    for name, comment, slot in (
            ("digits-edited", "sealed with eight digits", sealed.slot(Token(digits=8))),
            ("step-edited", "sealed with a step of 60 s", sealed.slot(Token(factor=60))),
            ("algorithm-edited", "sealed with SHA-256", sealed.slot(Token(algorithm=2))),
            ("type-edited", "sealed as HOTP", sealed.slot(Token(type=2, factor=0))),
            ("first-kind-among-second", "without its parameters", good.slot(Token()))):
        write_case(f"seed-{name}", comment, "damaged-seed", replace(sealed, slots={0: slot}), PIN,
                   [Token().line(False), other.line()])


def uncounted():
    def vector(name, comment, attested="none", public="none", **files):
        write(name, comment, "locked", GOOD.files(**files), now=NOW,
              extra=[("attested", attested), ("request", public)])

    a = GOOD.attestation
    vector("attestation", "of this keystore", str(NOW), state_attestation=a())
    for name, content in (
            ("mac", a(flip=1)), ("name", a(name=drawn("name", 16))),
            ("keystore", a(keystore_id=drawn("other id", 16))), ("magic", a(b"ST-ATST2")),
            ("short", a()[:79]), ("long", a() + b"\0")):
        vector(f"attestation-{name}", "as if there were none", state_attestation=content)
    public = x25519_public(drawn("request", 32)).hex()
    vector("request", "an hour old", public=public, state_request=request())
    for name, content in (
            ("checksum", request(flip=1)), ("magic", request(b"ST-REQU2")),
            ("short", request()[:63]), ("before-1970", request(created=-2**63)),
            ("of-tomorrow", request(created=NOW + 86400)),
            ("too-old", request(created=NOW - 14 * 86400 - 1))):
        vector(f"request-{name}", "as if there were none", state_request=content)


def pack(data, state, machine_id, pin):
    """A vector of real folders, judged by the second reader."""
    vector = Vector()
    result = read.examine(data, state, read.machine_of(machine_id), pin, NOW, AT)
    vector.headers = [("comment", "made by the Swift program"), ("layer", result.layer),
                      ("pin", pin), ("machine-id", machine_id),
                      ("attempts-left", str(result.attempts_left))]
    vector.headers += [("token", escape(token)) for token in result.tokens]
    for folder, path in (("data", data), ("state", state)):
        for name in sorted(os.listdir(path)):
            full = os.path.join(path, name)
            if name == "lock":
                continue
            with open(full, "rb") as file:
                mode = f"{stat.S_IMODE(os.lstat(full).st_mode):o}"
                vector.items.append(("file", f"{folder}/{name}", mode, file.read()))
    print(vector.text(), end="")


def main():
    parser = argparse.ArgumentParser(description="Writes Keystore/Vectors.")
    parser.add_argument("--pack", nargs=2, metavar=("DATA", "STATE"))
    parser.add_argument("--machine-id")
    parser.add_argument("--pin")
    options = parser.parse_args()
    if options.pack:
        pack(*options.pack, options.machine_id, options.pin)
        return
    for part in (opens, refused, without_keystore, damaged_files, damaged_keys, attempts, inside,
                 seeds, uncounted):
        part()
    log_vectors.make(write, log_key, GOOD)
    print(f"{len(WRITTEN)} vectors")


if __name__ == "__main__":
    main()
