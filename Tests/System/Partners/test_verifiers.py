#!/usr/bin/python3
"""`export` and the recipes of RECORDS.md section 9, with the packages' own programs on loopback.

Needs apt: oathtool; libpam-oath, pamtester, freeradius and freeradius-utils where they are, and root
for PAM. Needs PyPI: privacyidea where it is. What isn't there is skipped, and says so.
"""

import base64
import importlib.util
import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request
import uuid

from test_issuer import BIN, SEED, hotp, pskc, read, totp
from test_store import StoreCase, key, unbound

PAM = "/etc/pam.d/softtoken-partners-test"
IS_ROOT = os.geteuid() == 0
HAS_PAM = IS_ROOT and shutil.which("pamtester") and os.path.isdir("/etc/pam.d")
HAS_PAM_OATH = HAS_PAM and subprocess.run(
    "ls /lib/*/security/pam_oath.so", shell=True, capture_output=True).returncode == 0
FREERADIUS = shutil.which("freeradius") or shutil.which("freeradius", path="/usr/sbin")


class VerifierCase(StoreCase):
    def export(self, kind, name="out", code=0, secret=None, records="s"):
        return self.with_key(
            ["export", "--records", self.path(records), "--format", kind, "--out",
             self.path(name)], secret, code=code)

    def pam(self, service, user, otp):
        with open(PAM, "w") as file:
            file.write(service + "\n")
        self.addCleanup(lambda: os.path.exists(PAM) and os.unlink(PAM))
        done = subprocess.run(
            ["pamtester", os.path.basename(PAM), user, "authenticate"], input=otp + "\n",
            text=True, capture_output=True, timeout=60)
        return done.returncode == 0


class ExportTests(VerifierCase):
    def test_pskc_holds_all_that_a_record_says(self):
        self.store()
        self.add("S1", "ann", None, "--hotp")
        self.add("S2", "bob", None, "--algorithm", "SHA512", "--digits", "8")
        self.check(hotp(self.stored(), 3), 0)
        self.export("pskc", "out.xml")
        self.assertEqual(os.stat(self.path("out.xml")).st_mode & 0o777, 0o600)
        self.store("again")
        self.run_issuer("records", "import", "--records", self.path("again"),
                        self.path("out.xml"))
        self.assertEqual(
            self.query("SELECT * FROM tokens ORDER BY serial"),
            self.query("SELECT * FROM tokens ORDER BY serial", name="again"))
        self.export("pskc", "out.xml", code=73)

    def test_pskc_of_encrypted_records_stays_encrypted(self):
        secret = "correct horse"
        self.store("s", secret)
        self.add("S1", "ann", secret, "--hotp")
        self.export("pskc", "none.xml", code=64)
        self.assertFalse(os.path.exists(self.path("none.xml")))
        self.export("pskc", "out.xml", secret=secret)
        self.assertNotIn("<Secret>\n          <PlainValue>", read(self.path("out.xml")))
        if pskc is None:
            self.skipTest("python-pskc is not installed")
        opened = pskc.PSKC(self.path("out.xml"))
        opened.encryption.derive_key(secret)
        self.with_key(
            ["verify", "--records", self.path("s"), "--serial", "S1"], secret,
            text=hotp(opened.keys[0].secret, 0))

    def test_what_cant_be_expressed_is_told_and_nothing_is_written(self):
        self.store()
        self.add("GOOD", "ann")
        self.add("SHA", "bob", None, "--algorithm", "SHA256")
        self.add("STEP", "eve", None, "--period", "45")
        self.add("SPACE", "d d")
        for kind, told in (("users.oath", {"SHA", "STEP", "SPACE"}),
                           ("freeradius", {"SHA", "STEP"}), ("privacyidea", {"SHA", "STEP"})):
            done = self.export(kind, code=65)
            self.assertEqual(set(re.findall(r"token (\w+):", done.stderr)), told)
            self.assertFalse(os.path.exists(self.path("out")))
            self.assertFalse(os.path.exists(self.path("out.new")))

    def test_privacyideas_csv_is_what_its_parser_reads(self):
        """serial, key, [hotp,totp], [6,8], [30|60]: privacyidea/lib/importotp.py, parseOATHcsv."""
        self.store()
        self.add("S1", "ann", None, "--hotp")
        self.add("S2", "bob", None, "--digits", "8", "--period", "60")
        self.export("privacyidea")
        self.assertEqual(
            read(self.path("out")),
            f"S1, {self.stored().hex()}, hotp, 6\n"
            f"S2, {self.stored('S2').hex()}, totp, 8, 60\n")


