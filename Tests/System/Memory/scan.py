#!/usr/bin/python3
"""Reads all of the program's memory while it waits, and finds no secret in it.

As root: PR_SET_DUMPABLE keeps others out. Each target is driven at a pseudo-terminal to the moment
in question, stopped with SIGSTOP, and every mapping of /proc/PID/mem is searched, PROT_NONE ones
included: guarded memory between uses is no hiding place. Positive controls show that the search
finds what is there. Prints what was searched for; exit code 1 if anything was found.
"""
import base64
import functools
import hmac
import os
import pathlib
import resource
import signal
import subprocess
import sys
import time

import pexpect

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "Faults"))
from bench import HOTP_SEED, PIN, NEW_PIN, PROGRAM, TOTP_SEED, Home, Homes, Score, otpauth  # noqa: E402
from reader import subkey  # noqa: E402

HAYSTACK_LIMIT = 1 << 30


def forms(name, secret):
    """A secret in every form in which a program might hold it."""
    base32 = base64.b32encode(secret).decode().rstrip("=")
    texts = {"base32": base32, "base32 lower": base32.lower(), "hex": secret.hex(),
             "HEX": secret.hex().upper(), "base64": base64.b64encode(secret).decode().rstrip("="),
             "base64url": base64.urlsafe_b64encode(secret).decode().rstrip("=")}
    found = {f"{name} raw": secret, f"{name} reversed": secret[::-1]}
    for form, text in texts.items():
        found[f"{name} {form}"] = text.encode()
        found[f"{name} {form} UTF-16"] = text.encode("utf-16-le")
    # Half of it is enough to give it away: what a partial overwrite leaves.
    if len(secret) >= 20:
        found[f"{name} first half"] = secret[:len(secret) // 2]
        found[f"{name} second half"] = secret[len(secret) // 2:]
    return found


def hmac_forms(name, seed):
    """HMAC's pads, and the states that they leave behind: as good as the seed for making OTPs."""
    found = {}
    for pad, byte in (("ipad", 0x36), ("opad", 0x5C)):
        block = bytes(b ^ byte for b in seed.ljust(64, b"\0"))
        found[f"{name} {pad}"] = block[:len(seed) + 8]
        words = sha1_midstate(block)
        found[f"{name} {pad} midstate"] = b"".join(w.to_bytes(4, "little") for w in words)
        found[f"{name} {pad} midstate BE"] = b"".join(w.to_bytes(4, "big") for w in words)
    return found


def sha1_midstate(block):
    """The five words of SHA-1 after one block."""
    def turn(x, n):
        return (x << n | x >> (32 - n)) & 0xFFFFFFFF
    w = [int.from_bytes(block[i:i + 4], "big") for i in range(0, 64, 4)]
    for i in range(16, 80):
        w.append(turn(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1))
    start = [0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0]
    a, b, c, d, e = start
    for i in range(80):
        f, k = [(b & c | ~b & d, 0x5A827999), (b ^ c ^ d, 0x6ED9EBA1),
                (b & c | b & d | c & d, 0x8F1BBCDC), (b ^ c ^ d, 0xCA62C1D6)][i // 20]
        a, b, c, d, e = (turn(a, 5) + f + e + k + w[i]) & 0xFFFFFFFF, a, turn(b, 30), c, d
    return [(x + y) & 0xFFFFFFFF for x, y in zip(start, (a, b, c, d, e))]


class Image:
    """All of a stopped process's memory."""

    def __init__(self, pid):
        self.pid, self.parts, self.guarded = pid, [], set()
        lines = pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines()
        with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
            for line in lines:
                area, mode, _, _, _, *name = line.split(maxsplit=5)
                start, end = (int(x, 16) for x in area.split("-"))
                if name and name[0] in ("[vvar]", "[vsyscall]", "[vvar_vclock]"):
                    continue
                if end - start > HAYSTACK_LIMIT:
                    continue
                try:
                    memory.seek(start)
                    content = read_all(memory, end - start)
                except (OSError, ValueError):
                    continue
                self.parts.append((start, mode, name[0] if name else "", content))

    @property
    def size(self):
        return sum(len(content) for *_, content in self.parts)

    def find(self, needle):
        """Where it lies: (address, mode, name of the mapping)."""
        places = []
        for start, mode, name, content in self.parts:
            at = content.find(needle)
            while at >= 0:
                places.append((hex(start + at), mode, name))
                at = content.find(needle, at + 1)
        return places

    def find_short(self, digits):
        """Where four digits lie, but for mappings of files, whose tables hold digits by chance."""
        return [place for place in self.find(digits) if not place[2].startswith("/")]

    def blank(self, guarded):
        """Takes out of guarded memory what belongs there: an OTP may hold the PIN's digits."""
        for index, (start, mode, name, content) in enumerate(self.parts):
            if mode == "---p":
                for needle in guarded:
                    content = content.replace(needle, bytes(len(needle)))
                self.parts[index] = (start, mode, name, content)


def read_all(memory, size):
    content = bytearray()
    while len(content) < size:
        try:
            chunk = memory.read(min(1 << 24, size - len(content)))
        except OSError:
            chunk = b""
        if not chunk:
            # A page that can't be read (a guard page was never touched): zeros, and on.
            step = min(4096, size - len(content))
            content += bytes(step)
            memory.seek(step, os.SEEK_CUR)
        else:
            content += chunk
    return bytes(content)


class Target:
    """The program at a pseudo-terminal, as root or as an ordinary user."""

    def __init__(self, home, arguments, user=None, locked_memory=None):
        def prepare():
            if locked_memory:
                resource.setrlimit(resource.RLIMIT_MEMLOCK, (locked_memory, locked_memory))
            if user:
                os.setgroups([])
                os.setgid(user)
                os.setuid(user)
        self.home = home
        command = home.command(*arguments, around=home.plug_in())
        self.child = pexpect.spawn(
            command[0], command[1:], env={**home.environment(), "TERM": "xterm-256color"}, timeout=30,
            preexec_fn=prepare, dimensions=(24, 80))
        self.child.delaybeforesend = None

    def expect(self, text):
        self.child.expect_exact(text)
        return self

    def send(self, text):
        self.child.send(text)
        return self

    def image(self):
        time.sleep(0.3)
        os.kill(self.child.pid, signal.SIGSTOP)
        time.sleep(0.05)
        return Image(self.child.pid)

    def arguments_and_environment(self):
        folder = pathlib.Path(f"/proc/{self.child.pid}")
        return (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()

    def end(self):
        os.kill(self.child.pid, signal.SIGCONT)
        self.child.close(force=True)
        self.home.unplug()


def otps(seed, first, count):
    """The OTPs of consecutive time steps, six digits each: RFC 4226 section 5.3."""
    found = []
    for step in range(first, first + count):
        mac = hmac.digest(seed, step.to_bytes(8, "big"), "sha1")
        at = mac[-1] & 15
        number = int.from_bytes(mac[at:at + 4], "big") & 0x7FFFFFFF
        found.append((f"{number % 1_000_000:06}".encode(), number))
    return found


def rolling(score, home, suffix, seed, how):
    """Every OTP of a session, at its start and after a roll-over: outside of the one guarded buffer
    only the one on the screen, the announced next, and what the screen has shown."""
    target = Target(home, ["show", "Clinic"], **how).expect("PIN:").send(PIN + "\r").expect("1049h")
    start = int(time.time()) // 30
    # Not in the last seconds of a step, where the next one is announced.
    for moment in ("at the start", "after a roll-over"):
        while 20 < time.time() % 30 or moment != "at the start" and time.time() // 30 == start:
            time.sleep(0.5)
        image = target.image()
        now = int(time.time()) // 30
        problems = []
        made = otps(seed, start - 1, 13)
        for index, (digits, number) in enumerate(made[:12]):
            step = start - 1 + index
            texts = {"": digits, " in groups": digits[:3] + b" " + digits[3:],
                     # Two of them: four bytes may lie anywhere by chance.
                     " as numbers": (number.to_bytes(4, "little")
                                     + made[index + 1][1].to_bytes(4, "little")),
                     " in UTF-16": digits.decode().encode("utf-16-le")}
            for form, needle in texts.items():
                places = image.find_short(needle)
                guarded = [place for place in places if place[1] == "---p"]
                if step >= start and step <= now:
                    places = guarded
                # The one before the session's first is not made.
                if not form and len(guarded) != (step >= start):
                    problems.append(f"OTP {index}: {len(guarded)} times in guarded memory")
                if not form:
                    places = [place for place in places if place not in guarded]
                problems += [f"OTP {index}{form} at {place}" for place in places]
        print(f"  every OTP of the session {moment}{suffix}", flush=True)
        score.check(f"every OTP of the session {moment}{suffix}", problems)
        os.kill(target.child.pid, signal.SIGCONT)
    target.end()


class Secrets:
    """What must not be found, for one home."""

    def __init__(self, home, pin=PIN):
        opened = home.open(pin)
        self.needles = {}
        for name, secret in opened["keys"].items():
            self.needles.update(forms(name, secret))
        for name, token in opened["tokens"].items():
            self.needles.update(forms(f"seed of {name}", token["seed"]))
            self.needles.update(hmac_forms(f"seed of {name}", token["seed"]))
            self.needles.update(forms(f"seed key of {name}", token["key"]))
        log_key = home.key("log-key", b"ST-LKEY1")
        self.needles.update(forms("log key", log_key))
        for number in range(1, 5):
            self.needles.update(forms(f"log subkey {number}", subkey(log_key, number, b"stlogkey")))
        self.pin = pin.encode()
        self.seeds = [token["seed"] for token in opened["tokens"].values()]

    def otps(self):
        """Those that a display of this moment may hold, whichever token's it is."""
        return [digits for seed in self.seeds
                for digits, _ in otps(seed, int(time.time()) // 30 - 2, 16)]

    def without(self, *starts):
        kept = dict(self.needles)
        for name in self.needles:
            if name.startswith(starts):
                del kept[name]
        return kept


@functools.cache
def program_bytes():
    return pathlib.Path(PROGRAM).read_bytes()


def search(score, name, target, needles, typed=None, texts=(), once=None):
    """Searches a stopped target; `typed` are the secrets whose PIN it was given, `once` is (name, bytes)
    that is there exactly once, guarded."""
    image = target.image()
    needles = {**needles, **target.home.spoken()}
    problems = []
    # What every link holds stands in the program's own sample links, too.
    texts = [text for text in texts if text not in program_bytes()]
    for what, needle in {**needles, **{f"text {t[:12]!r}": t for t in texts}}.items():
        if once and what == once[0]:
            continue
        for place in image.find(needle):
            problems.append(f"{what} at {place}")
    if once:
        places = image.find(once[1])
        if len(places) != 1 or places[0][1] != "---p":
            problems.append(f"{once[0]}: {len(places)} times, {places}")
    if typed:
        image.blank(typed.otps())
        problems += [f"the PIN at {place}" for place in image.find_short(typed.pin)]
    content = target.arguments_and_environment()
    problems += [f"{what} in argv or environment" for what, needle in needles.items()
                 if needle in content]
    problems += [f"text {t[:12]!r} in argv or environment" for t in texts if t in content]
    problems += files_problems(target.home, needles, texts)
    print(f"  {name}: {image.size >> 20} MiB in {len(image.parts)} mappings, "
          f"{len(needles) + len(texts)} patterns", flush=True)
    target.end()
    score.check(name, problems)


def files_problems(home, needles, texts):
    """Seeds, PIN keys and texts in no file; the device's own keys are in their own."""
    problems = []
    kept = home.secrets_in_files
    for path in pathlib.Path(home.home).rglob("*"):
        if path.is_file() and path.name not in ("link", "trace"):
            content = path.read_bytes()
            problems += [f"{what} in {path.name}" for what, needle in needles.items()
                         if needle in content and not what.startswith(kept)]
            problems += [f"text {t[:12]!r} in {path.name}" for t in texts if t in content]
    return problems


def controls(score, secrets):
    """A process that holds every needle in guarded memory, and one that holds them in the open."""
    code = ("import ctypes, ctypes.util, sys, time\n"
            "s = ctypes.CDLL(ctypes.util.find_library('sodium') or 'libsodium.so.23')\n"
            "s.sodium_malloc.restype = ctypes.c_void_p\n"
            "s.sodium_mprotect_noaccess.argtypes = [ctypes.c_void_p]\n"
            "s.sodium_malloc.argtypes = [ctypes.c_size_t]\n"
            "s.sodium_init()\n"
            "while True:\n"
            "    line = sys.stdin.readline().strip()\n"
            "    if not line: break\n"
            "    secret = bytes.fromhex(line)\n"
            "    place = s.sodium_malloc(len(secret))\n"
            "    ctypes.memmove(place, secret, len(secret))\n"
            "    s.sodium_mprotect_noaccess(place)\n"
            "    line = secret = None\n"
            "print('ready', flush=True); time.sleep(600)\n")
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
    for needle in [*secrets.needles.values(), secrets.pin]:
        process.stdin.write(needle.hex() + "\n")
    process.stdin.write("\n")
    process.stdin.flush()
    process.stdout.readline()
    os.kill(process.pid, signal.SIGSTOP)
    image = Image(process.pid)
    missed = [what for what, needle in secrets.needles.items()
              if not any(mode == "---p" for _, mode, _ in image.find(needle))]
    score.check("control: guarded memory is searched", [f"not found: {w}" for w in missed])
    score.true("control: a PIN in an allocation of its own is found",
               image.find_short(secrets.pin))
    process.kill()
    process.wait()


def scans(score, home, suffix, **how):
    """Every moment in question."""
    secrets = Secrets(home)
    all_needles = secrets.needles
    fresh = dict(all_needles)

    target = Target(home, ["show", "Clinic"], **how).expect("PIN:")
    search(score, f"show at its PIN prompt{suffix}", target, fresh)
    target = Target(home, ["show", "Clinic"], **how).expect("PIN:").send("853")
    search(score, f"show, three digits typed{suffix}", target, fresh)
    target = Target(home, ["show", "Clinic"], **how).expect("PIN:").send(PIN + "\r").expect("1049h")
    search(score, f"the rolling display{suffix}", target, fresh, secrets)
    rolling(score, home, suffix, home.open(PIN)["tokens"]["Clinic"]["seed"], how)
    target = Target(home, ["show", "Clinic", "--plain"], **how).expect("PIN:").send(PIN + "\r")
    target.expect("Clinic")
    search(score, f"the plain display{suffix}", target, fresh, secrets)
    target = Target(home, ["list"], **how).expect("PIN:")
    search(score, f"list at its PIN prompt{suffix}", target, fresh)
    target = Target(home, ["rename", "Clinic", "Ward"], **how).expect("PIN:")
    search(score, f"rename at its PIN prompt{suffix}", target, fresh)
    # Between the PIN and the next question the keystore's keys are in use; its seeds are not.
    in_use = ("PINKey", "keystore key", "device share", "device root", "device key")
    target = Target(home, ["remove", "Clinic"], **how).expect("PIN:").send(PIN + "\r")
    target.expect("[yes/no]")
    search(score, f"remove at its question{suffix}", target, secrets.without(*in_use), secrets)
    target = Target(home, ["show"], **how).expect("PIN:").send(PIN + "\r").expect("Which token")
    search(score, f"show at its choice of token{suffix}", target, secrets.without(*in_use), secrets)
    target = Target(home, ["pin"], **how).expect("PIN:").send(PIN + "\r").expect("New PIN:")
    search(score, f"pin at its second prompt{suffix}", target, secrets.without(*in_use), secrets)
    activations(score, home, secrets, suffix, how)


def activations(score, home, secrets, suffix, how):
    seed = os.urandom(20)
    needles = {**secrets.needles, **forms("new seed", seed), **hmac_forms("new seed", seed)}
    once = ("new seed raw", seed)
    partial = {name: needle for name, needle in needles.items()
               if not name.startswith(("new seed first", "new seed second"))}
    link = otpauth("totp", seed, "bob")
    texts = [link.encode()[-60:], base64.b32encode(seed)[:16], b"otpauth://totp/bob"]
    asked = ["--not-prescribing-device", "--name", "New"]
    target = Target(home, ["activate", link, *asked], **how).expect("PIN:")
    search(score, f"activate LINK at its PIN prompt{suffix}", target, partial, texts=texts, once=once)
    target = Target(home, ["activate", *asked], **how).expect("press Enter")
    target.send(link + "\r").expect("PIN:")
    search(score, f"activate, pasted, at its PIN prompt{suffix}", target, partial, texts=texts,
           once=once)
    file = home.home / "link"
    file.write_text(f"Hello,\r\n\r\n<{link}>\r\n")
    os.chmod(file, 0o644)
    target = Target(home, ["activate", "--from", str(file), *asked], **how).expect("PIN:")
    search(score, f"activate --from at its PIN prompt{suffix}", target, partial, texts=texts,
           once=once)


def code_link(issuer, seed, code):
    """A signed link that needs an activation code (CONTRACT, section 4)."""
    import json
    import nacl.bindings as sodium
    import nacl.pwhash
    from bench import base64url
    jti, salt, nonce = os.urandom(16), os.urandom(16), os.urandom(24)
    key = nacl.pwhash.argon2id.kdf(32, code, salt, opslimit=2, memlimit=64 << 20)
    box = sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(
        seed, b"softtoken-link-1\0" + issuer.x + jti, nonce, key)
    now = int(time.time())
    header = {"alg": "EdDSA", "typ": "softtoken+jwt",
              "jwk": {"kty": "OKP", "crv": "Ed25519", "x": base64url(issuer.x)}}
    payload = {"iss": "Vendor", "sub": "carol", "jti": base64url(jti), "iat": now,
               "exp": now + 86_400, "st": {
                   "v": 1, "kind": "soft", "serial": "S1", "type": "totp", "algorithm": "SHA1",
                   "digits": 6, "period": 30, "seed": {
                       "by": "code", "salt": base64url(salt), "ops": 2, "mem": 64 << 20,
                       "nonce": base64url(nonce), "box": base64url(box)}}}
    text = ".".join(base64url(json.dumps(part).encode()) for part in (header, payload))
    link = f"softtoken:activate#{text}.{base64url(issuer.key.sign(text.encode()).signature)}"
    return link, key, box


def coded(score, homes, home, suffix, **how):
    """A signed link with its activation code, at the PIN prompt and on an empty home."""
    seed, code = os.urandom(20), b"7H3KQ9XWZ4"
    link, key, box = code_link(homes.issuer, seed, code)
    needles = {**forms("new seed", seed), **hmac_forms("new seed", seed),
               **forms("link key", key)}
    partial = {name: needle for name, needle in needles.items()
               if not name.startswith(("new seed first", "new seed second"))}
    texts = [code, code.lower(), b"7H3KQ-9XWZ4", b"7h3kq-9xwz4", link.encode()[-60:],
             link.encode()[-400:-340]]
    for where, prompt in ((home, "PIN:"), (Home(), "New PIN:")):
        if how.get("user"):
            give(where, how["user"])
        target = Target(where, ["activate", link, "--not-prescribing-device", "--name", "New",
                                *homes.trusting], **how)
        target.expect("Activation code").send("7h3kq-9xwz4\r").expect(prompt)
        search(score, f"activate with a code at {prompt}{suffix}", target, partial, texts=texts,
               once=("new seed raw", seed))
    where = Home()
    if how.get("user"):
        give(where, how["user"])
    target = Target(where, ["activate", link, "--not-prescribing-device", "--name", "New",
                            *homes.trusting], **how)
    target.expect("Activation code").send("7h3kq-9xwz4\r").expect("New PIN:").send(NEW_PIN + "\r")
    target.expect("again:")
    search(score, f"activate at the second PIN prompt{suffix}", target, partial, texts=texts,
           once=("new seed raw", seed))


def give(home, user):
    for path in [home.home, *home.home.rglob("*")]:
        os.chown(path, user, user)
    os.chmod(os.path.dirname(str(home.home)), 0o755)


def main():
    if os.geteuid() != 0:
        sys.exit("scan.py has to run as root: it reads another process's memory")
    score = Score()
    homes = Homes(limit=10)
    home = homes.two
    controls(score, Secrets(home))
    scans(score, home, "")
    coded(score, homes, home, "")
    small = homes.two.copy()
    scans(score, small, ", RLIMIT_MEMLOCK 64 KiB", locked_memory=65_536)
    ordinary = homes.two.copy()
    give(ordinary, 65_533)
    scans(score, ordinary, ", ordinary user", user=65_533, locked_memory=65_536)
    coded(score, homes, ordinary, ", ordinary user", user=65_533, locked_memory=65_536)
    score.end()


if __name__ == "__main__":
    main()
