#!/usr/bin/python3
"""softtoken-issuer against programs that others wrote.

Links are opened by PyNaCl from CONTRACT.md alone; records are read by pskctool and python-pskc and
give the OTPs that oathtool gives; vendors' files are made by python-cryptography. Run as
    SOFTTOKEN_ISSUER_BIN=.build/debug/softtoken-issuer /usr/bin/python3 Tests/System/Partners/test_issuer.py
Needs apt: python3-nacl python3-cryptography pskctool oathtool; python-pskc and privacyidea (PyPI)
where they are.
"""

import base64
import csv
import fcntl
import hashlib
import hmac
import json
import os
import pty
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import termios
import threading
import time
import unittest

import nacl.bindings
import nacl.public
import nacl.pwhash.argon2id
import nacl.signing
from cryptography.hazmat.primitives import keywrap
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

try:
    import pskc
except ImportError:
    pskc = None

try:
    from privacyidea.lib import importotp
except ImportError:
    importotp = None

BIN = os.path.abspath(os.environ.get("SOFTTOKEN_ISSUER_BIN", ".build/debug/softtoken-issuer"))
PSKC = "urn:ietf:params:xml:ns:keyprov:pskc"
SEED = b"12345678901234567890"
NOW = 1_900_000_000


def b64u(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def read(path):
    with open(path) as file:
        return file.read()


def spell(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def oathtool(seed, *arguments):
    done = subprocess.run(
        ["oathtool", *arguments, seed.hex()], capture_output=True, text=True, check=True)
    return done.stdout.split()


def hotp(seed, counter, digits=6):
    return oathtool(seed, "--hotp", f"-c{counter}", f"-d{digits}")[0]


def totp(seed, at, algorithm="sha1", digits=6, period=30):
    return oathtool(
        seed, f"--totp={algorithm}", f"-N@{at}", f"-d{digits}", f"-s{period}s")[0]


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def write(self, name, text, mode=0o600):
        with open(self.path(name), "w") as file:
            file.write(text)
        os.chmod(self.path(name), mode)
        return self.path(name)

    def run_issuer(self, *arguments, text="", code=0, **options):
        done = subprocess.run(
            [BIN, *arguments], input=text, capture_output=True, text=True, timeout=120, **options)
        self.assertEqual(done.returncode, code, done.stderr)
        if code:
            self.assertRegex(done.stderr, r"(?m)^softtoken-issuer: error: [^A-Z].*[^.]$")
        self.assertLessEqual(done.stderr.count("softtoken-issuer: hint: "), 1)
        return done

    def keygen(self, name="Example Clinic"):
        done = self.run_issuer("keygen", "--out", self.path("key"), "--name", name)
        self.fingerprint = done.stdout.strip()
        return self.path("key")

    def issue(self, *arguments, account="alice"):
        if not os.path.exists(self.path("key")):
            self.keygen()
        done = self.run_issuer(
            "issue", "--key", self.path("key"), "--account", account, "--json",
            "--records", self.path("r.xml"), *arguments)
        return json.loads(done.stdout)

    def seed_of(self, serial, records="r.xml"):
        with open(self.path(records)) as file:
            match = re.search(
                rf"<SerialNo>{serial}</SerialNo>.*?<PlainValue>(.*?)</PlainValue>", file.read(), re.S)
        return base64.b64decode(match[1])

    def verify(self, otps, serial="S1", records="r.xml", code=0, at=NOW, command=("verify",), **more):
        return self.run_issuer(
            *command, "--records", self.path(records), "--serial", serial, "--at", str(at),
            text="".join(otp + "\n" for otp in otps), code=code, **more)


class KeyTests(Case):
    def test_the_key_pair_is_ed25519_and_its_fingerprint_is_the_contracts(self):
        self.keygen("Klinik \u00c4")
        with open(self.path("key")) as file:
            private = json.load(file)
        with open(self.path("key.pub")) as file:
            public = json.load(file)
        signing = nacl.signing.SigningKey(b64u(private["jwk"].pop("d")))
        self.assertEqual(private, public)
        self.assertEqual(public["name"], "Klinik \u00c4")
        x = b64u(public["jwk"]["x"])
        self.assertEqual(bytes(signing.verify_key), x)
        digest = hashlib.blake2b(x, digest_size=32).digest()[:10]
        letters = base64.b32encode(digest).decode()
        self.assertEqual(
            self.fingerprint, "-".join(letters[i:i + 4] for i in range(0, 16, 4)))
        self.assertEqual(os.stat(self.path("key")).st_mode & 0o777, 0o600)
        self.assertEqual(os.stat(self.path("key.pub")).st_mode & 0o777, 0o644)

    def test_the_public_half_is_told_as_what_it_is(self):
        self.keygen()
        for mode in 0o644, 0o600:
            os.chmod(self.path("key.pub"), mode)
            done = self.run_issuer(
                "issue", "--key", self.path("key.pub"), "--account", "a", code=65)
            self.assertIn("key.pub is the public half of an issuer's key", done.stderr)
        # A private key that others may read is not taken for the public half.
        os.chmod(self.path("key"), 0o644)
        done = self.run_issuer("issue", "--key", self.path("key"), "--account", "a", code=78)
        self.assertIn("chmod 600", done.stderr)

    def test_a_key_is_never_overwritten(self):
        self.keygen()
        self.run_issuer("keygen", "--out", self.path("key"), "--name", "x", code=73)
        os.remove(self.path("key.pub"))
        self.run_issuer("keygen", "--out", self.path("key"), "--name", "x", code=73)
        self.assertEqual(sorted(os.listdir(self.folder.name)), ["key"])

    def test_an_odd_umask_makes_no_key_that_is_open_to_others(self):
        for mask in (0o000, 0o777):
            name = self.path(f"k{mask}")
            self.run_issuer("keygen", "--out", name, "--name", "x", umask=mask)
            self.assertEqual(os.stat(name).st_mode & 0o777, 0o600)


class LinkTests(Case):
    def payload(self, link):
        carrier, jws = link.split("#", 1)
        if carrier != "softtoken:activate":
            self.assertTrue(jws.startswith("softtoken="))
            jws = jws[len("softtoken="):]
        header, payload, signature = jws.split(".")
        key = json.loads(b64u(header))["jwk"]
        self.x = b64u(key["x"])
        self.assertEqual(
            json.loads(b64u(header)),
            {"alg": "EdDSA", "typ": "softtoken+jwt",
             "jwk": {"kty": "OKP", "crv": "Ed25519", "x": key["x"]}})
        nacl.signing.VerifyKey(self.x).verify(
            f"{header}.{payload}".encode(), b64u(signature))
        return json.loads(b64u(payload))

    def test_pynacl_opens_a_link_with_its_code_and_finds_the_records_seed(self):
        made = self.issue("--serial", "S1", "--algorithm", "SHA256", "--digits", "8",
                          "--period", "60", "--pending", "3600", "--attempts", "5",
                          "--session", "60", "--separation", "strict", "--valid", "600")
        payload = self.payload(made["link"])
        st = payload["st"]
        self.assertEqual((payload["iss"], payload["sub"]), ("Example Clinic", "alice"))
        self.assertEqual(payload["exp"] - payload["iat"], 600)
        self.assertLess(abs(payload["iat"] - time.time()), 60)
        self.assertEqual(payload["jti"], made["jti"])
        self.assertEqual(made["fingerprint"], self.fingerprint)
        self.assertEqual(
            (st["v"], st["kind"], st["serial"], st["type"], st["algorithm"], st["digits"],
             st["period"], st["pending"]),
            (1, "soft", "S1", "totp", "SHA256", 8, 60, 3600))
        self.assertEqual(st["policy"], {"attempts": 5, "session": 60, "separation": "strict"})
        box = st["seed"]
        key = nacl.pwhash.argon2id.kdf(
            32, made["code"].replace("-", "").encode(), b64u(box["salt"]),
            opslimit=box["ops"], memlimit=box["mem"])
        seed = nacl.bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(
            b64u(box["box"]), b"softtoken-link-1\0" + self.x + b64u(payload["jti"]),
            b64u(box["nonce"]), key)
        self.assertEqual(seed, self.seed_of("S1"))
        self.assertEqual(len(seed), 32)

    def request(self, device):
        content = b"\x01" + bytes(device.public_key)
        digest = hashlib.blake2b(content, digest_size=32).digest()
        letters = base64.b32encode(digest[:10]).decode()
        self.verification = "-".join(letters[i:i + 4] for i in range(0, 16, 4))
        return "softtoken:request#" + spell(content + digest[:4])

    def test_pynacl_opens_a_link_that_is_sealed_to_its_device(self):
        device = nacl.public.PrivateKey.generate()
        if not os.path.exists(self.path("key")):
            self.keygen()
        done = self.run_issuer(
            "issue", "--key", self.path("key"), "--account", "a", "--request",
            self.request(device), "--serial", "S1", "--records", self.path("r.xml"), "--hotp",
            "--carrier", "https://example.org/start", "--json")
        self.assertTrue(done.stderr.startswith(f"verification {self.verification}\n"))
        made = json.loads(done.stdout)
        self.assertIsNone(made["code"])
        self.assertTrue(made["link"].startswith("https://example.org/start#softtoken="))
        payload = self.payload(made["link"])
        clear = nacl.public.SealedBox(device).decrypt(b64u(payload["st"]["seed"]["box"]))
        self.assertEqual(clear, self.x + b64u(payload["jti"]) + self.seed_of("S1"))

    def test_at_a_terminal_the_verification_is_compared_before_anything_is_made(self):
        self.keygen()
        request = self.request(nacl.public.PrivateKey.generate())
        typed = self.verification.replace("-", " ").lower()
        for answer, code in ((typed, 0), ("yes", 0), (self.verification[:-1] + "9", 65), ("", 64)):
            terminal, side = pty.openpty()
            os.write(terminal, answer.encode() + b"\n")
            done = subprocess.run(
                [BIN, "issue", "--key", self.path("key"), "--account", "a", "--request", request,
                 "--records", self.path("r.xml")], stdin=side, capture_output=True, text=True,
                timeout=60)
            os.close(terminal)
            os.close(side)
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertTrue(done.stderr.startswith(f"verification {self.verification}\n"))
            self.assertEqual(bool(done.stdout), code == 0)
        self.assertEqual(read(self.path("r.xml")).count("<KeyPackage>"), 2)

    def test_a_code_that_is_easy_to_guess_is_refused(self):
        self.keygen()
        start = ["issue", "--key", self.path("key"), "--account", "a", "--code"]
        for code in ("00000-00000", "01234-56789", "98765-43210", "ABCDE-ABCDE", "AABBA-BABBA",
                     "12345-67890", "09876-54321", "56789-01234", "13579-02468", "QWERT-ASDFG",
                     "asdfg-hjkl1", "ZXCVB-NMASD", "1QAZ2-WSX3E", "QAZWS-XEDCR", "ABCDE-12345",
                     "11223-34455"):
            self.run_issuer(*start, code, code=88)
        done = self.run_issuer(*start, "7G3KQ-0ZMX1")
        self.assertEqual(done.stdout.split()[1], "7G3KQ-0ZMX1")

    def test_a_code_comes_from_a_descriptor_and_not_from_the_arguments(self):
        self.keygen()
        reading, writing = os.pipe()
        os.write(writing, b"7g3kq0zmx1\n")
        done = self.run_issuer(
            "issue", "--key", self.path("key"), "--account", "a", "--code-fd", str(reading),
            pass_fds=[reading])
        self.assertEqual(done.stdout.split()[1], "7G3KQ-0ZMX1")

    def test_the_place_of_a_code_in_the_arguments_is_overwritten(self):
        self.keygen()
        for code in (["--code", "7G3KQ-0ZMX1"], ["--code=7G3KQ-0ZMX1"]):
            # The lock of the records is held here, so that the program waits.
            with open(self.path("r.xml.lock"), "w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                process = subprocess.Popen(
                    [BIN, "issue", "--key", self.path("key"), "--account", "a", "--records",
                     self.path("r.xml"), *code], stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL)
                time.sleep(1)
                with open(f"/proc/{process.pid}/cmdline", "rb") as file:
                    line = file.read()
                process.kill()
                process.wait()
            self.assertIn(b"r.xml", line)
            self.assertNotIn(b"7G3KQ", line)

    def test_a_damaged_request_is_usage(self):
        self.keygen()
        request = self.request(nacl.public.PrivateKey.generate())
        for text in (request[:-1], request + "A", request.replace("#", "#A", 1), "x"):
            self.run_issuer("issue", "--key", self.path("key"), "--account", "a",
                            "--request", text, code=64)

    def test_inspect_says_what_a_link_says_and_rejects_a_changed_one(self):
        link = self.issue("--serial", "S1")["link"]
        told = self.run_issuer("inspect", link).stdout
        self.assertIn(f"signature: right, by {self.fingerprint}\n", told)
        self.assertIn("serial: S1\n", told)
        self.assertEqual(self.run_issuer("inspect", text=link + "\n").stdout, told)
        head, payload, signature = link.split(".")
        changed = ("A" if signature[0] != "A" else "B") + signature[1:]
        self.run_issuer("inspect", f"{head}.{payload}.{changed}", code=65)
        self.run_issuer("inspect", f"{head}.{payload}", code=65)

    def test_an_otpauth_link_is_not_left_in_the_arguments(self):
        process = subprocess.Popen(
            [BIN, "verify", "--records", "r", "--serial", "otpauth://totp/a?secret=GEZDGNBV"],
            stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        _, error = process.communicate(b"")
        self.assertEqual(process.returncode, 64)
        self.assertNotIn(b"GEZDGNBV", error)

    def test_usage(self):
        self.keygen()
        for arguments in (["issue"], ["frob"], ["--frob"], ["issue", "--key", self.path("key")],
                          ["issue", "--key", self.path("key"), "--account", "a",
                           "--code", "short"]):
            self.run_issuer(*arguments, code=64)
        self.run_issuer("issue", "--key", self.path("none"), "--account", "a", code=66)
        self.run_issuer("issue", "--key", self.path("key.pub"), "--account", "a", code=65)
        self.assertIn("ot certified for EPCS", self.run_issuer("--version").stdout)
        for shell in ("bash", "zsh", "fish"):
            self.assertIn("softtoken", self.run_issuer("--generate-completion-script", shell).stdout)


class LetterTests(Case):
    def letter(self, *arguments, **changes):
        made = self.issue("--serial", "S1", "--letter", self.path("l"), *arguments, **changes)
        parts = {name: read(self.path("l/" + name))
                 for name in ("mails/S1.txt", "sheets/S1.txt", "sheets/S1.html")}
        return made, parts

    def test_the_link_and_the_code_are_in_different_files_that_nobody_else_reads(self):
        made, parts = self.letter("--valid", "7d", "--pending", "10m")
        mail, sheet, page = parts.values()
        self.assertIn(f"\n\n{made['link']}\n\n", mail)
        for text in sheet, page:
            self.assertIn(made["code"], text)
            self.assertIn(made["fingerprint"], text)
            self.assertIn("For 10 minutes", text)
            self.assertNotIn("softtoken:", text)
            self.assertNotIn("<script", text)
        for part in made["code"].split("-"):
            self.assertNotIn(part, mail.replace(made["link"], ""))
        self.assertNotIn(made["fingerprint"], mail)
        for folder, folders, files in os.walk(self.path("l")):
            for name, mode in [(n, 0o700) for n in folders] + [(n, 0o600) for n in files]:
                self.assertEqual(os.stat(os.path.join(folder, name)).st_mode & 0o777, mode, name)

    def test_a_letter_is_never_overwritten(self):
        _, before = self.letter()
        self.run_issuer("issue", "--key", self.path("key"), "--account", "b", "--serial", "S1",
                        "--letter", self.path("l"), "--records", self.path("new.xml"), code=73)
        self.assertFalse(os.path.exists(self.path("new.xml")))
        self.assertEqual(read(self.path("l/mails/S1.txt")), before["mails/S1.txt"])

    def test_the_mail_activates_the_token_and_the_sheet_has_the_code(self):
        program = os.environ.get("SOFTTOKEN", os.path.join(os.path.dirname(BIN), "softtoken"))
        if not os.access(program, os.X_OK):
            self.skipTest(f"{program} is not there")
        made, parts = self.letter()
        code = re.search(r"\n    ([0-9A-Z]{5}-[0-9A-Z]{5})\n", parts["sheets/S1.txt"])[1]
        # The steps, in the order of the questions (CONTRACT section 1).
        steps = " ".join(parts["sheets/S1.txt"].split())
        places = [steps.index(said) for said in (
            "Run softtoken activate", "Paste the link", "computer, type no", "type yes only if",
            "Type the activation code", "Name the token", "Choose a PIN",
            "then run softtoken activate again")]
        self.assertEqual(places, sorted(places))
        self.write("mail", parts["mails/S1.txt"])
        done = subprocess.run(
            [program, "activate", "--from", self.path("mail"), "--not-prescribing-device",
             "--trust-issuer", made["fingerprint"], "--name", "Sign",
             "--clock-is", time.strftime("%Y-%m-%d", time.gmtime())],
            input=f"{code}\n4271\n", capture_output=True, text=True, timeout=60,
            env={"HOME": self.folder.name, "PATH": "/usr/bin:/bin", "TZ": "UTC"})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("Sign is activated", done.stderr)

    @unittest.skipUnless(shutil.which("qrencode"), "qrencode is not installed")
    def test_the_picture_is_the_link_and_no_program_has_it_in_its_arguments(self):
        self.keygen()
        command = [BIN, "issue", "--key", self.path("key"), "--account", "a", "--json",
                   "--qr", self.path("q.png")]
        if shutil.which("strace"):
            command = ["strace", "-f", "-s", "4096", "-e", "trace=execve", "-o", self.path("t"),
                       *command]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        link = json.loads(done.stdout)["link"]
        self.assertEqual(os.stat(self.path("q.png")).st_mode & 0o777, 0o600)
        if shutil.which("strace"):
            trace = read(self.path("t"))
            self.assertIn("qrencode", trace)
            self.assertNotIn(link[-40:], trace)
        if shutil.which("zbarimg"):
            shown = subprocess.run(["zbarimg", "--quiet", "--raw", "--nodbus", self.path("q.png")],
                                   capture_output=True, text=True)
            self.assertEqual(shown.stdout.strip(), link)

    @unittest.skipUnless(shutil.which("qrencode"), "qrencode is not installed")
    def test_nothing_is_left_of_a_link_that_no_picture_holds(self):
        self.keygen()
        record = bytes([1, 1]) + b"p" + bytes(16) + bytes([40])
        record += b"".join(bytes([1]) + bytes([number]) * 16 for number in range(40))
        record += hashlib.blake2b(record, digest_size=32).digest()[:4]
        command = ["issue", "--key", self.path("key"), "--account", "a", "--serial", "S1",
                   "--records", self.path("r.xml"), "--letter", self.path("letters")]
        command += ["--prescribing", "softtoken:prescribing#" + spell(record)] * 4
        done = self.run_issuer(*command, "--qr", self.path("q.png"), code=65)
        self.assertIn("2,953 bytes", done.stderr)
        self.assertEqual(done.stdout, "")
        for name in ("r.xml", "q.png", "letters/mails/S1.txt"):
            self.assertFalse(os.path.exists(self.path(name)), name)
        # The serial is free still.
        self.run_issuer(*command)

    def test_without_qrencode_nothing_is_made(self):
        if os.geteuid() != 0:
            self.skipTest("hiding a program needs root")
        self.keygen()
        hide = "".join(f"[ -e {p} ] && mount --bind /dev/null {p}; "
                       for p in ("/usr/bin/qrencode", "/usr/local/bin/qrencode", "/bin/qrencode"))
        done = subprocess.run(
            ["unshare", "-m", "bash", "-c", hide + 'exec "$@"', "-", BIN, "issue", "--key",
             self.path("key"), "--account", "a", "--records", self.path("r.xml"),
             "--qr", self.path("q.png")], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 64, done.stderr)
        self.assertIn("install qrencode", done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertFalse(os.path.exists(self.path("r.xml")))


class NextStepTests(Case):
    """At a terminal a command ends with the next one, which works as it stands."""

    # The commands name the program as one who has it in the path runs it.
    environment = {**os.environ, "PATH": f"{os.path.dirname(BIN)}:{os.environ['PATH']}"}

    def at_terminal(self, command, columns=0):
        """What a shell's command shows, and the commands that it tells."""
        leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        process = subprocess.Popen(
            ["/bin/sh", "-c", command], stdin=subprocess.DEVNULL, stdout=follower,
            stderr=follower, cwd=self.folder.name, env=self.environment)
        os.close(follower)
        shown = b""
        while True:
            try:
                shown += os.read(leader, 4096)
            except OSError:
                break
        os.close(leader)
        self.assertEqual(process.wait(), 0, shown)
        text = shown.decode().replace("\r\n", "\n")
        return text, re.findall(r"^    (\S.*)$", text.replace(" \\\n", ""), re.M)

    def test_no_word_is_broken_in_a_window_and_a_broken_command_is_whole(self):
        self.at_terminal("softtoken-issuer keygen --out key --name A")
        issue = "rm -f r.xml; softtoken-issuer issue --key key --records r.xml --account "
        for number, command in enumerate((
                "softtoken-issuer --help", "softtoken-issuer issue --help", issue + "ann",
                "softtoken-issuer records unlock --records r.xml || true",
                "softtoken-issuer verify --records r.xml --serial ST0 < /dev/null || true")):
            whole, _ = self.at_terminal(command)
            words = set(whole.split())
            for columns in (20, 40, 80):
                shown, _ = self.at_terminal(command, columns)
                # The link is a word of its own, and drawn anew like the code and the serial.
                for word in shown.replace(" \\\n", " ").split():
                    if command.startswith(issue) and not word.islower():
                        continue
                    self.assertIn(word, words, f"{command} {columns}")
                for line in shown.splitlines():
                    self.assertTrue(len(line) <= columns or len(line.split()) == 1, line)
        shown, _ = self.at_terminal(issue + "bob", 20)
        told = shown[shown.index("softtoken-issuer \\\n"):]
        self.assertIn("accepted", self.at_terminal(
            "oathtool --totp -b $(softtoken-issuer export --records r.xml --format freeradius --out u "
            "&& sed -n 's/^\"bob.*:= \"\\(.*\\)\"/\\1/p' u) > otp; < otp " + told)[0])

    def test_each_command_leads_to_the_next(self):
        folder = self.path("front desk's")
        os.mkdir(folder)
        for first in (f"keygen --out a --name A", "records create s"):
            start = f'cd "{folder}"; '
            told = [f"{BIN} {first}"]
            while told:
                text, told = self.at_terminal(start + "&&".join(told))
                last = told[-1] if told else ""
                if " verify " in last:
                    break
            self.assertIn(" verify ", last, text)
            done = subprocess.run(
                ["/bin/sh", "-c", start + last], input="000000", capture_output=True, text=True,
                env=self.environment)
            self.assertEqual(done.returncode, 65, done.stderr)
            self.assertIn("not accepted", done.stderr)

    def test_a_script_is_not_told(self):
        self.keygen()
        done = self.run_issuer(
            "issue", "--key", self.path("key"), "--account", "a", "--records", self.path("r.xml"))
        self.assertNotIn("Next", done.stderr)
        self.assertEqual(len(done.stdout.splitlines()), 2)
        text, told = self.at_terminal(
            f"{BIN} issue --key key --account b --records r.xml --json")
        self.assertEqual((text.count("\n"), told), (1, []))


class RecordTests(Case):
    def test_pskctool_validates_and_reads_the_records(self):
        self.issue("--serial", "S1", account='a & "b" <c>, d')
        self.issue("--serial", "S2", "--hotp", "--algorithm", "sha512", "--digits", "7")
        done = subprocess.run(
            ["pskctool", "--validate", self.path("r.xml")], capture_output=True, text=True)
        self.assertIn("OK", done.stdout)
        told = subprocess.run(
            ["pskctool", "--info", "--strict", self.path("r.xml")], capture_output=True, text=True)
        self.assertEqual(told.returncode, 0)
        seed = base64.b64encode(self.seed_of("S1")).decode()
        self.assertIn(f"Key Secret (base64): {seed}", told.stdout)
        self.assertIn('Key User Id: UID=a & \\22b\\22 \\3Cc\\3E\\2C d', told.stdout)
        self.assertIn("Algorithm Parameters Suite: SHA512", told.stdout)
        self.assertEqual(os.stat(self.path("r.xml")).st_mode & 0o777, 0o600)

    @unittest.skipUnless(pskc and importotp, "python-pskc or privacyIDEA is not installed")
    def test_three_readers_take_the_same_hash_from_the_records(self):
        expected = {}
        for algorithm in ("sha1", "sha256", "sha512"):
            self.issue("--serial", algorithm, "--algorithm", algorithm, "--period", "60")
            expected[algorithm] = (algorithm, self.seed_of(algorithm).hex(), "60")
        found, skipped = importotp.parsePSKCdata(read(self.path("r.xml")))
        self.assertEqual(skipped, [])
        self.assertEqual(
            {serial: (token["hashlib"], token["otpkey"], token["timeStep"])
             for serial, token in found.items()}, expected)
        keys = pskc.PSKC(self.path("r.xml")).keys
        self.assertEqual([key.algorithm_suite for key in keys], [None, "SHA256", "SHA512"])
        told = subprocess.run(["pskctool", "--info", "--strict", self.path("r.xml")],
                              capture_output=True, text=True, check=True).stdout
        self.assertEqual(re.findall("Parameters Suite: (.*)", told), ["SHA256", "SHA512"])

    @unittest.skipUnless(pskc, "python-pskc is not installed")
    def test_python_pskc_reads_the_records_and_what_verify_leaves(self):
        self.issue("--serial", "S1", "--algorithm", "sha256", "--digits", "8", "--period", "60")
        self.issue("--serial", "S2", "--hotp")
        seed = self.seed_of("S1")
        self.verify([totp(seed, NOW + 60, "sha256", 8, 60)])
        self.verify([hotp(self.seed_of("S2"), 4)], serial="S2")
        timed, counted = pskc.PSKC(self.path("r.xml")).keys
        self.assertEqual(timed.secret, seed)
        self.assertEqual(
            (timed.serial, timed.algorithm, timed.algorithm_suite, timed.response_length,
             timed.time_interval, timed.time_offset, timed.time_drift, timed.key_userid),
            ("S1", PSKC + ":totp", "SHA256", 8, 60, NOW // 60 + 1, 1, "UID=alice"))
        self.assertEqual((counted.counter, counted.secret), (5, self.seed_of("S2")))

    def test_oathtools_otps_are_accepted_once(self):
        for algorithm in ("sha1", "sha256", "sha512"):
            for digits in (6, 7, 8):
                serial = f"{algorithm}-{digits}"
                self.issue("--serial", serial, "--algorithm", algorithm, "--digits", str(digits))
                otp = totp(self.seed_of(serial), NOW, algorithm, digits)
                done = self.verify([otp], serial=serial)
                self.assertEqual(done.stdout, "accepted, drift 0 steps (0 s)\n")
                self.verify([otp], serial=serial, code=65)

    def test_drift_is_told_and_remembered(self):
        self.issue("--serial", "S1")
        seed = self.seed_of("S1")
        for number in range(1, 6):
            at = NOW + 300 * number
            done = self.verify([totp(seed, at + 30 * number)], at=at)
            self.assertEqual(
                done.stdout, f"accepted, drift +{number} steps (+{30 * number} s)\n")
        self.verify([totp(seed, NOW + 3000)], at=NOW + 3000, code=65)

    def test_hotp_is_brought_back_by_two_in_a_row(self):
        self.issue("--serial", "S1", "--hotp")
        seed = self.seed_of("S1")
        self.verify([hotp(seed, 10)])
        self.verify([hotp(seed, 900)], code=65)
        self.verify([hotp(seed, 900), hotp(seed, 902)], code=65)
        done = self.verify([hotp(seed, 900), hotp(seed, 901)])
        self.assertEqual(done.stdout, "accepted, counter 901, 889 skipped\n")
        for counter in (10, 900, 901):
            self.verify([hotp(seed, counter)], code=65)
        self.verify([hotp(seed, 902)])

    def test_of_many_at_once_one_is_accepted(self):
        self.issue("--serial", "S1")
        otp = totp(self.seed_of("S1"), NOW)
        codes = []

        def attempt():
            codes.append(subprocess.run(
                [BIN, "verify", "--records", self.path("r.xml"), "--serial", "S1", "--at", str(NOW)],
                input=otp, text=True, capture_output=True).returncode)

        threads = [threading.Thread(target=attempt) for _ in range(12)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        self.assertEqual(sorted(codes), [0] + [65] * 11)

    def test_what_cant_be_read_or_written_has_its_own_code(self):
        self.issue("--serial", "S1")
        seed = self.seed_of("S1")
        self.verify([], code=64)
        self.verify(["12345"], code=65)
        self.verify(["123456"], serial="S2", code=66)
        self.verify(["123456"], records="none.xml", code=66)
        os.chmod(self.path("r.xml"), 0o640)
        done = self.verify([totp(seed, NOW)], code=78)
        self.assertIn("chmod 600", done.stderr)
        os.chmod(self.path("r.xml"), 0o600)
        os.rename(self.path("r.xml"), self.path("real.xml"))
        os.symlink(self.path("real.xml"), self.path("r.xml"))
        self.verify([totp(seed, NOW)], code=78)

    def test_a_full_disk_is_told_and_leaves_the_records_as_they_were(self):
        self.issue("--serial", "S1")
        before = read(self.path("r.xml"))
        arguments = [BIN, "issue", "--key", self.path("key"), "--account", "a"]
        with open("/dev/full", "w") as full:
            done = subprocess.run(arguments, stdout=full, stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 74)
        self.assertIn("the disk is full", done.stderr)
        with open("/dev/full", "w") as full:
            done = subprocess.run(
                [*arguments, "--serial", "S2", "--records", self.path("lost.xml")], stdout=full,
                stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 74)
        self.assertIn("the link of token S2 is lost", done.stderr)
        self.assertRegex(done.stderr, r"records revoke --records \S+lost\.xml --serial S2 ends this one")
        # A file may grow to 512 bytes and no further: the record's new version doesn't fit.
        done = subprocess.run(
            ["bash", "-c", 'ulimit -f 1; trap "" XFSZ; exec "$@"', "bash", *arguments,
             "--records", self.path("r.xml")], capture_output=True, text=True)
        self.assertEqual(done.returncode, 74, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertEqual(read(self.path("r.xml")), before)
        self.assertNotIn("r.xml.new", os.listdir(self.folder.name))

    def test_a_kill_at_any_call_of_the_update_leaves_the_old_record_or_the_new_one(self):
        self.issue("--serial", "S1", "--hotp")
        seed = self.seed_of("S1")
        before = read(self.path("r.xml"))
        expected = re.sub(
            r"(?s)<Counter>.*</Counter>", "<Counter><PlainValue>4</PlainValue></Counter>", before)
        for call in ("openat", "write", "fsync", "renameat"):
            for number in range(1, 300):
                self.write("r.xml", before)
                done = subprocess.run(
                    ["strace", "-qq", "-o", "/dev/null", "-e", f"trace={call}",
                     "-e", f"inject={call}:signal=KILL:when={number}", BIN, "verify", "--records",
                     self.path("r.xml"), "--serial", "S1"],
                    input=hotp(seed, 3), text=True, capture_output=True)
                after = read(self.path("r.xml"))
                if done.returncode == 0:
                    break
                self.assertIn(after, (before, expected), f"{call} {number}")
            self.assertGreater(number, 1, call)
            self.assertEqual(done.returncode, 0, call)

    def test_a_serial_is_there_once(self):
        self.issue("--serial", "S1")
        before = read(self.path("r.xml"))
        self.run_issuer("issue", "--key", self.path("key"), "--account", "b", "--serial", "S1",
                        "--records", self.path("r.xml"), code=64)
        self.assertEqual(read(self.path("r.xml")), before)


def vendor(secret, protection="", policy="", data="<Counter><PlainValue>0</PlainValue></Counter>"):
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<KeyContainer Version="1.0" xmlns="{PSKC}" xmlns:ds="http://www.w3.org/2000/09/xmldsig#"
  xmlns:xenc="http://www.w3.org/2001/04/xmlenc#" xmlns:xenc11="http://www.w3.org/2009/xmlenc11#"
  xmlns:pkcs5="http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5v2-0#">{protection}
  <!-- the vendor's own words -->
  <KeyPackage><DeviceInfo><Manufacturer>oath.AC</Manufacturer><SerialNo>S1</SerialNo></DeviceInfo>
    <Key Id="K" Algorithm="{PSKC}:hotp"><AlgorithmParameters>
      <ResponseFormat Encoding="DECIMAL" Length="6"/></AlgorithmParameters>
      <Data><Secret>{secret}</Secret>{data}</Data>{policy}</Key></KeyPackage>
</KeyContainer>
"""


def encrypted(algorithm, value, mac=None):
    text = (f'<EncryptedValue><xenc:EncryptionMethod Algorithm="{algorithm}"/><xenc:CipherData>'
            f"<xenc:CipherValue>{base64.b64encode(value).decode()}</xenc:CipherValue>"
            "</xenc:CipherData></EncryptedValue>")
    return text + (f"<ValueMAC>{base64.b64encode(mac).decode()}</ValueMAC>" if mac else "")


def cbc(key, clear):
    count = 16 - len(clear) % 16
    iv = os.urandom(16)
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    # XML Encryption's padding: only the last byte says anything.
    padded = clear + os.urandom(count - 1) + bytes([count])
    return iv + encryptor.update(padded) + encryptor.finalize()


XENC = "http://www.w3.org/2001/04/xmlenc#"
NAMED = "<EncryptionKey><ds:KeyName>Pre-shared</ds:KeyName></EncryptionKey>"
MACS = {
    "sha1": "http://www.w3.org/2000/09/xmldsig#hmac-sha1",
    "sha256": "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
    "sha512": "http://www.w3.org/2001/04/xmldsig-more#hmac-sha512",
}


def mac_method(name, algorithm, key, mac_key):
    inner = encrypted(algorithm, cbc(key, mac_key)).replace("EncryptedValue>", "MACKey>")
    return f'<MACMethod Algorithm="{MACS[name]}">{inner}</MACMethod>'


class VendorTests(Case):
    def from_pskc(self, text, secret=None, code=0, *arguments):
        if not os.path.exists(self.path("key")):
            self.keygen()
        self.write("vendor.xml", text, 0o644)
        if os.path.exists(self.path("r.xml")):
            os.remove(self.path("r.xml"))
        options, more = {}, []
        if secret is not None:
            reader, writer = os.pipe()
            os.write(writer, secret.encode() + b"\n")
            os.close(writer)
            self.addCleanup(os.close, reader)
            options, more = {"pass_fds": [reader]}, ["--key-fd", str(reader)]
        return self.run_issuer(
            "from-pskc", self.path("vendor.xml"), "--key", self.path("key"), "--records",
            self.path("r.xml"), "--json", *more, *arguments, code=code, **options)

    def test_cbc_and_key_wrap_of_each_length_with_each_mac(self):
        for size in (16, 24, 32):
            key, mac_key = os.urandom(size), os.urandom(20)
            for name in MACS:
                algorithm = f"{XENC}aes{size * 8}-cbc"
                value = cbc(key, SEED)
                mac = hmac.new(mac_key, value, name).digest()
                protection = NAMED + mac_method(name, algorithm, key, mac_key)
                self.from_pskc(vendor(encrypted(algorithm, value, mac), protection), key.hex())
                self.assertEqual(self.seed_of("S1"), SEED)
                wrong = bytes([mac[0] ^ 1]) + mac[1:]
                for bad in (wrong, mac[:-1], mac + b"\0"):
                    self.from_pskc(
                        vendor(encrypted(algorithm, value, bad), protection), key.hex(), 65)
                self.from_pskc(vendor(encrypted(algorithm, value), protection), key.hex(), 65)
            wrapped = keywrap.aes_key_wrap(key, SEED + b"abcd")
            text = vendor(encrypted(f"{XENC}kw-aes{size * 8}", wrapped), NAMED)
            self.from_pskc(text, key.hex())
            self.assertEqual(self.seed_of("S1"), SEED + b"abcd")
            self.from_pskc(text, os.urandom(size).hex(), 65)
            self.from_pskc(text, None, 64)
            self.from_pskc(text, "zz", 64)

    def test_without_a_mac_key_the_encryption_key_authenticates(self):
        key = os.urandom(16)
        value = cbc(key, SEED)
        method = f'<MACMethod Algorithm="{MACS["sha256"]}"/>'
        mac = hmac.new(key, value, "sha256").digest()
        self.from_pskc(
            vendor(encrypted(f"{XENC}aes128-cbc", value, mac), NAMED + method), key.hex())
        self.assertEqual(self.seed_of("S1"), SEED)

    def test_passwords_by_pbkdf2_with_each_function(self):
        for name in MACS:
            key = hashlib.pbkdf2_hmac(name, "päss wörd".encode(), b"saltsalt", 5000, 32)
            value = keywrap.aes_key_wrap(key, SEED + b"abcd")
            prf = "" if name == "sha1" else f'<PRF Algorithm="urn:x#hmac-{name}"/>'
            protection = (
                "<EncryptionKey><xenc11:DerivedKey><xenc11:KeyDerivationMethod "
                'Algorithm="http://www.w3.org/2009/xmlenc11#pbkdf2"><pkcs5:PBKDF2-params><Salt>'
                f"<Specified>{base64.b64encode(b'saltsalt').decode()}</Specified></Salt>"
                f"<IterationCount>5000</IterationCount><KeyLength>32</KeyLength>{prf}"
                "</pkcs5:PBKDF2-params></xenc11:KeyDerivationMethod></xenc11:DerivedKey>"
                "</EncryptionKey>")
            text = vendor(encrypted(f"{XENC}kw-aes256", value), protection)
            self.from_pskc(text, "päss wörd")
            self.assertEqual(self.seed_of("S1"), SEED + b"abcd")
            self.from_pskc(text, "pass word", 65)

    def test_an_unknown_policy_element_keeps_the_key_from_being_used(self):
        plain = f"<PlainValue>{base64.b64encode(SEED).decode()}</PlainValue>"
        self.from_pskc(vendor(plain, policy="<Policy><KeyUsage>OTP</KeyUsage></Policy>"))
        self.from_pskc(vendor(plain, policy='<Policy><x xmlns="urn:x"/></Policy>'), None, 88)
        self.assertFalse(os.path.exists(self.path("r.xml")))

    def test_a_doctype_is_refused_and_nothing_else_is_opened(self):
        plain = f"<PlainValue>{base64.b64encode(SEED).decode()}</PlainValue>"
        secret = self.write("other", "PASSWD")
        text = vendor(plain).replace(
            "?>", f'?><!DOCTYPE a [<!ENTITY x SYSTEM "file://{secret}">]>', 1)
        trace = self.path("trace")
        self.keygen()
        self.write("vendor.xml", text.replace("vendor's", "&x;"))
        done = subprocess.run(
            ["strace", "-f", "-e", "trace=open,openat", "-o", trace, BIN, "from-pskc",
             self.path("vendor.xml"), "--key", self.path("key")], capture_output=True, text=True)
        self.assertEqual(done.returncode, 65)
        self.assertIn("document type definition", done.stderr)
        with open(trace) as file:
            self.assertNotIn("/other", file.read())

    def test_encrypted_counters_have_as_many_bytes_as_multiotp_writes(self):
        key = os.urandom(16)
        algorithm = f"{XENC}aes128-cbc"
        protection = NAMED + mac_method("sha1", algorithm, key, key)

        def value(clear):
            text = cbc(key, clear)
            return encrypted(algorithm, text, hmac.new(key, text, "sha1").digest())

        for counter, size in ((0, 1), (200, 1), (40_000, 2), (0x800000, 3), (7, 4), (1 << 33, 5),
                              (1 << 40, 6), (1 << 52, 7), (1 << 52, 8)):
            data = f"<Counter>{value(counter.to_bytes(size, 'big'))}</Counter>"
            self.from_pskc(vendor(value(SEED), protection, data=data), key.hex())
            self.assertIn(f"<PlainValue>{counter}</PlainValue>", read(self.path("r.xml")))
        for wrong in (b"", bytes(9)):
            data = f"<Counter>{value(wrong)}</Counter>"
            self.from_pskc(vendor(value(SEED), protection, data=data), key.hex(), 65)

    def test_padded_key_wrap_is_read_and_triple_des_is_named(self):
        for size in (16, 24, 32):
            key = os.urandom(size)
            wrapped = keywrap.aes_key_wrap_with_padding(key, SEED)
            for algorithm in (f"{XENC}kw-aes{size * 8}",
                              f"http://www.w3.org/2009/xmlenc11#kw-aes-{size * 8}-pad"):
                text = vendor(encrypted(algorithm, wrapped), NAMED)
                self.from_pskc(text, key.hex())
                self.assertEqual(self.seed_of("S1"), SEED)
                self.from_pskc(text, os.urandom(size).hex(), 65)
        value = cbc(key[:16], SEED)
        mac = encrypted(f"{XENC}tripledes-cbc", os.urandom(32))
        protection = NAMED + f'<MACMethod Algorithm="{MACS["sha1"]}">' + mac.replace(
            "EncryptedValue>", "MACKey>") + "</MACMethod>"
        text = vendor(encrypted(f"{XENC}aes128-cbc", value, bytes(20)), protection)
        self.assertIn("3DES", self.from_pskc(text, key[:16].hex(), 65).stderr)

    @unittest.skipUnless(pskc, "python-pskc is not installed")
    def test_a_seed_that_python_pskc_wrapped_with_padding_is_read(self):
        container = pskc.PSKC()
        container.add_key(
            id="K", serial="S1", secret=SEED, counter=3, algorithm=PSKC + ":hotp",
            response_length=6, response_encoding="DECIMAL")
        container.encryption.setup_preshared_key(key=bytes(range(16)), algorithm="kw-aes128")
        container.write(self.path("pskc.xml"))
        self.from_pskc(read(self.path("pskc.xml")), bytes(range(16)).hex())
        self.assertEqual(self.seed_of("S1"), SEED)

    @unittest.skipUnless(pskc, "python-pskc is not installed")
    def test_a_file_that_python_pskc_encrypted_is_read(self):
        container = pskc.PSKC()
        container.add_key(
            id="K", serial="S1", secret=SEED, counter=3, algorithm=PSKC + ":hotp",
            response_length=6, response_encoding="DECIMAL")
        container.encryption.setup_pbkdf2("secret", iterations=2000)
        container.write(self.path("pskc.xml"))
        with open(self.path("pskc.xml")) as file:
            self.from_pskc(file.read(), "secret")
        self.assertEqual(self.seed_of("S1"), SEED)
        self.assertIn("<PlainValue>3</PlainValue>", read(self.path("r.xml")))

    def test_a_hard_token_is_bound_by_its_button_and_the_file_stays_as_it_was(self):
        plain = f"<PlainValue>{base64.b64encode(SEED).decode()}</PlainValue>"
        before = vendor(plain)
        self.write("r.xml", before)
        bind = ("bind", "--account", "alice")
        self.verify([hotp(SEED, 500)], command=bind, code=65)
        done = self.verify([hotp(SEED, 500), hotp(SEED, 501)], command=bind)
        self.assertEqual(done.stdout, "bound S1 to alice, counter 501, 500 skipped\n")
        after = read(self.path("r.xml"))
        expected = before.replace(
            "<Counter><PlainValue>0</PlainValue></Counter></Data>",
            "<Counter><PlainValue>502</PlainValue></Counter></Data><UserId>UID=alice</UserId>")
        self.assertEqual(after, expected)
        self.verify([hotp(SEED, 502)], command=("bind", "--account", "bob"), code=88)
        self.verify([hotp(SEED, 502)])

    def test_an_encrypted_vendors_file_is_bound_and_stays_encrypted(self):
        key = os.urandom(16)
        secret = encrypted(f"{XENC}kw-aes128", keywrap.aes_key_wrap(key, SEED + b"abcd"))
        self.write("r.xml", vendor(secret, NAMED))
        for command, counter in ((("bind", "--account", "a"), 0), (("verify",), 1)):
            reader, writer = os.pipe()
            os.write(writer, key.hex().encode())
            os.close(writer)
            self.verify([hotp(SEED + b"abcd", counter)], command=(*command, "--key-fd", str(reader)),
                        pass_fds=[reader])
            os.close(reader)
        self.assertIn(secret, read(self.path("r.xml")))


class MissTests(Case):
    def test_the_hint_fits_the_token_that_was_missed(self):
        self.issue("--serial", "S1")
        self.issue("--serial", "S2", "--hotp")
        plain = f"<PlainValue>{base64.b64encode(SEED).decode()}</PlainValue>"
        self.write("v.xml", vendor(plain))
        for serial, records, words in [
            ("S1", "r.xml", "compare the clocks"), ("S2", "r.xml", "if softtoken show was run often"),
            ("S1", "v.xml", "press it twice"),
        ]:
            done = self.verify(["000000"], serial, records, code=65)
            self.assertIn(words, done.stderr)


class ManyTests(Case):
    def many(self, rows, *arguments, code=0, **options):
        if not os.path.exists(self.path("key")):
            self.keygen()
        self.write("in.csv", rows)
        return self.run_issuer("issue", "--key", self.path("key"), "--csv", self.path("in.csv"),
                               "--out", self.path("out"), *arguments, code=code, **options)

    def rows(self, name):
        with open(self.path("out/" + name), newline="") as file:
            return list(csv.DictReader(file))

    def request(self):
        """A request and its verification, two fields of a row."""
        content = b"\x01" + bytes(nacl.public.PrivateKey.generate().public_key)
        digest = hashlib.blake2b(content, digest_size=32).digest()
        letters = base64.b32encode(digest[:10]).decode()
        return "softtoken:request#" + spell(content + digest[:4]) + "," + "-".join(
            letters[i:i + 4] for i in range(0, 16, 4))

    def test_bad_rows_are_told_by_their_line_and_the_others_are_made(self):
        request = self.request()
        done = self.many(
            "account,serial,type,request,verification\r\n"
            f'"Doe, ""J""",S1,,{request}\r\n'
            "\r\n"
            f",S2,,{request}\r\n"
            "bob,S3,hotp,,\r\n"
            f'"two\r\nlines",S4,,{request}\r\n'
            f"carol,S1,,{request}\r\n"
            "dave,S5,,softtoken:request#AAAA,\r\n"
            f"erin,S6,,{request}\r\n", code=65)
        lines = [int(line) for line in re.findall(r"line (\d+):", done.stderr)]
        self.assertEqual(lines, [4, 6, 8, 9])
        self.assertIn("4 of 7 were rejected", done.stderr)
        links, codes = self.rows("links.csv"), self.rows("codes.csv")
        self.assertEqual([row["serial"] for row in links], ["S1", "S3", "S6"])
        self.assertEqual(links[0]["account"], 'Doe, "J"')
        self.assertEqual([row["serial"] for row in codes], ["S3"])
        for row in links:
            self.assertIn(f"serial: {row['serial']}\n", self.run_issuer("inspect", row["link"]).stdout)
        done = subprocess.run(["pskctool", "--validate", self.path("out/records.xml")],
                              capture_output=True, text=True)
        self.assertIn("OK", done.stdout)
        self.assertEqual(
            {oct(os.stat(self.path("out/" + name)).st_mode & 0o777)
             for name in ("links.csv", "codes.csv", "records.xml")}, {"0o600"})

    def test_links_come_out_in_the_order_of_their_rows_and_memory_is_bounded(self):
        """Codes are made on all cores, 64 MiB each; a request is done long before a code."""
        self.keygen()
        request = self.request()
        rows = [(f"a{n}", f"N{n}", request if n % 3 else ",") for n in range(40)]
        rows[7] = ("a7", "N6", ",")
        rows[11] = ("a11", "", "softtoken:request#x,")
        self.write("in.csv", "account,serial,request,verification\n" + "".join(
            ",".join(row) + "\n" for row in rows))
        with open(self.path("told"), "w") as told:
            process = subprocess.Popen(
                [BIN, "issue", "--key", self.path("key"), "--csv", self.path("in.csv"), "--out",
                 self.path("d")], stderr=told)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(process.returncode, 65, read(self.path("told")))
        self.assertEqual(re.findall(r"line (\d+)", read(self.path("told"))), ["9", "13"])
        made = [row for n, row in enumerate(rows) if n not in (7, 11)]
        with open(self.path("d/links.csv"), newline="") as file:
            links = list(csv.DictReader(file))
        self.assertEqual([row["account"] for row in links], [row[0] for row in made])
        for row in links:
            part = row["link"].split("#", 1)[1].split(".")[1]
            self.assertEqual(json.loads(b64u(part))["st"]["serial"], row["serial"])
        with open(self.path("d/codes.csv"), newline="") as file:
            codes = list(csv.DictReader(file))
        self.assertEqual([row["serial"] for row in codes], [row[1] for row in made if row[2] == ","])
        self.assertEqual(
            re.findall(r"<SerialNo>(.*?)<", read(self.path("d/records.xml"))),
            [row[1] for row in made])
        self.assertLess(usage.ru_maxrss, (os.cpu_count() * 64 + 60) * 1024)

    def test_no_field_of_a_csv_is_a_formula(self):
        self.keygen()
        marks = ["=1+1", "+1", "-1", "@a", "\uff1d1", "a=1"]
        self.write("in.csv", "account,serial\n" + "".join(
            f"{mark},{mark}\n" for mark in marks))
        self.run_issuer("issue", "--key", self.path("key"), "--csv", self.path("in.csv"), "--out",
                        self.path("d"))
        for name in ("links.csv", "codes.csv"):
            with open(self.path("d/" + name), newline="") as file:
                rows = list(csv.reader(file))[1:]
            for mark, row in zip(marks, rows):
                self.assertEqual(row[:2], [mark if mark == "a=1" else "'" + mark] * 2)
                for field in row:
                    self.assertFalse(field.startswith(tuple("=+-@\t\r\uff1d")), field)

    def test_nothing_is_overwritten_and_an_unknown_column_is_told(self):
        self.many(f"account,request,verification\na,{self.request()}\n")
        links = read(self.path("out/links.csv"))
        self.many(f"account,request,verification\na,{self.request()}\n", code=73)
        self.assertEqual(read(self.path("out/links.csv")), links)
        self.many("account,reqest\na,x\n", code=65)

    def test_a_column_more_is_ignored_with_a_warning_that_names_it(self):
        done = self.many(f"account,phone,request,verification\na,5551234,{self.request()}\n")
        self.assertIn("warning: the column phone is not known and is ignored\n", done.stderr)
        self.assertEqual(len(self.rows("links.csv")), 1)

    def test_letters_of_many_keep_links_and_codes_apart(self):
        letters = self.path("letters")
        done = self.many(
            "account,serial,request,verification\nada,S1,,\nbad\x07,S2,,\n"
            f"bob,S3,{self.request()}\neve,S4,,\n",
            "--letter", letters, code=65)
        self.assertIn(f"{letters}/mails, and on another way {letters}/sheets", done.stderr)
        self.assertEqual(sorted(os.listdir(letters + "/mails")), ["S1.txt", "S3.txt", "S4.txt"])
        codes = {row["serial"]: row["code"] for row in self.rows("codes.csv")}
        self.assertEqual(set(codes), {"S1", "S4"})
        for row in self.rows("links.csv"):
            serial = row["serial"]
            mail = read(f"{letters}/mails/{serial}.txt")
            sheets = [read(f"{letters}/sheets/{serial}.{kind}") for kind in ("txt", "html")]
            self.assertIn(f"\n{row['link']}\n", mail)
            for sheet in sheets:
                self.assertNotIn("#", sheet.replace("#000", "").replace("#fff", ""))
                for other, code in codes.items():
                    self.assertNotIn(code, mail)
                    self.assertEqual(code in sheet, other == serial)
                self.assertIn(self.fingerprint, sheet)
                self.assertIn(row["verification"], sheet)
                self.assertEqual(row["verification"] != "", serial == "S3")

    def test_a_letter_that_is_there_ends_the_run_before_anything_is_made(self):
        folder = self.path("letters")
        for part in ("mails/B2.txt", "sheets/B2.html"):
            os.makedirs(os.path.dirname(f"{folder}/{part}"), 0o700, exist_ok=True)
            shutil.copy(self.write("mine", "mine"), f"{folder}/{part}")
            done = self.many(
                "account,serial\nann,B1\nbea,B2\n", "--letter", folder,
                "--records", self.path("r"), code=73)
            self.assertIn(f"there is a file {folder}/{part} already", done.stderr)
            self.assertEqual(os.listdir(self.path("out")), [])
            self.assertFalse(os.path.exists(self.path("r")))
            self.assertEqual(read(f"{folder}/{part}"), "mine")
            self.assertEqual(sum(len(files) for _, _, files in os.walk(folder)), 1)
            os.remove(f"{folder}/{part}")
            os.rmdir(self.path("out"))

    def test_rows_of_one_account_are_told_of_each_other(self):
        table = "account,serial\nann,A1\nbob,B1\nann,A2\n"
        command = "softtoken-issuer records revoke --records"
        for records in (self.path("new.xml"), self.path("other")):
            if records.endswith("other"):
                self.run_issuer("records", "create", records)
            done = self.many(table, "--records", records)
            self.assertEqual(done.stderr.count("warning: "), 1, done.stderr)
            self.assertIn(
                "line 4: ann has at least one other token that verifies: A1; "
                f"{command} {records} --serial A1 ends it", done.stderr)
            shutil.rmtree(self.path("out"))

    def test_a_request_that_was_exchanged_on_its_way_gets_no_link(self):
        """A row's verification is what the prescriber read out; the request came by mail."""
        his, anothers = self.request(), self.request()
        exchanged = anothers.split(",")[0] + "," + his.split(",")[1]
        none = anothers.split(",")[0] + ","
        done = self.many(
            f"account,serial,request,verification\nada,S1,{his}\n"
            f"bob,S2,{exchanged}\neve,S3,{none}\n", code=65)
        self.assertEqual(re.findall(r"line (\d+):", done.stderr), ["3", "4"])
        self.assertNotIn(anothers.split(",")[1], done.stderr)
        self.assertEqual([row["serial"] for row in self.rows("links.csv")], ["S1"])
        self.assertEqual(
            re.findall(r"<SerialNo>(.*?)<", read(self.path("out/records.xml"))), ["S1"])

    def test_a_column_of_requests_needs_the_verifications_beside_it(self):
        done = self.many(f"account,request\na,{self.request().split(',')[0]}\n", code=65)
        self.assertIn("the column verification is missing", done.stderr)
        self.assertFalse(os.path.exists(self.path("out")))

    def test_a_serial_of_a_vendors_file_steers_no_terminal(self):
        self.keygen()
        plain = f"<PlainValue>{base64.b64encode(SEED).decode()}</PlainValue>"
        serial = "A&#x9b;31m&#x202e;Z&#x85;&#x2028;a&#10;softtoken-issuer: error: b"
        self.write("vendor.xml", vendor(plain).replace("S1", serial))
        for more in ([], ["--out", self.path("d")]):
            done = self.run_issuer(
                "from-pskc", self.path("vendor.xml"), "--key", self.path("key"), *more, code=65)
            lines = [line for line in done.stderr.split("\n") if "SerialNo" in line]
            self.assertEqual(len(lines), 1, done.stderr)
            self.assertIn("A\ufffd31m\ufffdZ", lines[0])
            for mark in "\x9b\u202e\x85\u2028":
                self.assertNotIn(mark, done.stderr)
            self.assertNotIn("\nsofttoken-issuer: error: b", done.stderr)

    def test_no_letter_is_written_where_a_record_cant_be(self):
        self.write("old.xml", "<not-pskc/>")
        self.many("account\nada\n", "--letter", self.path("l"), "--records", self.path("old.xml"),
                  code=65)
        self.assertEqual(os.listdir(self.path("l/mails")), [])

    def test_a_code_stands_on_its_own_tokens_sheet_where_serials_differ_by_an_apostrophe(self):
        self.many(f"account,serial,request,verification\nann,=S,{self.request()}\nbea,'=S,,\n",
                  "--letter", self.path("l"))
        self.assertEqual([row["serial"] for row in self.rows("links.csv")], ["'=S", "''=S"])
        (code,) = [row["code"] for row in self.rows("codes.csv")]
        sheets = {name for name in os.listdir(self.path("l/sheets"))
                  if code in read(self.path("l/sheets/" + name))}
        self.assertEqual(sheets, {"%27%3DS.txt", "%27%3DS.html"})

    def test_ctrl_c_leaves_nothing_behind(self):
        self.keygen()
        request = self.request()
        self.write("in.csv", "account,request,verification\n" + f"a,{request}\n" * 100_000)
        process = subprocess.Popen(
            [BIN, "issue", "--key", self.path("key"), "--csv", self.path("in.csv"), "--out",
             self.path("out")], stderr=subprocess.PIPE)
        while not os.path.exists(self.path("out/links.csv.new")):
            time.sleep(0.01)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, error)
        self.assertEqual(os.listdir(self.path("out")), ["records.xml.lock"])

    def test_at_a_terminal_there_is_a_bar_and_it_goes(self):
        self.keygen()
        request = self.request()
        self.write("in.csv", "account,request,verification\n" + "".join(
            f"a{row},{request}\n" for row in range(2000)))
        leader, follower = pty.openpty()
        process = subprocess.Popen(
            [BIN, "issue", "--key", self.path("key"), "--csv", self.path("in.csv"), "--out",
             self.path("out")], stderr=follower)
        os.close(follower)
        shown = b""
        while True:
            try:
                piece = os.read(leader, 4096)
            except OSError:
                break
            if not piece:
                break
            shown += piece
        os.close(leader)
        self.assertEqual(process.wait(), 0)
        self.assertRegex(shown, rb"\r\[#*\.*\] \d+ %, \d+ links, \d+/s, \d+:\d\d left\x1b\[K")
        self.assertTrue(shown.endswith(b"\r\x1b[Klinks made: 2000\r\n"), shown[-80:])

    def test_a_vendors_file_becomes_links_in_a_folder(self):
        self.keygen()
        plain = f"<PlainValue>{base64.b64encode(SEED).decode()}</PlainValue>"
        one = vendor(plain)
        start, end = one.index("<KeyPackage>"), one.index("</KeyContainer>")
        package = one[start:end]
        bad = package.replace("S1", "S2").replace("DECIMAL", "HEXADECIMAL")
        text = one[:start] + package + bad + package.replace("S1", "S3") + one[end:]
        self.write("v.xml", text)
        done = self.run_issuer("from-pskc", self.path("v.xml"), "--key", self.path("key"),
                               "--out", self.path("out"), code=65)
        self.assertIn("S2: its one-time passwords are not 6 to 8 digits", done.stderr)
        self.assertEqual([row["serial"] for row in self.rows("codes.csv")], ["S1", "S3"])


class GuardTests(Case):
    def test_the_process_cant_be_read_nor_reach_the_network(self):
        process = subprocess.Popen(
            [BIN, "verify", "--records", "r", "--serial", "s"], stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(200):
            with open(f"/proc/{process.pid}/status") as file:
                status = file.read()
            if "Seccomp:\t2" in status:
                break
            time.sleep(0.01)
        self.assertIn("Seccomp:\t2", status)
        with open(f"/proc/{process.pid}/limits") as file:
            self.assertRegex(file.read(), r"Max core file size\s+0\s+0")
        # An undumpable process belongs to root; under root this can't be told apart by owner.
        if os.getuid() != 0:
            self.assertEqual(os.stat(f"/proc/{process.pid}/mem").st_uid, 0)
        process.communicate(b"")

    def test_the_issuers_powers_are_not_in_softtoken(self):
        """DESIGN section 2: KeystoreIssuer is not linked into `softtoken`."""
        program = os.path.join(os.path.dirname(BIN), "softtoken")
        for path, holds in ((BIN, True), (program, False)):
            with open(path, "rb") as file:
                self.assertEqual(b"KeystoreIssuer" in file.read(), holds, path)

    def test_a_descriptor_that_isnt_named_is_closed(self):
        ours, theirs = socket.socketpair()
        process = subprocess.Popen(
            [BIN, "verify", "--records", "r", "--serial", "s"], stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL, pass_fds=[theirs.fileno()])
        theirs.close()
        ours.settimeout(10)
        # The other end is gone while the process still waits for its input.
        self.assertEqual(ours.recv(1), b"")
        self.assertIsNone(process.poll())
        process.communicate(b"")
        ours.close()


if __name__ == "__main__":
    unittest.main()
