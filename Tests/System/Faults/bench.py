"""Homes to try things on, the release program to try them with, and the score.

SOFTTOKEN_BIN_DIR names the folder of the program. Each home is a copy of one that was prepared once.
"""
import base64
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import nacl.bindings as sodium
import nacl.signing

from reader import Folders, hash_of

PROGRAM = str(pathlib.Path(os.environ.get("SOFTTOKEN_BIN_DIR", "/tmp/rel")) / "softtoken")
PIN, NEW_PIN, WRONG_PIN = "8531", "6947", "5068"
TOTP_SEED, HOTP_SEED = os.urandom(20), os.urandom(32)
SCRATCH = tempfile.mkdtemp(prefix="softtoken-faults-")


def base64url(content):
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def __repr__(self):
        return f"[{self.code}] {self.out.strip()!r} {self.err.strip()[:300]!r}"

    @property
    def errors(self):
        return [line for line in self.err.splitlines() if line.startswith("softtoken: error:")]


class Home(Folders):
    """A home folder of its own."""

    def __init__(self, source=None):
        path = tempfile.mkdtemp(prefix="home-", dir=SCRATCH)
        super().__init__(path)
        if source:
            shutil.copytree(source.home, path, dirs_exist_ok=True, symlinks=True)

    def copy(self):
        return Home(self)

    def drop(self):
        shutil.rmtree(self.home, ignore_errors=True)

    # What a home with a chip answers otherwise (TPM/homes.py).
    secrets_in_files = ("device share", "device key", "log key")

    def plug_in(self):
        """What a command line begins with, for a program that is driven at a terminal."""
        return []

    def unplug(self):
        pass

    def spoken(self):
        """Secrets that the program has shared with a chip since it was plugged in, by name."""
        return {}

    def chip_problems(self, scenario, result, is_settled):
        """What is not as it should be in this home's chip, if it has one."""
        return []

    def environment(self):
        return {"HOME": str(self.home), "PATH": "/usr/bin:/bin", "TZ": "UTC", "LANG": "C.UTF-8"}

    def command(self, *arguments, around=()):
        return [*around, PROGRAM, *arguments]

    def run(self, *arguments, lines=(), around=(), timeout=150):
        done = subprocess.run(
            self.command(*arguments, around=around), env=self.environment(), timeout=timeout,
            input="".join(line + "\n" for line in lines), capture_output=True, text=True)
        return Result(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments, lines=(), around=()):
        process = subprocess.Popen(
            self.command(*arguments, around=around), env=self.environment(), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdin.write("".join(line + "\n" for line in lines))
        process.stdin.close()
        process.stdin = None
        return process

    def status(self):
        return json.loads(self.run("status", "--json").out)

    def must(self, *arguments, lines=()):
        result = self.run(*arguments, lines=lines)
        if result.code != 0:
            raise AssertionError(f"{arguments}: {result}")
        return result


def finished(process):
    out, err = process.communicate(timeout=300)
    return Result(process.returncode, out, err)


class Issuer:
    """A token vendor: makes links that are sealed to a request (CONTRACT, section 4)."""

    def __init__(self):
        self.key = nacl.signing.SigningKey.generate()
        self.x = bytes(self.key.verify_key)
        digits = base64.b32encode(hash_of(32, self.x)[:10]).decode()
        self.fingerprint = "-".join(digits[at:at + 4] for at in range(0, 16, 4))

    def link(self, request, seed, **statement):
        """A link that is sealed to a request."""
        device = base64.urlsafe_b64decode(request.split("#")[1] + "===")[1:33]
        jti = os.urandom(16)
        box = sodium.crypto_box_seal(self.x + jti + seed, device)
        return self.signed(jti, {"by": "device", "box": base64url(box)}, **statement)

    def link_by_code(self, code, seed, **statement):
        """A link whose seed an activation code opens."""
        jti, salt, nonce = os.urandom(16), os.urandom(16), os.urandom(24)
        key = sodium.crypto_pwhash_alg(32, code.replace("-", "").encode(), salt, 2, 64 << 20, 2)
        box = sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(
            seed, b"softtoken-link-1\0" + self.x + jti, nonce, key)
        return self.signed(jti, {
            "by": "code", "salt": base64url(salt), "ops": 2, "mem": 64 << 20,
            "nonce": base64url(nonce), "box": base64url(box)}, **statement)

    def signed(self, jti, seed, **statement):
        now = int(time.time())
        token = {"v": 1, "kind": "soft", "serial": "S" + jti.hex()[:10], "algorithm": "SHA1",
                 "digits": 6, "seed": seed, **statement}
        header = {"alg": "EdDSA", "typ": "softtoken+jwt",
                  "jwk": {"kty": "OKP", "crv": "Ed25519", "x": base64url(self.x)}}
        payload = {"iss": "Vendor", "sub": "alice", "jti": base64url(jti), "iat": now,
                   "exp": now + 86_400, "st": token}
        text = ".".join(base64url(json.dumps(part).encode()) for part in (header, payload))
        return f"softtoken:activate#{text}.{base64url(self.key.sign(text.encode()).signature)}"


def otpauth(kind, seed, name="alice"):
    secret = base64.b32encode(seed).decode().rstrip("=")
    factor = "period=30" if kind == "totp" else "counter=0"
    return f"otpauth://{kind}/{name}?secret={secret}&issuer=Example%20Health&digits=6&{factor}"


def activate(name, home, extra=()):
    """The arguments that activate the link in the home's file `link`."""
    return ["activate", "--from", str(home.home / "link"), "--name", name,
            "--not-prescribing-device", *extra]


def foreign_record():
    """The prescribing record of a computer that is not this one."""
    content = b"\x01\x06Office" + os.urandom(16) + b"\x02"
    content += b"\x01" + os.urandom(16) + b"\x02" + os.urandom(16)
    return "softtoken:prescribing#" + base64url(content + hash_of(32, content)[:4])


class Homes:
    """Homes that were prepared once, by the program itself; `make` makes an empty one."""

    def __init__(self, limit=3, make=Home):
        self.issuer = Issuer()
        self.requested = make()
        request = json.loads(self.requested.must("request", "--json").out)["request"]
        link = self.issuer.link(
            request, TOTP_SEED, type="totp", period=30, policy={"attempts": limit})
        (self.requested.home / "link").write_text(link)
        self.trusting = ("--trust-issuer", self.issuer.fingerprint)
        self.one = self.requested.copy()
        self.one.must(*activate("Clinic", self.one, self.trusting), lines=[PIN])
        (self.one.home / "link").write_text(otpauth("hotp", HOTP_SEED))
        self.two = self.one.copy()
        self.two.must(*activate("Counter", self.two), lines=[PIN])


class Score:
    """What passed and what failed; from several threads."""

    def __init__(self):
        self.passed, self.failed, self.lock = 0, [], threading.Lock()

    def check(self, name, problems):
        with self.lock:
            if problems:
                self.failed.append(name)
                print(f"FAILED {name}: " + "; ".join(map(str, problems)), flush=True)
            else:
                self.passed += 1

    def equal(self, name, found, wanted):
        self.check(name, [] if found == wanted else [f"{found!r}, not {wanted!r}"])

    def true(self, name, condition, why=""):
        self.check(name, [] if condition else [why or "not so"])

    def attempt(self, name, body):
        """Runs a case; an exception is a failure of that case."""
        try:
            self.check(name, body())
        except Exception as error:  # noqa: BLE001
            self.check(name, [f"{type(error).__name__}: {error}"])

    def end(self):
        shutil.rmtree(SCRATCH, ignore_errors=True)
        print(f"{self.passed} passed, {len(self.failed)} failed")
        sys.exit(1 if self.failed else 0)


def in_parallel(jobs, workers=None):
    """Runs functions on as many threads as there are processors: each waits for a process."""
    with concurrent.futures.ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        list(pool.map(lambda job: job(), jobs))


def evenly(items, count):
    """`count` of the items, spread evenly."""
    if count is None or count >= len(items):
        return items
    return [items[index * len(items) // count] for index in range(count)]


def without_numbers(text):
    return re.sub(r"\d+", "N", text)
