"""What `verify` takes in stores of several sizes, alone and ten at once, beside liboath's users file."""
import base64
import ctypes
import ctypes.util
import hashlib
import hmac
import multiprocessing
import os
import struct
import subprocess
import tempfile
import time

from runs import row, run

SIZES = (1000, 10_000, 100_000)
ALONE = 60
WORKERS = 10
PSKC = "urn:ietf:params:xml:ns:keyprov:pskc"


def seed(number):
    return hashlib.sha1(b"%d" % number).digest()


def otp(number):
    """The first OTP of a token (RFC 4226 §5.3)."""
    mac = hmac.new(seed(number), struct.pack(">Q", 0), "sha1").digest()
    start = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[start:start + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


def key_package(number):
    return (f"<KeyPackage><DeviceInfo><SerialNo>S{number}</SerialNo></DeviceInfo>"
            f'<Key Id="S{number}" Algorithm="{PSKC}:hotp"><AlgorithmParameters>'
            '<ResponseFormat Length="6" Encoding="DECIMAL"/></AlgorithmParameters><Data>'
            f"<Secret><PlainValue>{base64.b64encode(seed(number)).decode()}</PlainValue></Secret>"
            "<Counter><PlainValue>0</PlainValue></Counter></Data></Key></KeyPackage>")


class Store:
    """A store of so many tokens, each of which is asked once."""

    def __init__(self, program, folder, count):
        self.program, self.path = program, f"{folder}/store-{count}"
        file = f"{folder}/tokens.xml"
        with open(file, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as text:
            text.write(f'<KeyContainer Version="1.0" xmlns="{PSKC}">')
            text.writelines(map(key_package, range(count)))
            text.write("</KeyContainer>\n")
        for command in (["create", self.path], ["import", "--records", self.path, file]):
            subprocess.run([program, "records", *command], check=True, capture_output=True)
        os.unlink(file)

    def verify(self, number):
        found = run([self.program, "verify", "--records", self.path, "--serial", f"S{number}"],
                    "/", f"{otp(number)}\n")
        if found.status != 0:
            raise SystemExit(f"verify ended with {found.status}")
        return found

    def verify_all(self, numbers):
        for number in numbers:
            self.verify(number)


def at_once(store, each=40):
    """Checks a second of ten processes that start one `verify` after another."""
    shares = [range(ALONE + worker * each, ALONE + (worker + 1) * each)
              for worker in range(WORKERS)]
    with multiprocessing.Pool(WORKERS) as pool:
        began = time.monotonic()
        pool.map(store.verify_all, shares, 1)
        return WORKERS * each / (time.monotonic() - began)


def users_file(folder, count):
    """Milliseconds of liboath's own call, a process's start not counted; none where it isn't there."""
    name = ctypes.util.find_library("oath")
    if not name:
        print("  liboath is not installed: skipped")
        return []
    library = ctypes.CDLL(name)
    path = f"{folder}/users.oath"
    with open(path, "w") as text:
        text.writelines(f"HOTP/E/6\tu{number}\t-\t{seed(number).hex()}\t0\n"
                        for number in range(count))
    taken = []
    for number in range(0, count, count // 20):
        last = ctypes.c_long()
        began = time.process_time()
        status = library.oath_authenticate_usersfile(
            path.encode(), f"u{number}".encode(), otp(number).encode(), ctypes.c_size_t(10), None,
            ctypes.byref(last))
        taken.append((time.process_time() - began) * 1000)
        if status != 0:
            raise SystemExit(f"liboath answers {status}")
    return taken


def measure(program):
    print(f"softtoken-issuer verify ({ALONE} rounds)")
    for count in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            store = Store(program, folder, count)
            alone = [store.verify(number) for number in range(ALONE)]
            row(f"{count} tokens, processor time", [one.processor * 1000 for one in alone], "ms")
            row(f"{count} tokens, the clock", [one.clock * 1000 for one in alone], "ms")
            print(f"  {count} tokens, {WORKERS} at once: {at_once(store):.0f} a second")
            taken = users_file(folder, count)
            if taken:
                row(f"{count} tokens, liboath's users file, its call alone", taken, "ms")