class EncryptTests(VerifierCase):
    def test_records_in_the_clear_become_encrypted_ones(self):
        self.store()
        for name in ("s", "r.xml"):
            self.add("S1", "ann", None, "--hotp", name=name)
            self.add("S2", "bob", name=name)
        seeds = {"s": self.stored(), "r.xml": self.seed_of("S1")}
        texts = [self.query("SELECT seed FROM tokens")[0][0], read(self.path("r.xml"))]
        plain = re.findall(r"<PlainValue>(\S{28})</PlainValue>", texts[1]) + [texts[0]]
        self.assertEqual(len(plain), 3)
        for name in ("s", "r.xml"):
            self.with_key(["records", "encrypt", "--records", self.path(name)], "ab" * 16)
            self.with_key(["records", "encrypt", "--records", self.path(name)], "ab" * 16, code=64)
            self.check(hotp(seeds[name], 0), 64, name=name)
            self.with_key(["verify", "--records", self.path(name), "--serial", "S1"], "cd" * 16,
                          text=hotp(seeds[name], 0), code=65)
            self.with_key(["verify", "--records", self.path(name), "--serial", "S1"], "ab" * 16,
                          text=hotp(seeds[name], 0))
        for name in os.listdir(self.folder.name):
            with open(self.path(name), "rb") as file:
                content = file.read()
            for seed in plain:
                self.assertNotIn(seed.encode(), content, name)

    def encrypt(self, name, code=0):
        return self.with_key(
            ["records", "encrypt", "--records", self.path(name)], "ab" * 16, code=code)

    def contents(self, name):
        """What stands in a file of records and in those beside it."""
        content = b""
        for file in os.listdir(self.folder.name):
            if file.startswith(name):
                with open(self.path(file), "rb") as source:
                    content += source.read()
        return content

    def test_a_file_in_which_a_seed_would_be_left_is_refused_as_it_is(self):
        plain = f"<PlainValue>{base64.b64encode(SEED).decode()}</PlainValue>"
        secret = f"<Secret>{plain}</Secret>"
        for old, new, told in (
                (secret, secret + secret, "token S1: it has two Secret"),
                (secret, f"<Secret>{plain}{plain}</Secret>", "token S1: it has two PlainValue"),
                (secret, f"<Secret>{plain}<EncryptedValue/></Secret>", "token S1: its Secret is"),
                (secret, f"<Secret>{plain[12:-13]}</Secret>", "token S1: its Secret is"),
                (secret, secret + f"<Extensions>{secret}</Extensions>", "token S1: it holds more"),
                (secret, secret + f"<Extensions>{plain}</Extensions>", "token S1: it holds more"),
                (secret, secret + f"<s:Seed xmlns:s='urn:s'>{plain[12:-13]}</s:Seed>",
                 "token S1: it holds more"),
                (secret, secret + plain, "token S1: it holds more"),
                (secret, secret + plain[12:-13], "token S1: it holds more"),
                ("<Key ", f"<Key Seed='{plain[12:-13]}' ", "token S1: it holds more"),
                ("<DeviceInfo>", f"<DeviceInfo><Extensions>{secret}</Extensions>",
                 "token S1: it holds more"),
                (secret, secret + f"<!-- {plain} -->", "f.xml holds more"),
                (secret, secret + f"<?old {plain} ?>", "f.xml holds more"),
                ("</KeyContainer>", f"<Extensions>{secret}</Extensions></KeyContainer>",
                 "f.xml holds more"),
                ("</KeyContainer>", plain[12:-13] + "</KeyContainer>", "f.xml holds more"),
                (' Version="1.0"', f' Version="1.0" Seed="{plain[12:-13]}"', "f.xml holds more"),
                ("</KeyContainer>", f"</KeyContainer><!-- {plain} -->", "f.xml holds more"),
                ("<KeyPackage>", '<MACMethod Algorithm="x"/><KeyPackage>', "encrypted already")):
            text = unbound().replace(old, new)
            self.assertNotEqual(text, unbound())
            self.write("f.xml", text)
            done = self.encrypt("f.xml", code=64 if "already" in told else 65)
            self.assertIn(told, done.stderr, new)
            self.assertEqual(read(self.path("f.xml")), text)
            self.assertEqual(sorted(os.listdir(self.folder.name)), ["f.xml", "f.xml.lock"])
        # All that RFC 6030 has, and no more.
        self.write("f.xml", unbound().replace(secret, secret + "<Time>" + plain.replace(
            plain[12:-13], "7") + "</Time>").replace("</Key>", """<UserId>UID=a</UserId><Policy>
<StartDate>2020-01-01T00:00:00Z</StartDate><PINPolicy MinLength="4" PINUsageMode="Local"/>
<KeyUsage>OTP</KeyUsage></Policy></Key>"""))
        self.encrypt("f.xml")
        self.assertNotIn(plain[12:-13].encode(), self.contents("f.xml"))
        self.with_key(["verify", "--records", self.path("f.xml"), "--serial", "S1"], "ab" * 16,
                      text=hotp(SEED, 0))

    def test_nothing_of_a_seed_is_left_in_a_store_whatever_wrote_to_it(self):
        self.store()
        count = 300
        seeds = [os.urandom(20 + number % 40) for number in range(count)]
        texts = [base64.b64encode(seed) for seed in seeds]
        self.write("f.xml", "".join(
            [unbound().split("<KeyPackage>")[0]]
            + [unbound().split("<KeyContainer")[1].split(">", 1)[1].split("</KeyContainer>")[0]
               .replace("S1", f"S{number}")
               .replace(base64.b64encode(SEED).decode(), text.decode())
               for number, text in enumerate(texts)] + ["</KeyContainer>"]))
        self.run_issuer("records", "import", "--records", self.path("s"), self.path("f.xml"))
        # Another program, which leaves what it deleted on the pages.
        other = sqlite3.connect(self.path("s"))
        other.execute("PRAGMA secure_delete = OFF")
        other.execute("DELETE FROM tokens WHERE serial < 'S8'")
        other.commit()
        self.addCleanup(other.close)
        other.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        self.assertTrue(all(text in self.contents("s") for text in texts))
        self.encrypt("s")
        content = self.contents("s")
        self.assertEqual([text for text in texts if text in content or text[:12] in content], [])
        self.assertEqual(self.query("SELECT count(*) FROM tokens WHERE mac IS NULL"), [(0,)])
        self.assertEqual(self.query("PRAGMA integrity_check"), [("ok",)])
        for number in (8, 99):
            self.with_key(
                ["verify", "--records", self.path("s"), "--serial", f"S{number}"], "ab" * 16,
                text=hotp(seeds[number], 0))

    def test_what_a_reader_keeps_in_a_store_is_emptied_or_told(self):
        self.store()
        self.add()
        text = base64.b64encode(self.stored())
        self.query("PRAGMA wal_checkpoint(TRUNCATE)")
        reader = sqlite3.connect(self.path("s"), isolation_level=None, check_same_thread=False)
        self.addCleanup(reader.close)
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM tokens").fetchall()
        timer = threading.Timer(1, lambda: reader.execute("COMMIT"))
        timer.start()
        self.encrypt("s")
        timer.join()
        self.assertNotIn(text, self.contents("s"))
        # One that stays for over a minute.
        self.store("t")
        self.add(name="t")
        text = base64.b64encode(self.stored(name="t"))
        reader = sqlite3.connect(self.path("t"), isolation_level=None)
        self.addCleanup(reader.close)
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM tokens").fetchall()
        done = self.encrypt("t", code=75)
        self.assertIn("is encrypted, but what was in the clear is still", done.stderr)
        self.assertIn(text, self.contents("t"))
        reader.execute("COMMIT")
        self.encrypt("t", code=64)
        self.assertNotIn(text, self.contents("t"))

    def test_a_store_with_a_row_that_cant_be_encrypted_stays_as_it_is(self):
        for sql, told in (
                ("UPDATE tokens SET mac = 'AAAA' WHERE serial = 'S1'", "token S1: the key doesn't"),
                ("UPDATE tokens SET seed = '*' WHERE serial = 'S2'", "token S2: its Secret is"),
                ("UPDATE tokens SET serial = '' WHERE serial = 'S1'", "is in the clear")):
            name = self.store("d" + str(len(sql)))
            name = os.path.basename(name)
            self.add("S1", "ann", name=name)
            self.add("S2", "bob", name=name)
            self.query(sql, name=name)
            before = self.query("SELECT * FROM tokens", name=name)
            self.assertIn(told, self.encrypt(name, code=65).stderr)
            self.assertEqual(self.query("SELECT * FROM tokens", name=name), before)
            self.assertEqual(self.query("SELECT * FROM protection", name=name), [])

    def test_a_kill_leaves_the_one_or_the_other(self):
        for name in ("s", "r.xml"):
            if name == "s":
                self.store()
            self.add("S1", "ann", name=name)
            kept = {}
            for file in os.listdir(self.folder.name):
                if file.startswith(name):
                    with open(self.path(file), "rb") as source:
                        kept[file] = source.read()
            seen = set()
            for call in ("pwrite64", "write", "fdatasync", "fsync", "renameat", "ftruncate"):
                for number in range(1, 40):
                    for file in os.listdir(self.folder.name):
                        if file.startswith(name):
                            os.unlink(self.path(file))
                    for file, content in kept.items():
                        with open(self.path(file), "wb") as target:
                            target.write(content)
                        os.chmod(self.path(file), 0o600)
                    reading = key("ab" * 16)
                    done = subprocess.run(
                        ["strace", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e",
                         f"inject={call}:signal=KILL:when={number}", BIN, "records", "encrypt",
                         "--records", self.path(name), "--records-key-fd", str(reading)],
                        pass_fds=[reading], capture_output=True)
                    os.close(reading)
                    arguments = ["verify", "--records", self.path(name), "--serial", "S1"]
                    codes = []
                    for secret in (None, "ab" * 16):
                        reading = key(secret or "x")
                        more = ["--records-key-fd", str(reading)] if secret else []
                        codes.append(subprocess.run(
                            [BIN, *arguments, *more], input="000000", text=True,
                            capture_output=True, pass_fds=[reading]).returncode)
                        os.close(reading)
                    self.assertIn(codes, [[65, 64], [64, 65], [65, 65]], f"{name} {call} {number}")
                    seen.add(codes[0])
                    if done.returncode == 0:
                        break
            self.assertEqual(seen, {64, 65}, name)


