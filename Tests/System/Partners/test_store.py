#!/usr/bin/python3
"""The verifier's store (RECORDS.md section 7): SQLite, read here by Python's own sqlite3.

    SOFTTOKEN_ISSUER_BIN=.build/debug/softtoken-issuer /usr/bin/python3 -m unittest test_store
Needs apt: oathtool strace; python-pskc (PyPI) where it is.
"""

import base64
import csv
import os
import pty
import re
import sqlite3
import subprocess
import tempfile
import threading
import time
import unittest

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from test_issuer import BIN, NOW, PSKC, SEED, Case, hotp, pskc, read, totp


def key(text):
    """A descriptor that holds a key."""
    reading, writing = os.pipe()
    os.write(writing, text.encode() + b"\n")
    os.close(writing)
    return reading


def said(line):
    """What a call of write(2) wrote, as strace -xx shows it."""
    match = re.match(r'write\([^"]*"([^"]*)"', line)
    return bytes.fromhex(match[1].replace("\\x", "")).decode(errors="replace") if match else ""


def wait_for_its_turn(process):
    """Until it has read the row and asks for the write lock, again and again."""
    for _ in range(6000):
        waits = re.search(r"(?m)^voluntary_ctxt_switches:\s*(\d+)",
                          read(f"/proc/{process.pid}/status"))
        if int(waits[1]) > 200:
            return
        time.sleep(0.01)
    raise AssertionError("it doesn't wait")


def unbound():
    """The file of a maker's one HOTP token, which is nobody's yet."""
    return f"""<?xml version="1.0"?>
<KeyContainer Version="1.0" xmlns="{PSKC}"><KeyPackage>
<DeviceInfo><Manufacturer>M</Manufacturer><SerialNo>S1</SerialNo></DeviceInfo>
<Key Id="S1" Algorithm="{PSKC}:hotp">
<AlgorithmParameters><ResponseFormat Length="6" Encoding="DECIMAL"/></AlgorithmParameters>
<Data><Secret><PlainValue>{base64.b64encode(SEED).decode()}</PlainValue></Secret></Data></Key>
</KeyPackage></KeyContainer>
"""


def put(content, offset, data):
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset:offset + len(data)] = data


