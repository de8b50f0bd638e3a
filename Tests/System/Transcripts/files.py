"""The program's own files, written anew from Keystore/FORMAT.md: states that would take minutes to
reach (a delay that is nearly over), or clocks that a test can't set. It needs the keys, which lie
beside the files: it forges nothing that their owner couldn't.
"""
import hashlib
import struct
import time

from links import blake2b


def kdf(key, number, context):
    """crypto_kdf_derive_from_key, 32 bytes."""
    return hashlib.blake2b(b"", digest_size=32, key=key, salt=struct.pack("<Q", number),
                           person=context).digest()


def binding(machine_id):
    return blake2b(machine_id.encode(), key=b"softtoken-machine-1")


def this_machine_id():
    with open("/etc/machine-id") as file:
        return file.read().strip()


def this_boot_id():
    with open("/proc/sys/kernel/random/boot_id") as file:
        return bytes.fromhex(file.read().strip().replace("-", ""))


def boot_seconds():
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def write_attempts(home, count, limit=10, seconds_ago=0, machine_id=None, boot_id=None):
    """Both attempt records, as `count` wrong PINs in a row leave them: FORMAT.md §6."""
    bound = binding(machine_id or this_machine_id())
    key = (home.state / "device-key").read_bytes()[8:40]
    name = blake2b(b"softtoken-device-1" + bound, 16, key)
    root = blake2b(b"softtoken-device-keys-1" + bound, key=key)
    old = (home.state / "attempts").read_bytes()
    generation, keystore_generation = struct.unpack(">QQ", old[24:40])
    delayed = count >= 5
    began = int((boot_seconds() - seconds_ago) * 1e9) if delayed else 0
    record = (b"ST-TRYS1" + name + struct.pack(">QQBBB5x", generation + 1, keystore_generation,
                                               count, limit, delayed)
              + (boot_id or this_boot_id() if delayed else bytes(16)) + struct.pack(">Qq", began, 0))
    record += blake2b(record, key=kdf(root, 2, b"stdevice"))
    for folder in (home.state, home.data):
        (folder / "attempts").write_bytes(record)


def write_baseline(home, unix_seconds):
    """log-head with another baseline, as an `ok` entry of that time leaves it: FORMAT.md §10."""
    path = home.state / "log-head"
    key = kdf((home.state / "log-key").read_bytes()[8:40], 2, b"stlogkey")
    old = path.read_bytes()
    head = old[:104] + struct.pack(">q", unix_seconds) + old[112:-32]
    path.write_bytes(head + blake2b(head, key=key))