@unittest.skipUnless(HAS_PAM_OATH, "pamtester and libpam-oath, and root")
class PAMOATHTests(VerifierCase):
    def test_pam_oath_accepts_an_exported_token_once(self):
        self.store()
        self.add("S1", "ann", None, "--hotp")
        self.add("S2", "bob")
        self.check(hotp(self.stored(), 2), 0)
        self.export("users.oath", "users.oath")
        service = f"auth required pam_oath.so usersfile={self.path('users.oath')} window=10 digits=6"
        self.assertFalse(self.pam(service, "ann", hotp(self.stored(), 2)))
        self.assertTrue(self.pam(service, "ann", hotp(self.stored(), 3)))
        self.assertFalse(self.pam(service, "ann", hotp(self.stored(), 3)))
        otp = totp(self.stored("S2"), int(time.time()))
        self.assertFalse(self.pam(service, "bob", "000000"))
        self.assertTrue(self.pam(service, "bob", otp))
        self.assertFalse(self.pam(service, "bob", otp))


@unittest.skipUnless(HAS_PAM, "pamtester, and root")
class PAMExecTests(VerifierCase):
    def test_pam_exec_asks_verify(self):
        self.store()
        self.add("S1", "ann", None, "--hotp")
        script = self.write("check", "\n".join([
            "#!/bin/sh",
            "# pam_exec ends what was typed with a zero byte.",
            f'tr "\\0" "\\n" | {BIN} verify --records {self.path("s")} --account "$PAM_USER"', ""]),
            0o700)
        service = f"auth required pam_exec.so expose_authtok quiet {script}"
        self.assertFalse(self.pam(service, "ann", "000000"))
        self.assertTrue(self.pam(service, "ann", hotp(self.stored(), 0)))
        self.assertFalse(self.pam(service, "ann", hotp(self.stored(), 0)))
        self.assertFalse(self.pam(service, "eve", hotp(self.stored(), 1)))