class StoreCase(Case):
    def store(self, name="s", secret=None):
        self.with_key(["records", "create", self.path(name)], secret)
        return self.path(name)

    def with_key(self, arguments, secret, option="--records-key-fd", **options):
        if secret is None:
            return self.run_issuer(*arguments, **options)
        number = key(secret)
        try:
            return self.run_issuer(
                *arguments, option, str(number), pass_fds=[number], **options)
        finally:
            os.close(number)

    def add(self, serial="S1", account="ann", secret=None, *arguments, name="s", code=0):
        if not os.path.exists(self.path("key")):
            self.keygen()
        return self.with_key(
            ["issue", "--key", self.path("key"), "--account", account, "--serial", serial,
             "--records", self.path(name), *arguments], secret, code=code)

    def query(self, sql, *values, name="s"):
        database = sqlite3.connect(self.path(name))
        try:
            with database:
                return database.execute(sql, values).fetchall()
        finally:
            database.close()

    def stored(self, serial="S1", name="s"):
        return base64.b64decode(
            self.query("SELECT seed FROM tokens WHERE serial = ?", serial, name=name)[0][0])

    def check(self, otp, code, *arguments, name="s", serial="S1"):
        return self.run_issuer(
            "verify", "--records", self.path(name), "--serial", serial, *arguments,
            text=otp + "\n", code=code)

    def verifying(self, otp, *name):
        """A `verify` that has its OTP."""
        process = subprocess.Popen(
            [BIN, "verify", "--records", self.path("s"), *name], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdin.write(otp + "\n")
        process.stdin.flush()
        return process

    def changed_meanwhile(self, begin, change):
        """How a process ends, and what it says, whose row is changed between its reading and writing."""
        other = sqlite3.connect(self.path("s"), isolation_level=None)
        self.addCleanup(other.close)
        other.execute("BEGIN IMMEDIATE")
        process = begin()
        wait_for_its_turn(process)
        other.execute(change)
        other.execute("COMMIT")
        _, error = process.communicate(timeout=60)
        return process.returncode, error


class StoreTests(StoreCase):
    def test_it_is_made_private_and_never_overwritten(self):
        os.umask(0o022)
        path = self.store()
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        self.run_issuer("records", "create", path, code=73)
        self.add()
        for name in os.listdir(self.folder.name):
            if name.startswith("s"):
                self.assertEqual(os.stat(self.path(name)).st_mode & 0o777, 0o600, name)

    def test_an_otp_is_accepted_once_and_a_serial_is_there_once(self):
        self.store()
        self.add("S1", "ann", None, "--hotp")
        otp = hotp(self.stored(), 2)
        self.assertIn("counter 2, 2 skipped", self.check(otp, 0).stdout)
        self.check(otp, 65)
        self.add("S1", code=64)
        self.add("S2", "bob")
        self.check(totp(self.stored("S2"), NOW), 0, "--at", str(NOW), serial="S2")
        self.check(totp(self.stored("S2"), NOW), 65, "--at", str(NOW), serial="S2")
        self.assertEqual(
            self.query("SELECT counter, step FROM tokens ORDER BY serial"),
            [(3, None), (None, NOW // 30)])

    def test_of_many_at_once_one_is_accepted(self):
        self.store()
        self.add("S1", "ann", None, "--hotp")
        otp = hotp(self.stored(), 0) + "\n"
        codes = []

        def attempt():
            codes.append(subprocess.run(
                [BIN, "verify", "--records", self.path("s"), "--serial", "S1", "--attempts",
                 "100"], input=otp, text=True, capture_output=True).returncode)

        threads = [threading.Thread(target=attempt) for _ in range(12)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        self.assertEqual(codes.count(0), 1)
        # The others: rejected, or told to wait by the tries that were counted meanwhile.
        self.assertLessEqual(set(codes), {0, 65, 75})

    def test_tries_are_counted_delayed_and_locked_until_they_are_unlocked(self):
        self.store()
        self.add("S1", "ann", None, "--hotp")
        for _ in range(4):
            self.check("000000", 65)
        self.check(hotp(self.stored(), 0), 0)
        for _ in range(5):
            self.check("000000", 65)
        right = hotp(self.stored(), 1)
        self.assertRegex(self.check(right, 75).stderr, r"(29|30) s to go")
        # The delay doubles; the clock is the store's, so it is moved here.
        for tries, seconds in ((6, 60), (7, 120), (8, 240), (9, 480)):
            self.query("UPDATE tokens SET failed = failed - 100000")
            self.check("000000", 65)
            self.assertRegex(self.check(right, 75).stderr, rf"({seconds}|{seconds - 1}) s to go")
            self.assertEqual(self.query("SELECT failures FROM tokens"), [(tries,)])
        self.query("UPDATE tokens SET failed = failed - 100000")
        self.check("000000", 65)
        self.query("UPDATE tokens SET failed = failed - 100000")
        self.assertIn("records unlock", self.check(right, 83).stderr)
        self.run_issuer("records", "unlock", "--records", self.path("s"), "--serial", "S1")
        self.check(right, 0)
        self.assertEqual(self.query("SELECT failures FROM tokens"), [(0,)])

    def test_a_resynchronisation_is_counted_too(self):
        self.store()
        self.add("S1", "ann", None, "--hotp")
        self.check("000000\n000001", 65)
        self.assertEqual(self.query("SELECT failures FROM tokens"), [(2,)])
        otps = hotp(self.stored(), 500) + "\n" + hotp(self.stored(), 501)
        self.check(otps, 0)
        self.assertEqual(self.query("SELECT counter, failures FROM tokens"), [(502, 0)])

    def test_a_clock_that_went_back_makes_nobody_wait_longer(self):
        self.store()
        self.add()
        self.query("UPDATE tokens SET failures = 6, failed = 9000000000")
        self.check("000000", 75)
        self.assertLess(self.query("SELECT failed FROM tokens")[0][0], time.time() + 5)

    def test_the_account_names_its_one_token(self):
        self.store()
        self.add("S1", "ann")
        self.add("S2", "bob")
        self.add("S3", "bob")
        for account, code, told in (("ann", 0, ""), ("bob", 64, "S2, S3"), ("eve", 66, "")):
            done = self.run_issuer(
                "verify", "--records", self.path("s"), "--account", account, "--at", str(NOW),
                text=totp(self.stored(), NOW) + "\n", code=code)
            self.assertIn(told, done.stderr)
        self.run_issuer(
            "verify", "--records", self.path("s"), text="000000\n", code=64)

    def test_bind_writes_the_account(self):
        self.store()
        self.add("S1", "ann", None, "--hotp")
        self.query("UPDATE tokens SET account = NULL")
        arguments = ["bind", "--records", self.path("s"), "--serial", "S1", "--account"]
        self.run_issuer(*arguments, "bob", text=hotp(self.stored(), 0))
        self.run_issuer(*arguments, "eve", text=hotp(self.stored(), 1), code=88)
        self.assertEqual(self.query("SELECT account, failures FROM tokens"), [("bob", 0)])

    def bind(self, account, counter, name="s"):
        """Begins a bind of S1 by the OTP of a counter."""
        process = subprocess.Popen(
            [BIN, "bind", "--records", self.path(name), "--serial", "S1", "--account", account],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        process.stdin.write(hotp(SEED, counter) + "\n")
        process.stdin.flush()
        return process

    def test_of_two_binds_at_once_one_has_the_token(self):
        self.store()
        text = unbound()
        self.write("v.xml", text)
        self.run_issuer("records", "import", "--records", self.path("s"), self.path("v.xml"))
        for number in range(60):
            name = "s" if number % 3 else "v.xml"
            self.write("v.xml", text)
            self.query("UPDATE tokens SET account = NULL, counter = 0, failures = 0, failed = 0")
            binds = [self.bind("ada", 0, name), self.bind("eve", 1, name)]
            told = [bind.communicate(timeout=60)[1] for bind in binds]
            # 65: the first OTP behind the second.
            self.assertIn(
                sorted(bind.returncode for bind in binds), ([0, 88], [0, 65]), (name, told))
            bound = "ada" if binds[0].returncode == 0 else "eve"
            if name == "s":
                self.assertEqual(self.query("SELECT account FROM tokens"), [(bound,)])
            else:
                self.assertIn(f"UID={bound}<", read(self.path(name)))

    def test_a_bind_that_began_before_another_one_takes_no_token_from_it(self):
        self.store()
        self.write("v.xml", unbound())
        self.run_issuer("records", "import", "--records", self.path("s"), self.path("v.xml"))
        code, error = self.changed_meanwhile(
            lambda: self.bind("ada", 0), "UPDATE tokens SET account = 'eve'")
        self.assertEqual(code, 88, error)
        self.assertEqual(self.query("SELECT account, counter FROM tokens"), [("eve", 0)])

    def test_a_verify_accepts_no_otp_for_an_account_that_lost_the_token(self):
        self.store()
        self.add("S1", "ann", None, "--hotp")
        otp = hotp(self.stored(), 0)
        code, error = self.changed_meanwhile(
            lambda: self.verifying(otp, "--account", "ann"), "UPDATE tokens SET account = 'eve'")
        self.assertEqual(code, 66, error)
        self.assertEqual(self.query("SELECT counter FROM tokens"), [(0,)])

    def test_what_is_no_store_is_told(self):
        path = self.store()
        self.add()
        self.query("CREATE TRIGGER t AFTER UPDATE ON tokens BEGIN DELETE FROM tokens; END")
        self.check("000000", 65)
        foreign = sqlite3.connect(self.path("foreign"))
        foreign.execute("CREATE TABLE tokens(serial)")
        foreign.commit()
        foreign.close()
        os.chmod(self.path("foreign"), 0o600)
        self.assertIn("another program", self.check("000000", 65, name="foreign").stderr)
        self.store("newer")
        self.query("PRAGMA user_version = 2", name="newer")
        self.assertIn("another version", self.check("000000", 65, name="newer").stderr)
        self.store("cut")
        os.truncate(self.path("cut"), 5000)
        self.check("000000", 65, name="cut")
        self.store("text")
        with open(self.path("text"), "r+b") as file:
            file.write(b"SQLite format 3\0" + os.urandom(4000))
        self.check("000000", 65, name="text")
        os.chmod(path, 0o640)
        self.check("000000", 78)

    def test_a_store_whose_pages_were_ordered_anew_is_a_store(self):
        self.store()
        self.add()
        database = sqlite3.connect(self.path("s"))
        database.execute("VACUUM")
        database.close()
        self.check("000000", 65)
        self.assertEqual(self.query("SELECT failures FROM tokens"), [(1,)])

    def test_a_second_name_is_refused_for_a_store_and_for_a_file(self):
        self.store()
        self.add()
        self.add(name="r.xml")
        for name in ("s", "r.xml"):
            os.link(self.path(name), self.path("other"))
            self.assertIn("hard link", self.check("000000", 78, name=name).stderr)
            self.assertIn("hard link", self.check("000000", 78, name="other").stderr)
            os.unlink(self.path("other"))
            self.check("000000", 65, name=name)

    def test_records_that_are_mounted_by_themselves_are_refused(self):
        """One file under several names, each with another log or lock beside it."""
        if subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode:
            self.skipTest("nothing can be mounted here")
        self.store()
        self.add("S1", "ann", None, "--hotp")
        self.add("S1", "ann", None, "--hotp", name="r.xml")
        os.mkdir(self.path("m"))
        otps = (hotp(self.stored(), 0), hotp(self.seed_of("S1"), 0))
        for name, otp in zip(("s", "r.xml"), otps):
            self.write("m/" + name, "")
            os.chmod(self.path("m/" + name), 0o600)
            for mounted, place in ((name, "m/" + name), (".", "m")):
                done = subprocess.run(
                    ["unshare", "-rm", "sh", "-c", 'mount --bind "$1" "$2" && shift 2 && exec "$@"',
                     "sh", self.path(mounted), self.path(place), BIN, "verify", "--records",
                     self.path("m/" + name), "--serial", "S1"],
                    input=otp, text=True, capture_output=True)
                if mounted == name:
                    self.assertEqual((done.returncode, done.stdout), (78, ""), done.stderr)
                    self.assertIn("mount the folder", done.stderr)
                else:
                    self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_row_that_we_cant_have_written_is_damaged(self):
        self.store()
        self.add("S1", "ann", None, "--hotp")
        otp = hotp(self.stored(), 0)
        for failures in (-1, 0, 6):
            for failed in (-2**63, -1, 2**63 - 1):
                self.query("UPDATE tokens SET failures = ?, failed = ?", failures, failed)
                if failures < 0 or failed < 0:
                    self.assertIn("is damaged", self.check(otp, 65).stderr)
        self.run_issuer("records", "unlock", "--records", self.path("s"), "--serial", "S1")
        self.check(otp, 0)

    def test_a_store_without_its_log_counts_nothing(self):
        self.store()
        self.add("S1", "ann", None, "--hotp")
        otp = hotp(self.stored(), 0)
        self.query("PRAGMA journal_mode = delete")
        self.assertIn("PRAGMA journal_mode=wal", self.check(otp, 65).stderr)
        self.add("S2", code=65)
        self.assertEqual(self.query("SELECT counter, failures FROM tokens"), [(0, 0)])
        self.query("PRAGMA journal_mode = wal")
        self.check(otp, 0)

    def test_a_full_disk_accepts_nothing(self):
        self.store()
        self.add("S1", "ann", None, "--hotp")
        otp = hotp(self.stored(), 0)
        for blocks in range(0, 400, 4):
            done = subprocess.run(
                ["bash", "-c", f'ulimit -f {blocks}; trap "" XFSZ; exec "$@"', "bash", BIN,
                 "verify", "--records", self.path("s"), "--serial", "S1"],
                input=otp, capture_output=True, text=True)
            if done.returncode == 0:
                break
            self.assertEqual((done.returncode, done.stdout), (74, ""), done.stderr)
            self.assertEqual(self.query("SELECT counter FROM tokens"), [(0,)])
            self.query("UPDATE tokens SET failures = 0, failed = 0")
        self.assertGreater(blocks, 0)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_kill_at_any_call_neither_accepts_twice_nor_buys_a_try(self):
        self.store()
        self.add("S1", "ann", None, "--hotp")
        otp = hotp(self.stored(), 3)
        for call in ("pwrite64", "fdatasync", "ftruncate", "fcntl"):
            for number in range(1, 80):
                self.query("UPDATE tokens SET counter = 0, failures = 0, failed = 0")
                done = subprocess.run(
                    ["strace", "-qq", "-o", "/dev/null", "-e", f"trace={call}",
                     "-e", f"inject={call}:signal=KILL:when={number}", BIN, "verify", "--records",
                     self.path("s"), "--serial", "S1"],
                    input=otp, text=True, capture_output=True)
                counter, failures = self.query("SELECT counter, failures FROM tokens")[0]
                self.assertIn((counter, failures), [(0, 0), (0, 1), (4, 0)], f"{call} {number}")
                if done.stdout:
                    self.assertEqual((counter, failures), (4, 0), f"{call} {number}")
                if done.returncode == 0:
                    break
                # Whatever was cut short: the OTP is accepted once, now or then.
                again = self.check(otp, 65 if counter else 0)
            self.assertEqual(done.returncode, 0, call)

    def test_a_wrong_try_is_on_the_disk_before_it_is_answered(self):
        self.store()
        self.add()
        trace = self.path("trace")
        subprocess.run(
            ["strace", "-qq", "-y", "-s", "200", "-o", trace, "-e", "trace=pwrite64,fdatasync,write", BIN,
             "verify", "--records", self.path("s"), "--serial", "S1"],
            input="000000", text=True, capture_output=True)
        lines = read(trace).splitlines()
        counted = [i for i, line in enumerate(lines) if "pwrite64" in line and "s-wal>" in line]
        synced = [i for i, line in enumerate(lines) if "fdatasync" in line and "s-wal>" in line]
        told = [i for i, line in enumerate(lines) if "not accepted" in line]
        self.assertTrue(counted and synced and told, lines)
        self.assertLess(counted[-1], synced[-1])
        self.assertLess(synced[-1], told[0])

    def test_a_new_logs_name_is_on_the_disk_before_anything_stands_in_it(self):
        self.store()
        self.add("S1", "ann", None, "--hotp")
        # The last of others who leaves takes the log away.
        self.query("PRAGMA wal_checkpoint(TRUNCATE)")
        self.assertFalse(os.path.exists(self.path("s-wal")))
        for number, isNew in ((0, True), (1, False)):
            subprocess.run(
                ["strace", "-qq", "-y", "-o", self.path("trace"), "-e",
                 "trace=pwrite64,fdatasync,fsync", BIN, "verify", "--records", self.path("s"),
                 "--serial", "S1"], input=hotp(self.stored(), number), text=True,
                capture_output=True, check=True)
            if number == 0:
                # So that asking for the seed doesn't take it away again.
                keeper = sqlite3.connect(self.path("s"))
                keeper.execute("SELECT count(*) FROM tokens").fetchall()
                self.addCleanup(keeper.close)
            calls = [re.sub(r"\(\d+<(?:.*/)?([^/>]*)>.*", r" \1", line)
                     for line in read(self.path("trace")).splitlines()]
            written = calls.index("pwrite64 s-wal")
            folder = "fdatasync " + os.path.basename(self.folder.name)
            self.assertEqual(folder in calls[:written], isNew, calls)
            self.assertNotIn(folder, calls[written:])

    def test_a_power_cut_at_any_write_neither_accepts_twice_nor_takes_an_answer_back(self):
        """What was written and not fsynced is there, isn't, or is in part."""
        self.store()
        self.add("S1", "ann", None, "--hotp")
        right = hotp(self.stored(), 3)
        self.query("PRAGMA wal_checkpoint(TRUNCATE)")
        for otp, answer, final in ((right, "accepted, counter 3", (4, 0)),
                                   ("000000", "not accepted", (0, 1))):
            self.query("UPDATE tokens SET counter = 0, failures = 0, failed = 0")
            before = {}
            for name in ("s", "s-wal"):
                if os.path.exists(self.path(name)):
                    with open(self.path(name), "rb") as file:
                        before[name] = file.read()
            subprocess.run(
                ["strace", "-qq", "-y", "-xx", "-s", "100000", "-o", self.path("trace"), "-e",
                 "trace=pwrite64,fdatasync,fsync,ftruncate,write", BIN, "verify", "--records",
                 self.path("s"), "--serial", "S1"], input=otp, text=True, capture_output=True)
            states = set()
            lines = read(self.path("trace")).splitlines()
            for cut in range(len(lines) + 1):
                answered = any(answer in said(line) for line in lines[:cut])
                for keep in (lambda n: False, lambda n: True, lambda n: n % 2, lambda n: not n % 2):
                    state = self.after_cut(before, lines[:cut], keep)
                    self.assertIn(state, {(0, 0), (0, 1), final}, lines[cut - 1][:80])
                    if answered:
                        self.assertEqual(state, final, lines[cut - 1][:80])
                    states.add(state)
            self.assertIn(final, states)
            self.assertIn((0, 0), states)

    def after_cut(self, before, lines, keep):
        """The counter and the tries that a computer finds which lost power behind these calls."""
        with tempfile.TemporaryDirectory() as folder:
            disk = {name: bytearray(content) for name, content in before.items()}
            waiting = {"s": [], "s-wal": []}
            for line in lines:
                match = re.match(r"(\w+)\(\d+<([^>]*)>(?:, (.*))?\) += \d+$", line)
                call, path, rest = match.groups() if match else (None, None, None)
                name = os.path.basename(bytes.fromhex(path.replace("\\x", "")).decode()) \
                    if path and path.startswith("\\x") else os.path.basename(path or "")
                if name not in waiting:
                    continue
                if call == "pwrite64":
                    data, _, offset = rest.rsplit(", ", 2)
                    waiting[name].append(
                        (int(offset), bytes.fromhex(data.strip('"').replace("\\x", ""))))
                elif call in ("fdatasync", "fsync"):
                    for offset, data in waiting[name]:
                        put(disk.setdefault(name, bytearray()), offset, data)
                    waiting[name] = []
            for name, writes in waiting.items():
                for number, (offset, data) in enumerate(writes):
                    if keep(number):
                        put(disk.setdefault(name, bytearray()), offset, data)
            for name, content in disk.items():
                with open(os.path.join(folder, name), "wb") as file:
                    file.write(content)
            database = sqlite3.connect(os.path.join(folder, "s"))
            try:
                self.assertEqual(database.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
                return database.execute("SELECT counter, failures FROM tokens").fetchone()
            finally:
                database.close()

    def test_a_long_run_is_whole_or_not_at_all_and_keeps_nobody_waiting(self):
        self.store()
        self.add()
        rows = "account,serial\n" + "".join(f"a{n},N{n}\n" for n in range(4)) + "a9,S1\n"
        self.write("in.csv", rows)
        self.run_issuer(
            "issue", "--key", self.path("key"), "--csv", self.path("in.csv"), "--out",
            self.path("d"), "--records", self.path("s"), code=65)
        self.assertEqual(self.query("SELECT count(*) FROM tokens"), [(5,)])
        self.assertFalse(os.path.exists(self.path("d/records.xml")))

    def test_a_pskc_file_is_taken_over_with_what_was_remembered(self):
        self.add("S1", "ann", None, "--hotp", name="r.xml")
        self.add("S2", "bob", name="r.xml")
        seeds = [self.seed_of(serial) for serial in ("S1", "S2")]
        self.verify([hotp(seeds[0], 4)])
        self.verify([totp(seeds[1], NOW + 30)], serial="S2")
        self.store()
        self.run_issuer("records", "import", "--records", self.path("s"), self.path("r.xml"))
        self.assertEqual(
            self.query("SELECT serial, account, counter, step, drift FROM tokens"),
            [("S1", "ann", 5, None, 0), ("S2", "bob", None, NOW // 30 + 1, 1)])
        self.check(hotp(seeds[0], 4), 65)
        self.check(hotp(seeds[0], 5), 0)
        self.run_issuer(
            "records", "import", "--records", self.path("s"), self.path("r.xml"), code=65)


    def test_a_store_that_fails_ends_the_import_and_no_token_is_blamed(self):
        for serial in ("S1", "S2"):
            self.add(serial, name="r.xml")
        self.add("S0", name=os.path.basename(self.store()))
        root = self.query(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'sqlite_autoindex_tokens_1'")[0][0]
        self.query("PRAGMA wal_checkpoint(TRUNCATE)")
        with open(self.path("s"), "r+b") as file:
            file.seek((root - 1) * 4096)
            file.write(bytes([0x55] * 4096))
        done = self.run_issuer(
            "records", "import", "--records", self.path("s"), self.path("r.xml"), code=65)
        self.assertEqual(
            done.stderr,
            f"softtoken-issuer: error: {self.path('s')} is damaged, or no store of records\n")


class RevokedTests(StoreCase):
    """A token that ends before its time, of a store and of a PSKC file."""

    KINDS = ("s", "r.xml")

    def setUp(self):
        super().setUp()
        self.store()

    def revoke(self, name, *which, code=0):
        return self.run_issuer(
            "records", "revoke", "--records", self.path(name), *which, code=code)

    def seed(self, serial, name):
        return self.stored(serial) if name == "s" else self.seed_of(serial, name)

    def test_none_of_its_otps_is_accepted_at_any_time(self):
        for name in self.KINDS:
            self.add("S1", "ann", None, "--hotp", name=name)
            self.add("S2", "bob", name=name)
            self.assertIn("S1 is revoked", self.revoke(name, "--serial", "S1").stderr)
            self.assertIn("S2 is revoked", self.revoke(name, "--account", "bob").stderr)
            for at in (0, 1, NOW):
                for serial, otp in (("S1", hotp(self.seed("S1", name), 0)),
                                    ("S2", totp(self.seed("S2", name), at))):
                    done = self.check(otp, 85, "--at", str(at), name=name, serial=serial)
                    self.assertIn(f"token {serial}: it is revoked", done.stderr)
            self.run_issuer(
                "bind", "--records", self.path(name), "--serial", "S1", "--account", "ann",
                text=hotp(self.seed("S1", name), 0), code=85)
            # Kept: no other token gets its serial, and once more is no error.
            self.add("S1", "eve", name=name, code=64)
            self.revoke(name, "--serial", "S1")
            self.revoke(name, "--serial", "S9", code=66)
            self.revoke(name, "--account", "eve", code=66)
            self.revoke(name, code=64)

    def test_the_account_goes_on_with_its_other_token(self):
        for name in self.KINDS:
            done = self.add("S1", "ann", None, "--hotp", name=name)
            self.assertNotIn("warning", done.stderr)
            self.add("S2", "bob", None, "--hotp", name=name)
            done = self.add("S3", "ann", None, "--hotp", name=name)
            command = re.search(
                r"warning: ann has at least one other token that verifies: S1; (softtoken-issuer .* S1) ends it",
                done.stderr)[1]
            arguments = ["verify", "--records", self.path(name), "--account", "ann"]
            otp = hotp(self.seed("S3", name), 0)
            done = self.run_issuer(*arguments, text=otp, code=64)
            self.assertIn("S1, S3", done.stderr)
            self.assertIn("records revoke", done.stderr)
            self.assertEqual(self.revoke(name, "--account", "ann", code=64).stdout, "")
            self.run_issuer(*command.split()[1:])
            self.run_issuer(*arguments, text=otp)
            self.write("in.csv", "account\nann\ncarl\n")
            done = self.run_issuer(
                "issue", "--key", self.path("key"), "--csv", self.path("in.csv"), "--out",
                self.path("d" + name), "--records", self.path(name))
            self.assertIn(
                "in.csv, line 2: ann has at least one other token that verifies: S3; softtoken-issuer records",
                done.stderr)
            self.assertNotIn("carl", done.stderr)
            with open(self.path(f"d{name}/links.csv")) as file:
                self.revoke(name, "--serial", list(csv.DictReader(file))[0]["serial"])
            # The last of an account says why.
            self.revoke(name, "--account", "ann")
            self.assertIn(
                "it is revoked", self.run_issuer(*arguments, text=otp, code=85).stderr)
            self.assertNotIn("warning", self.add("S4", "ann", name=name).stderr)

    def test_at_a_terminal_a_token_that_cant_be_used_is_told_before_the_otp_is_asked_for(self):
        for name in self.KINDS:
            self.add("S1", "ann", name=name)
            self.add("S2", "ann", name=name)
            self.add("S3", "bob", name=name)
            self.revoke(name, "--serial", "S3")
            for which, code, told in (
                    (("--account", "ann"), 64, "several tokens of this account: S1, S2"),
                    (("--account", "bob"), 85, "token S3: it is revoked"),
                    (("--serial", "S9"), 66, "no token of this serial")):
                leader, follower = pty.openpty()
                done = subprocess.run(
                    [BIN, "verify", "--records", self.path(name), *which], stdin=follower,
                    capture_output=True, text=True, timeout=60)
                os.close(follower)
                os.close(leader)
                self.assertEqual(done.returncode, code, done.stderr)
                self.assertIn(told, done.stderr)
                self.assertNotIn("one-time password:", done.stderr)

    def test_a_verify_that_began_before_accepts_nothing_behind_it(self):
        """The row is read again in the write that would accept the OTP."""
        self.add("S1", "ann", None, "--hotp")
        otp = hotp(self.stored(), 0)
        code, error = self.changed_meanwhile(
            lambda: self.verifying(otp, "--serial", "S1"), "UPDATE tokens SET expires = 0")
        self.assertEqual((code, self.query("SELECT counter FROM tokens")), (85, [(0,)]))
        self.assertIn("it is revoked", error)

    def test_it_is_left_out_of_what_others_verify(self):
        for name in self.KINDS:
            self.add("S1", "ann", None, "--hotp", name=name)
            self.add("S2", "bob", None, "--hotp", name=name)
            self.revoke(name, "--serial", "S1")
            for form in ("pskc", "users.oath"):
                out = self.path(f"{name}.{form}")
                done = self.run_issuer(
                    "export", "--records", self.path(name), "--format", form, "--out", out)
                self.assertIn("tokens written: 1, 1 revoked left out", done.stderr)
                self.assertNotIn("ann", read(out))
                self.assertIn("bob", read(out))

    def test_a_file_keeps_all_else_and_an_import_keeps_it_revoked(self):
        self.add("S1", "ann", None, "--hotp", name="r.xml")
        seed = self.seed_of("S1")
        written = read(self.path("r.xml"))
        for policy in ("", "<Policy/>", "<Policy x:y='z' xmlns:x='urn:x'/>",
                       "<Policy x:y='z' xmlns:x='urn:x'></Policy>",
                       "<q:Policy xmlns:q='urn:ietf:params:xml:ns:keyprov:pskc'/>",
                       "<Policy><StartDate>2020-01-01T00:00:00Z</StartDate></Policy>",
                       "<Policy><ExpiryDate>2100-01-01T00:00:00Z</ExpiryDate></Policy>",
                       "<Policy><KeyUsage>OTP</KeyUsage></Policy>"):
            before = self.write("r.xml", written.replace("</Key>", policy + "<!-- x --></Key>"))
            text = read(before)
            self.revoke("r.xml", "--serial", "S1")
            date = "<ExpiryDate>1970-01-01T00:00:00Z</ExpiryDate>"
            now = read(self.path("r.xml"))
            self.assertEqual(now.count(date), 1)
            self.assertEqual(
                re.sub(r"<Policy/?>|</(q:)?Policy>|/?>", "", now.replace(date, "")),
                re.sub(r"<Policy/?>|</(q:)?Policy>|<ExpiryDate>.*</ExpiryDate>|/?>", "", text))
            self.check(hotp(seed, 0), 85, name="r.xml")
        self.run_issuer("records", "import", "--records", self.path("s"), self.path("r.xml"))
        self.check(hotp(seed, 0), 85)

    def test_encrypted_records_need_no_key_for_it(self):
        secret = "correct horse battery"
        self.store("e", secret)
        for name in ("e", "e.xml"):
            self.add("S1", "ann", secret, name=name)
            self.revoke(name, "--serial", "S1")
            self.with_key(
                ["verify", "--records", self.path(name), "--serial", "S1"], secret,
                text="000000", code=85)

    def test_a_kill_at_any_call_leaves_it_revoked_or_as_it_was(self):
        self.add("S1", "ann", None, "--hotp")
        self.add("S1", "ann", None, "--hotp", name="r.xml")
        written = read(self.path("r.xml"))
        for name, calls in (("s", ("pwrite64", "fdatasync")), ("r.xml", ("write", "rename"))):
            for call in calls:
                for number in range(1, 40):
                    self.query("UPDATE tokens SET expires = NULL")
                    self.write("r.xml", written)
                    done = subprocess.run(
                        ["strace", "-qq", "-o", "/dev/null", "-e", f"trace=/^{call}", "-e",
                         f"inject=/^{call}:signal=KILL:when={number}", BIN, "records", "revoke",
                         "--records", self.path(name), "--serial", "S1"], capture_output=True)
                    if name == "s":
                        self.assertIn(self.query("SELECT expires FROM tokens"), [[(None,)], [(0,)]])
                    elif done.returncode:
                        self.assertIn("</KeyContainer>", read(self.path(name)))
                    if done.returncode == 0:
                        break
                self.assertEqual(done.returncode, 0, call)
                self.check("000000", 85, name=name)


class EncryptedTests(StoreCase):
    SECRETS = ("correct horse battery", "000102030405060708090a0b0c0d0e0f", "ab" * 32)

    def test_no_seed_is_in_the_clear_and_the_key_opens_it(self):
        for number, secret in enumerate(self.SECRETS):
            for name in (f"s{number}", f"r{number}.xml"):
                if name.startswith("s"):
                    self.store(name, secret)
                self.add("S1", "ann", secret, "--hotp", name=name)
                self.add("S2", "bob", secret, name=name)
                arguments = ["verify", "--records", self.path(name), "--serial", "S1"]
                self.with_key(arguments, None, text="000000", code=64)
                self.with_key(arguments, secret, text="000000", code=65)

    def test_a_seed_in_the_clear_is_none_of_encrypted_records(self):
        """Who can write to them and has no key would make OTPs for any serial."""
        planted = bytes(range(20))
        text = base64.b64encode(planted).decode()
        for number, secret in enumerate(self.SECRETS):
            store, file = f"s{number}", f"r{number}.xml"
            self.store(store, secret)
            for name in (store, file):
                self.add("S1", "ann", secret, "--hotp", name=name)
                self.add("S2", "bob", secret, "--hotp", name=name)
            self.query("UPDATE tokens SET seed = ?, mac = NULL WHERE serial = 'S2'", text, name=store)
            before = read(self.path(file))
            parts = re.split(r"(<Secret>.*?</Secret>)", before, flags=re.S)
            self.assertEqual(len(parts), 5)
            parts[3] = f"<Secret><PlainValue>{text}</PlainValue></Secret>"
            self.write(file, "".join(parts))
            for name in (store, file):
                arguments = ["verify", "--records", self.path(name), "--serial"]
                done = self.with_key([*arguments, "S2"], secret, text=hotp(planted, 0), code=65)
                self.assertIn("its seed is in the clear", done.stderr)
                self.with_key(
                    ["export", "--records", self.path(name), "--format", "users.oath", "--out",
                     self.path("out")], secret, code=65)
                self.assertFalse(os.path.exists(self.path("out")))
            # Nor is the protection taken away with it.
            self.query("DELETE FROM protection", name=store)
            changed = re.sub(r"<EncryptionKey>.*</MACMethod>", "", "".join(parts), flags=re.S)
            self.assertNotIn("MACMethod", changed)
            self.write(file, changed)
            for name in (store, file):
                arguments = ["verify", "--records", self.path(name), "--serial", "S2"]
                done = self.with_key(arguments, secret, text=hotp(planted, 0), code=64)
                self.assertIn("is not encrypted", done.stderr)

    def test_python_pskc_opens_what_we_encrypt(self):
        if pskc is None:
            self.skipTest("python-pskc is not installed")
        for number, secret in enumerate(self.SECRETS):
            name = f"r{number}.xml"
            self.add("S1", "ann", secret, "--hotp", name=name)
            opened = pskc.PSKC(self.path(name))
            if number == 0:
                opened.encryption.derive_key(secret)
            else:
                opened.encryption.key = bytes.fromhex(secret)
            (found,) = opened.keys
            self.assertEqual(len(found.secret), 20)
            otp = hotp(found.secret, 0)
            self.with_key(
                ["verify", "--records", self.path(name), "--serial", "S1"], secret, text=otp)

    def test_a_wrong_key_adds_nothing_to_an_empty_store_though_its_padding_is_one(self):
        """The MAC key has no MAC: one wrong key in sixteen leaves a last byte that padding has."""
        self.store("s", "ab" * 16)
        value = base64.b64decode(self.query("SELECT mackey FROM protection")[0][0])
        lengths = {}
        for number in range(1 << 16):
            key = number.to_bytes(16, "big")
            decryptor = Cipher(algorithms.AES(key), modes.CBC(value[:16])).decryptor()
            lengths.setdefault(decryptor.update(value[16:])[-1], key)
            if set(range(1, 17)) <= set(lengths):
                break
        for length in range(1, 17):
            done = self.add("S1", "ann", lengths[length].hex(), code=65)
            self.assertIn("the key doesn't open", done.stderr)
        self.assertEqual(self.query("SELECT * FROM tokens"), [])
        self.add("S1", "ann", "ab" * 16)

    def test_the_wrong_key_adds_nothing(self):
        for name in ("s", "r.xml"):
            if name == "s":
                self.store(name, "correct horse")
            self.add("S1", "ann", "correct horse", name=name)
            before = read(self.path(name)) if name != "s" else self.query("SELECT * FROM tokens")
            self.add("S2", "bob", "another horse", name=name, code=65)
            self.add("S2", "bob", None, name=name, code=64)
            after = read(self.path(name)) if name != "s" else self.query("SELECT * FROM tokens")
            self.assertEqual(before, after)
        self.add("S1", name="plain.xml")
        self.add("S2", "bob", "correct horse", name="plain.xml", code=64)


if __name__ == "__main__":
    unittest.main()