@unittest.skipUnless(FREERADIUS and shutil.which("radclient"), "freeradius and freeradius-utils")
class FreeRADIUSTests(VerifierCase):
    CONFIGURATION = """
        prefix = /usr
        libdir = /usr/lib/freeradius
        logdir = {folder}
        run_dir = {folder}
        pidfile = {folder}/pid
        name = partners
        client loopback {{
            ipaddr = 127.0.0.1
            secret = testing123
        }}
        modules {{
            files {{
                filename = {folder}/users
            }}
            totp {{
            }}
        }}
        server default {{
            listen {{
                type = auth
                ipaddr = 127.0.0.1
                port = {port}
            }}
            authorize {{
                files
                update request {{
                    &TOTP-Password := &User-Password
                }}
                update control {{
                    &Auth-Type := totp
                }}
            }}
            authenticate {{
                Auth-Type totp {{
                    totp
                }}
            }}
        }}
        """

    def ask(self, user, otp):
        done = subprocess.run(
            ["radclient", "-t", "5", "-r", "1", f"127.0.0.1:{self.port}", "auth", "testing123"],
            input=f'User-Name = "{user}", User-Password = "{otp}"', text=True,
            capture_output=True, timeout=30)
        return "Access-Accept" in done.stdout

    def test_freeradius_accepts_an_exported_token_and_a_replay_of_it(self):
        self.store()
        self.add("S1", "ann@example.org")
        self.export("freeradius", "users")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.write("radiusd.conf",
                   self.CONFIGURATION.format(folder=self.folder.name, port=self.port))
        server = subprocess.Popen(
            [FREERADIUS, "-f", "-l", "stdout", "-d", self.folder.name], stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)
        try:
            time.sleep(1)
            self.assertIsNone(server.poll(), server.poll() is not None and server.stdout.read())
            otp = totp(self.stored(), int(time.time()))
            self.assertFalse(self.ask("ann@example.org", "000000"))
            self.assertTrue(self.ask("ann@example.org", otp))
            # RECORDS.md says so: rlm_totp remembers nothing.
            self.assertTrue(self.ask("ann@example.org", otp))
            self.assertFalse(self.ask("eve", otp))
        finally:
            server.terminate()
            server.wait()
            server.stdout.close()


@unittest.skipUnless(
    pskc and importlib.util.find_spec("privacyidea"), "privacyidea and python-pskc from PyPI")
class PrivacyIDEATests(VerifierCase):
    """The server itself, which takes some seconds to start."""

    @classmethod
    def setUpClass(cls):
        cls.home = tempfile.TemporaryDirectory()
        cls.server = subprocess.Popen(
            [sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                          "privacyidea_server.py"), cls.home.name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        port = cls.server.stdout.readline().strip()
        if not port:
            raise RuntimeError(cls.server.stderr.read())
        cls.address = f"http://127.0.0.1:{port}"
        cls.token = cls.ask("/auth", username="admin", password="test")["token"]

    @classmethod
    def tearDownClass(cls):
        cls.server.kill()
        cls.server.communicate()
        cls.home.cleanup()

    @classmethod
    def ask(cls, path, file=None, **fields):
        """The value of an answer; nothing for one that is an error."""
        mark = uuid.uuid4().hex
        parts = [f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
                 for name, value in fields.items()]
        if file is not None:
            parts.append(f'--{mark}\r\nContent-Disposition: form-data; name="file"; '
                         f'filename="tokens"\r\n\r\n{file}\r\n')
        request = urllib.request.Request(
            cls.address + path, data=("".join(parts) + f"--{mark}--\r\n").encode(),
            headers={"Content-Type": f"multipart/form-data; boundary={mark}",
                     "Authorization": getattr(cls, "token", "")})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["result"]["value"]
        except urllib.error.HTTPError as error:
            return error.read().decode()

    def accepts(self, serial, otp):
        return self.ask("/validate/check", serial=serial, **{"pass": otp}) is True

    def load(self, name, kind, **more):
        done = self.ask("/token/load/tokens", type=kind, file=read(self.path(name)), **more)
        return done["n_imported"] if isinstance(done, dict) else done

    def test_it_validates_what_was_exported_as_pskc_once(self):
        for number, secret in enumerate((None, "ab" * 16, "correct horse battery")):
            store, first, second, out = f"s{number}", f"H{number}", f"T{number}", f"{number}.xml"
            self.store(store, secret)
            self.add(first, "ann", secret, "--hotp", name=store)
            self.add(second, "bob", secret, "--algorithm", "SHA256", name=store)
            if secret is None:
                self.check(hotp(self.stored(first, store), 4), 0, name=store, serial=first)
            self.export("pskc", out, secret=secret, records=store)
            opened = pskc.PSKC(self.path(out))
            more = {}
            if number == 1:
                more = {"psk": secret}
                opened.encryption.key = bytes.fromhex(secret)
            elif number == 2:
                more = {"password": secret}
                opened.encryption.derive_key(secret)
            seeds = [key.secret for key in opened.keys]
            self.assertEqual(self.load(out, "pskc", **more), 2)
            # What was accepted here isn't there.
            counter = 5 if secret is None else 0
            self.assertFalse(counter and self.accepts(first, hotp(seeds[0], 4)))
            for serial, otp in ((first, hotp(seeds[0], counter)),
                                (second, totp(seeds[1], int(time.time()), "sha256"))):
                self.assertTrue(self.accepts(serial, otp))
                self.assertFalse(self.accepts(serial, otp))

    def test_it_validates_what_was_exported_as_its_csv_once(self):
        self.store()
        self.add("C1", "ann", None, "--hotp")
        self.add("C2", "bob", None, "--digits", "8")
        self.export("privacyidea", "csv")
        self.assertEqual(self.load("csv", "oathcsv"), 2)
        for otp, serial in ((hotp(self.stored("C1"), 0), "C1"),
                            (totp(self.stored("C2"), int(time.time()), digits=8), "C2")):
            self.assertFalse(self.accepts(serial, "000000"))
            self.assertTrue(self.accepts(serial, otp))
            self.assertFalse(self.accepts(serial, otp))


if __name__ == "__main__":
    unittest.main()
