"""What the keystore's files have to bear: other machines, other owners and modes, full and read-only
disks, missing homes, wrong PINs to the end, and what comes after.
"""
import os
import pathlib
import secrets
import shutil
import subprocess
import tempfile
import time
import unittest

import files
import links
from machine import Machine, new_boot_id
from program import (Home, IS_ROOT, ORDINARY, PIN, PROGRAM, ProgramTest, WORK, environment,
                     needs_root, one_token, otpauth, template, three_tokens)

WRONG = "8305\n"
ATTESTED = "--not-prescribing-device"


def mounted(script):
    """A prefix that runs a command in a mount namespace of its own, after a few shell commands."""
    return ["unshare", "-m", "--propagation", "private", "/bin/sh", "-ec", script + '\nexec "$@"',
            "sh"]


@needs_root
class MachineIDTest(ProgramTest):
    def another(self, text):
        file = pathlib.Path(tempfile.mkstemp(dir=WORK)[1])
        file.write_text(text)
        file.chmod(0o644)
        return mounted(f"mount --bind {file} /etc/machine-id")

    def test_under_another_machine_id_nothing_opens_and_nothing_changes(self):
        home = three_tokens()
        before = home.snapshot()
        away = self.another(secrets.token_hex(16) + "\n")
        for answers in (PIN, WRONG, "", "12\n"):
            self.assert_ends(home.run("show", "Clinic", answers=answers, prefix=away), 82,
                             "another device")
        for command in (["list"], ["pin"], ["rename", "Old", "New"], ["remove", "Old", "--yes"],
                        ["issuer", "list"], ["activate", otpauth(), ATTESTED]):
            with self.subTest(command):
                self.assert_ends(home.run(*command, answers=PIN, prefix=away), 82)
        self.assertEqual(home.status(prefix=away)["keystore"], "foreign")
        self.assertIsNone(home.status(prefix=away)["attemptsLeft"])
        self.assert_ends(home.run("log", "--verify", prefix=away), 0)
        self.assert_unchanged(home, before)
        self.assert_ends(home.run("show", "Clinic", answers=PIN), 0)

    def test_a_machine_id_in_another_case_is_the_same(self):
        home = one_token()
        upper = self.another(files.this_machine_id().upper() + "\n")
        self.assert_ends(home.run("show", answers=PIN, prefix=upper), 0)

    def test_without_a_machine_id_a_bound_keystore_fails_and_nothing_changes(self):
        home = one_token()
        before = home.snapshot()
        for text in ("", "\n", "uninitialized\n", "0" * 32 + "\n", "nonsense\n"):
            with self.subTest(text):
                away = self.another(text)
                self.assert_ends(home.run("show", answers=PIN, prefix=away), 74, "machine-id")
                self.assert_ends(home.run("status", prefix=away), 74, "machine-id")
                self.assert_ends(home.run("activate", otpauth(), ATTESTED, answers=f"B\n{PIN}",
                                          prefix=away), 74)
        gone = mounted("mount -t tmpfs tmpfs /etc")
        self.assert_ends(home.run("show", answers=PIN, prefix=gone), 74)
        self.assert_unchanged(home, before)
        self.assert_ends(home.run("show", answers=PIN), 0)

    def test_a_machine_id_of_this_boot_only_is_none(self):
        home = one_token()
        script = "mount -t tmpfs tmpfs /run\ncp /etc/machine-id /run/machine-id"
        self.assert_ends(home.run("show", answers=PIN, prefix=mounted(script)), 74)

    def test_a_keystore_made_without_a_machine_id_stays_unbound_and_says_so(self):
        home = Home()
        none = self.another("")
        done = home.run("activate", otpauth(), ATTESTED, answers=f"Clinic\n{PIN}\n", prefix=none)
        self.assert_ends(done, 0)
        self.assert_ends(home.run("show", answers=PIN, prefix=none), 0)
        self.assert_ends(home.run("show", answers=PIN), 0)
        self.assertIn("no machine-id", home.status()["protection"])
        self.assertNotIn("no machine-id", one_token().status()["protection"])


class CopyTest(ProgramTest):
    def test_the_data_folder_alone_is_another_devices(self):
        home = one_token()
        shutil.rmtree(home.state)
        self.assertEqual(home.status()["keystore"], "foreign")
        self.assert_ends(home.run("show", answers=PIN), 82)

    def test_the_keystore_alone_is_another_devices(self):
        home, other = one_token(), Home()
        other.data.mkdir(parents=True, mode=0o700)
        shutil.copy2(home.data / "keystore", other.data)
        self.assert_ends(other.run("show", answers=PIN), 82)
        self.assert_ends(other.run("activate", otpauth(), ATTESTED, answers=f"B\n{PIN}\n"), 82)

    def test_a_keystore_among_anothers_state_is_another_devices(self):
        home, other = one_token(), Home()
        other.activate(name="Other")
        shutil.copy2(home.data / "keystore", other.data)
        self.assert_ends(other.run("show", answers=PIN), 82)

    def test_a_copied_home_on_the_same_machine_opens(self):
        home = one_token()
        self.assert_ends(Home(home).run("show", answers=PIN), 0)

    def test_an_older_keystore_put_back_is_noticed_and_opens(self):
        home = one_token()
        old = (home.data / "keystore").read_bytes()
        self.assert_ends(home.run("rename", "Clinic", "New", answers=PIN), 0)
        (home.data / "keystore").write_bytes(old)
        self.assert_ends(home.run("show", answers=PIN), 0, "older copy")
        self.assertIn("tamper", [entry["event"] for entry in home.log()])

    def test_reset_makes_room_where_the_keystore_is_foreign_or_damaged(self):
        for spoil in (lambda home: (home.state / "device-key").unlink(),
                      lambda home: os.truncate(home.data / "keystore", 100)):
            home = one_token()
            spoil(home)
            self.assert_ends(home.run("reset", "--yes"), 0)
            self.assertEqual(home.status()["keystore"], "none")
        home.activate()

    def test_reset_removes_what_stands_in_place_of_a_file(self):
        aside = pathlib.Path(tempfile.mkdtemp()) / "aside"
        aside.write_bytes(b"mine")
        kinds = (os.mkdir, os.mkfifo, lambda path: os.symlink(aside, path))
        first = one_token()
        for name in ("keystore", "attempts", "device-key", "device-share", "log", "log-head",
                     "log-key", "used-links"):
            for number, make in enumerate(kinds):
                with self.subTest(name, kind=number):
                    home = Home(first)
                    path = (home.data if name == "keystore" else home.state) / name
                    path.unlink(missing_ok=True)
                    make(path)
                    self.assert_ends(home.run("reset", "--yes"), 0)
                    self.assertEqual(home.status()["keystore"], "none")
                    self.assertEqual(home.log()[-1]["event"], "reset")
            home = Home(first)
            path = (home.data if name == "keystore" else home.state) / name
            path.unlink(missing_ok=True)
            (path / "mine").mkdir(parents=True)
            self.assert_ends(home.run("reset", "--yes"), 78, str(path))
            self.assertTrue((path / "mine").is_dir())
        self.assertEqual(aside.read_bytes(), b"mine")

    def test_each_file_cut_or_flipped_is_told_without_an_attempt(self):
        """One bit and one cut a file; every bit is the keystore's own tests' matter."""
        expected = {"keystore": (65,), "device-key": (65, 82), "device-share": (65,)}
        home = one_token()
        for name, codes in expected.items():
            folder = home.data if name == "keystore" else home.state
            whole = (folder / name).read_bytes()
            for spoiled in (whole[:-1], b"", whole[:20] + bytes([whole[20] ^ 4]) + whole[21:],
                            whole + b"\0"):
                with self.subTest(f"{name}, {len(spoiled)} bytes"):
                    (folder / name).write_bytes(spoiled)
                    done = home.run("show", answers=PIN)
                    self.assertIn(done.code, codes, done)
                    self.assert_ends(done, done.code)
            (folder / name).write_bytes(whole)
        (home.state / "device-share").rename(home.state / "away")
        self.assert_ends(home.run("show", answers=PIN), 65)
        (home.state / "away").rename(home.state / "device-share")
        self.assert_no_attempt(home)


class OwnerTest(ProgramTest):
    """Anything but this user's 0600 and 0700 is 78, with the chmod that mends it."""

    def test_modes_of_files(self):
        home = one_token()
        for folder, name in ((home.data, "keystore"), (home.data, "attempts"),
                             (home.state, "attempts"), (home.state, "device-key"),
                             (home.state, "device-share"), (home.state, "attestation")):
            for mode in (0o666, 0o640, 0o604):
                with self.subTest(f"{name} {mode:o}"):
                    (folder / name).chmod(mode)
                    done = home.run("show", answers=PIN)
                    self.assert_ends(done, 78, f"hint: chmod 600 {folder / name}$")
                    self.assertEqual(home.run("status", "--json").json["keystore"], "refused")
            subprocess.run(["/bin/sh", "-c", f"chmod 600 {folder / name}"], check=True)
        self.assert_ends(home.run("show", answers=PIN), 0)

    def test_modes_of_folders(self):
        home = one_token()
        for folder in (home.data, home.state):
            folder.chmod(0o755)
            for command in ("show", "list", "log", "request"):
                self.assert_ends(home.run(command, answers=PIN), 78, f"hint: chmod 700 {folder}$")
            self.assertEqual(home.status()["keystore"], "refused")
            folder.chmod(0o700)
        self.assert_ends(home.run("show", answers=PIN), 0)

    def test_symbolic_links_are_not_followed(self):
        home = one_token()
        for path in (home.data / "keystore", home.data / "attempts", home.state / "device-key",
                     home.state / "lock", home.data, home.state):
            with self.subTest(path.name):
                aside = path.with_name("aside")
                path.rename(aside)
                path.symlink_to(aside)
                self.assert_ends(home.run("show", answers=PIN), 78)
                path.unlink()
                aside.rename(path)
        self.assert_ends(home.run("show", answers=PIN), 0)

    def test_things_that_are_no_files(self):
        home = one_token()
        path = home.data / "keystore"
        aside = path.with_name("aside")
        path.rename(aside)
        path.mkdir()
        self.assert_ends(home.run("show", answers=PIN), 78)
        path.rmdir()
        os.mkfifo(path, 0o600)
        self.assert_ends(home.run("show", answers=PIN, timeout=10), 78)

    @needs_root
    def test_files_and_folders_of_another_owner(self):
        home = one_token()
        for path in (home.data / "keystore", home.state / "device-key", home.data, home.state):
            with self.subTest(path.name):
                os.chown(path, ORDINARY, ORDINARY)
                self.assert_ends(home.run("show", answers=PIN), 78, "without sudo")
                self.assertEqual(home.status()["keystore"], "refused")
                os.chown(path, 0, 0)
        mine = Home(home, user=ORDINARY)
        for path in (mine.state / "device-key", mine.state, mine.state.parent):
            os.chown(path, 0, 0)
            self.assert_ends(mine.run("show", answers=PIN), 78,
                             f"if it is yours: sudo chown -R {ORDINARY} {path}")
            os.chown(path, ORDINARY, ORDINARY)
        self.assert_ends(mine.run("show", answers=PIN), 0)

    @needs_root
    def test_root_makes_nothing_in_somebodys_home(self):
        home = Home(user=ORDINARY)
        home.user = None
        for command in (["activate"], ["request"]):
            done = home.run(*command)
            self.assert_ends(done, 78, f"{home.path} belongs to another user than root")
            self.assertIn("without sudo", done.err)
        self.assertEqual(list(home.path.iterdir()), [])
        home.user = ORDINARY
        home.activate()
        self.assert_ends(home.run("show", answers=PIN), 0)

    def test_another_state_folder_is_told_as_that(self):
        home = one_token()
        elsewhere = home.path / "elsewhere"
        for _ in range(2):
            done = home.run("show", answers=PIN, changes={"XDG_STATE_HOME": str(elsewhere)})
            self.assert_ends(done, 82, f"{elsewhere}/softtoken has no device key")
            self.assertIn("XDG_STATE_HOME", done.err)
        self.assert_ends(home.run("show", answers=PIN), 0)
        home.state.rename(elsewhere / "aside")
        self.assert_ends(home.run("show", answers=PIN), 82, f"{home.state} has no device key")
        shutil.rmtree(home.state)
        (elsewhere / "aside").rename(home.state)
        self.assert_ends(home.run("show", answers=PIN), 0)

    def test_what_is_missing_is_named(self):
        for name, words in (("attempts", "an attempt record is missing"),
                            ("log", "an attempt record or the log is missing"),
                            ("log-head", "an attempt record or the log is missing")):
            with self.subTest(name):
                home = one_token()
                (home.state / name).unlink()
                self.assertIn(f"1 of 10 attempts left ({words}", home.run("status").out)

    @needs_root
    def test_roots_home_used_by_an_ordinary_user(self):
        home = one_token()
        home.path.chmod(0o755)
        home.user = ORDINARY
        done = home.run("show", answers=PIN)
        self.assertIn(done.code, (74, 78), done)
        self.assert_ends(done, done.code)

    def test_what_is_made_is_private_whatever_the_umask(self):
        for umask in ("000", "077"):
            home = Home()
            prefix = ["/bin/sh", "-c", f'umask {umask}; exec "$@"', "sh"]
            done = home.run("activate", otpauth(), ATTESTED, answers=f"Clinic\n{PIN}\n",
                            prefix=prefix)
            self.assert_ends(done, 0)
            for folder in (home.data, home.state):
                self.assertEqual(folder.stat().st_mode & 0o777, 0o700)
                for file in folder.iterdir():
                    self.assertEqual(file.stat().st_mode & 0o777, 0o600, file)


class DiskTest(ProgramTest):
    @needs_root
    def test_a_full_disk_loses_nothing_and_spends_no_attempt(self):
        """A tmpfs that is filled up after activation: then no attempt can be counted."""
        script = """
            mount -t tmpfs -o size=256k,mode=700 tmpfs "$HOME"
            cp -a "$SAVED/." "$HOME"
            "$P" status --json > "$OUT/before"
            dd if=/dev/zero of="$HOME/filler" bs=4k 2>/dev/null || true
            for try in 1 2 3; do
                echo 8305 | "$P" show > "$OUT/out$try" 2> "$OUT/err$try" || echo $? > "$OUT/code$try"
            done
            echo 4271 | "$P" show > "$OUT/out4" 2> "$OUT/err4" || echo $? > "$OUT/code4"
            printf '4271\\n9136\\n' | "$P" pin > "$OUT/out5" 2> "$OUT/err5" || echo $? > "$OUT/code5"
            rm "$HOME/filler"
            "$P" status --json > "$OUT/after"
            "$P" log --verify 2> "$OUT/log"
            echo 4271 | "$P" show > "$OUT/out6" 2> "$OUT/err6"
        """
        saved, home = one_token(), Home()
        out = pathlib.Path(tempfile.mkdtemp(dir=WORK))
        done = subprocess.run(
            ["unshare", "-m", "--propagation", "private", "/bin/sh", "-ec", script],
            capture_output=True, start_new_session=True, cwd="/",
            env=environment(home.path, SAVED=str(saved.path), OUT=str(out), P=PROGRAM))
        self.assertEqual(done.returncode, 0, done.stderr)
        for number in range(1, 6):
            self.assertEqual((out / f"out{number}").read_text(), "")
            self.assertIn((out / f"code{number}").read_text().strip(), ("73", "74"))
            self.assertRegex((out / f"err{number}").read_text(), "softtoken: error: .*full")
        self.assertEqual((out / "before").read_text(), (out / "after").read_text())
        self.assertRegex((out / "out6").read_text(), r"\A\d{6}\n\Z")

    @needs_root
    def test_a_disk_too_small_to_activate_on(self):
        home = Home()
        for size in ("4k", "8k", "16k", "24k"):
            with self.subTest(size):
                script = f'mount -t tmpfs -o size={size},mode=700 tmpfs "$HOME"'
                done = home.run("activate", otpauth(), ATTESTED, answers=f"Clinic\n{PIN}\n",
                                prefix=mounted(script))
                self.assertIn(done.code, (73, 74), done)
                self.assert_ends(done, done.code, "full")

    @needs_root
    def test_a_read_only_disk(self):
        home = one_token()
        prefix = mounted('mount --bind "$HOME" "$HOME"; mount -o remount,ro,bind "$HOME"')
        self.assertEqual(home.status(prefix=prefix)["keystore"], "locked")
        done = home.run("show", answers=PIN, prefix=prefix)
        self.assertIn(done.code, (73, 74), done)
        self.assert_ends(done, done.code)
        self.assert_no_attempt(home)
        empty = Home()
        done = empty.run("activate", otpauth(), ATTESTED, answers=f"Clinic\n{PIN}\n", prefix=prefix)
        self.assert_ends(done, 73)
        self.assertEqual(empty.run("show", prefix=prefix).code, 66)

    @needs_root
    def test_a_folder_that_its_owner_can_not_write(self):
        home = Home(one_token(), user=ORDINARY)
        home.data.chmod(0o500)
        done = home.run("show", answers=PIN)
        self.assertIn(done.code, (73, 74), done)
        self.assert_ends(done, done.code)
        home.data.chmod(0o700)
        self.assert_no_attempt(home)

    def test_little_address_space_is_a_failure_and_never_a_wrong_pin(self):
        home = one_token()
        prefix = ["prlimit", "--as=200000000", "--"]
        self.assert_ends(home.run("show", answers=PIN, prefix=prefix), 74, "memory")
        self.assert_no_attempt(home)


class HomeTest(ProgramTest):
    def test_without_home_it_says_so(self):
        home = one_token()
        for value in (None, "", "relative", "."):
            for command in (["show"], ["activate", otpauth(), ATTESTED], ["list"]):
                self.assert_ends(home.run(*command, answers=PIN, changes={"HOME": value}), 78,
                                 "HOME")

    def test_a_home_that_does_not_exist_is_made_or_missing(self):
        home = Home()
        away = {"HOME": str(home.path / "not/there")}
        self.assert_ends(home.run("show", answers=PIN, changes=away), 66)
        self.assertEqual(home.run("status", changes=away).code, 0)
        self.assertFalse((home.path / "not").exists())
        done = home.run("activate", otpauth(), ATTESTED, answers=f"Clinic\n{PIN}\n", changes=away)
        self.assertIn(done.code, (0, 73), done)

    def test_a_home_that_is_a_file(self):
        home = Home()
        (home.path / "file").write_text("")
        away = {"HOME": str(home.path / "file")}
        done = home.run("activate", otpauth(), ATTESTED, answers=f"Clinic\n{PIN}\n", changes=away)
        self.assert_ends(done, 73)

    def test_relative_xdg_folders_are_ignored_and_absolute_ones_taken(self):
        home = one_token()
        for value in ("data", "./x", "~/x", ""):
            done = home.run("show", answers=PIN,
                            changes={"XDG_DATA_HOME": value, "XDG_STATE_HOME": value})
            self.assert_ends(done, 0)
        moved = Home()
        places = {"XDG_DATA_HOME": str(moved.path / "a b/data"),
                  "XDG_STATE_HOME": str(moved.path / "state")}
        done = moved.run("activate", otpauth(), ATTESTED, answers=f"Clinic\n{PIN}\n", changes=places)
        self.assert_ends(done, 0)
        self.assertEqual(sorted(p.name for p in (moved.path / "a b/data/softtoken").iterdir()),
                         ["attempts", "keystore"])
        self.assertFalse((moved.path / ".local").exists())
        self.assert_ends(moved.run("show", answers=PIN), 66)
        self.assert_ends(moved.run("show", answers=PIN, changes={**places, "HOME": None}), 0)

    def test_the_files_of_the_contract_and_no_others(self):
        home = one_token()
        home.run("show", answers=PIN)
        home.run("request")
        home.activate(links.Issuer().link(), "Signed", PIN, "--trust-issuer",
                      links.Issuer().fingerprint, code=links.CODE)
        self.assertEqual(sorted(p.name for p in home.data.iterdir()), ["attempts", "keystore"])
        self.assertLessEqual(
            {p.name for p in home.state.iterdir()},
            set("attempts device-key device-share attestation used-links log log-head log-key "
                "request lock erased".split()))


class AttemptsTest(ProgramTest):
    def test_five_wrong_pins_begin_a_delay_and_a_right_one_resets_them(self):
        home = one_token()
        for left in (9, 8, 7, 6):
            self.assert_ends(home.run("show", answers=WRONG), 77, f"{left} attempts are left")
            self.assertEqual(home.attempts_left(), left)
        self.assert_ends(home.run("list", answers=WRONG), 77, "try again in 30 seconds")
        self.assert_ends(home.run("show", answers=PIN), 75)
        self.assert_ends(home.run("show"), 75)
        self.assertEqual(home.status()["keystore"], "delayed")
        self.assertEqual(home.attempts_left(), 5)
        files.write_attempts(home, 5, seconds_ago=29)
        time.sleep(1.2)
        self.assert_ends(home.run("show", answers=PIN), 0)
        self.assertEqual(home.attempts_left(), 10)
        events = [(e["event"], e["outcome"]) for e in home.log()]
        self.assertEqual(events.count(("unlock", "rejected")), 5)
        # Met twice, told once.
        self.assertEqual(events.count(("delay", "refused")), 1)

    def test_the_delay_doubles(self):
        for count, seconds in ((5, 30), (6, 60), (7, 120), (8, 240), (9, 480)):
            home = one_token()
            files.write_attempts(home, count)
            left = home.status()["retryAt"] - time.time()
            self.assertAlmostEqual(left, seconds, delta=4)

    @needs_root
    def test_a_shifted_boot_time_wins_nothing(self):
        home = one_token()
        files.write_attempts(home, 5, seconds_ago=25)
        shifted = ["unshare", "-T", "--boottime", "100000", "--"]
        done = home.run("show", answers=PIN, prefix=shifted)
        self.assert_ends(done, 75, "30 seconds")
        self.assert_ends(home.run("show", answers=PIN, prefix=shifted), 75)
        # It began anew there and was recorded: it ends there, and begins anew here.
        retry = home.status(prefix=shifted)["retryAt"] - time.time()
        time.sleep(1.2)
        self.assertLess(home.status(prefix=shifted)["retryAt"] - time.time(), retry)
        self.assert_ends(home.run("show", answers=WRONG), 75)
        self.assertGreater(home.status()["retryAt"] - time.time(), 20)
        self.assertEqual(home.attempts_left(), 5)

    def test_a_delay_of_another_boot_lasts_until_as_much_of_this_one_is_over(self):
        home = one_token()
        files.write_attempts(home, 5, boot_id=secrets.token_bytes(16))
        expected = 0 if files.boot_seconds() >= 30 else 75
        self.assert_ends(home.run("show", answers=PIN), expected)

    def test_the_limit_erases_and_the_tokens_are_gone(self):
        home = one_token()
        files.write_attempts(home, 2, limit=3)
        self.assertEqual(home.attempts_left(), 1)
        self.assert_ends(home.run("show", answers=WRONG), 83, "one business day")
        for name in ("keystore", "attempts"):
            self.assertFalse((home.data / name).exists())
        self.assertEqual({"device-key", "device-share", "attestation"}
                         & {p.name for p in home.state.iterdir()}, set())
        before = home.snapshot()
        for command in (["show"], ["list"], ["pin"]):
            self.assert_ends(home.run(*command, answers=PIN), 83)
        self.assertEqual(home.status()["keystore"], "erased")
        self.assertEqual(home.snapshot().keys(), before.keys())
        self.assertIn(("erase", "ok"), [(e["event"], e["outcome"]) for e in home.log()])
        self.assert_ends(home.run("log", "--verify"), 0)
        # A new link makes a new keystore, with another PIN; the log goes on.
        home.activate(pin="9136", name="New")
        self.assert_ends(home.run("show", answers="9136"), 0)
        self.assertEqual(home.status()["keystore"], "locked")
        self.assertIn("erase", [e["event"] for e in home.log()])

    def test_after_a_right_pin_in_the_last_attempt_no_power_cut_brings_the_count_back(self):
        home = one_token()
        files.write_attempts(home, 2, limit=3)
        trace = home.path / "trace"
        done = home.run("show", answers=PIN, prefix=[
            "strace", "-f", "-y", "-o", str(trace), "-e", "trace=renameat,fsync"])
        self.assert_ends(done, 0)
        calls = trace.read_text().splitlines()
        for folder in (home.data, home.state):
            put = [n for n, call in enumerate(calls)
                   if "renameat(" in call and f"<{folder}>, \"attempts\")" in call]
            synced = [n for n, call in enumerate(calls) if f"<{folder}>) = 0" in call
                      and "fsync(" in call]
            self.assertEqual(len(put), 2, calls)
            self.assertGreater(synced[-1], put[-1], calls)

    def test_the_last_of_ten_erases(self):
        home = one_token()
        files.write_attempts(home, 9, seconds_ago=480)
        if files.boot_seconds() < 481:
            self.skipTest("this machine has not run for eight minutes")
        self.assert_ends(home.run("show", answers=WRONG), 83)
        self.assert_ends(home.run("show", answers=PIN), 83)

    def test_reset_ends_without_a_tombstone(self):
        home = one_token()
        self.assert_ends(home.run("reset", "--yes"), 0)
        self.assertFalse((home.state / "erased").exists())
        self.assert_ends(home.run("show", answers=PIN), 66)
        self.assert_ends(home.run("reset", "--yes"), 66)
        home.activate(pin="9136")
        self.assert_ends(home.run("show", answers="9136"), 0)

    def test_one_lost_record_leaves_one_attempt(self):
        for folder in ("data", "state"):
            home = one_token()
            (getattr(home, folder) / "attempts").unlink()
            self.assertEqual(home.attempts_left(), 1)
            self.assert_ends(Home(home).run("show", answers=PIN), 0)
            self.assert_ends(home.run("show", answers=WRONG), 83)

    def test_both_records_lost_leave_none(self):
        home = one_token()
        for folder in (home.data, home.state):
            (folder / "attempts").unlink()
        self.assert_ends(home.run("show", answers=PIN), 83, "softtoken reset")
        self.assertEqual(home.status()["keystore"], "erased")
        self.assert_ends(home.run("reset", "--yes"), 0)
        home.activate()

    def test_the_links_policy_lowers_the_limit(self):
        home, issuer = Home(), links.Issuer()
        home.activate(issuer.link(st={"policy": {"attempts": 3}}), "Clinic", PIN,
                      "--trust-issuer", issuer.fingerprint, code=links.CODE)
        self.assertEqual(home.status()["attemptLimit"], 3)
        self.assert_ends(home.run("show", answers=WRONG), 77, "2 attempts are left")
        self.assert_ends(home.run("show", answers=WRONG), 77, "1 attempt is left")
        self.assert_ends(home.run("show", answers=WRONG), 83)

    @needs_root
    def test_the_administrators_policy_lowers_the_limit_but_leaves_one_attempt(self):
        machine = Machine()
        home = Home()
        home.activate(machine=machine)
        for left in (9, 8, 7, 6):
            home.run("show", answers=WRONG, machine=machine)
        machine.write_policy('{"attempts":3}')
        self.assertEqual(home.status(machine=machine)["attemptsLeft"], 1)
        self.assert_ends(home.run("show", answers=WRONG, machine=machine), 83)

    def test_many_at_once_win_no_attempt(self):
        home = one_token()
        children = [subprocess.Popen([PROGRAM, "show"], stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                     env=environment(home.path)) for _ in range(6)]
        for child in children:
            child.stdin.write(WRONG.encode())
            child.stdin.close()
        codes = sorted(child.wait() for child in children)
        for child in children:
            child.stdout.close()
            child.stderr.close()
        # The fifth begins a delay, which the sixth has to respect.
        self.assertEqual(codes, [75, 77, 77, 77, 77, 77])
        self.assertEqual(home.attempts_left(), 5)

    def test_a_kill_wins_no_attempt(self):
        """Killed at any moment, the count goes down by one or not at all, and a wrong PIN that was
        answered has been counted."""
        home = one_token()
        for delay in (0.02, 0.2, 0.4, 0.6):
            before = home.attempts_left()
            child = subprocess.Popen([PROGRAM, "show"], stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                     env=environment(home.path))
            child.stdin.write(WRONG.encode())
            child.stdin.close()
            time.sleep(delay)
            child.kill()
            code = child.wait()
            answered = b"wrong PIN" in child.stderr.read()
            child.stdout.close()
            child.stderr.close()
            after = home.attempts_left()
            self.assertIn(before - after, (1,) if answered else (0, 1), code)
            self.assertEqual(home.status()["keystore"], "locked")


class SurvivalTest(ProgramTest):
    def test_tokens_survive_everything_that_is_no_erasure(self):
        home = three_tokens()
        for command, answers in ((["show", "Clinic at"], WRONG), (["pin"], f"{PIN}\n1234\n"),
                                 (["pin"], f"{PIN}\n9136\n"), (["rename", "Old", "Counted"], "9136"),
                                 (["show", "Counted"], "9136"),
                                 (["remove", "Clinic at the lake", "--yes"], "9136")):
            home.run(*command, answers=answers)
        tokens = home.run("list", "--json", answers="9136").json["tokens"]
        self.assertEqual(sorted((t["name"], t["counter"]) for t in tokens),
                         [("Clinic", None), ("Counted", 1)])
        self.assert_ends(home.run("log", "--verify"), 0)

    def test_the_size_of_the_file_does_not_tell_the_number_of_tokens(self):
        self.assertEqual((one_token().data / "keystore").stat().st_size,
                         (three_tokens().data / "keystore").stat().st_size)

    def test_an_altered_log_is_told_and_stops_nothing(self):
        home = one_token()
        path = home.state / "log"
        whole = path.read_bytes()
        for name, spoiled in (("a changed time", whole.replace(b'Z"', b'Y"', 1)),
                              ("a line less", whole.split(b"\n", 1)[1]), ("nothing", b"")):
            with self.subTest(name):
                copy = Home(home)
                (copy.state / "log").write_bytes(spoiled)
                self.assert_ends(copy.run("log", "--verify"), 65, "not whole")
                self.assertEqual(copy.status()["log"], "altered")
                self.assert_ends(copy.run("show", answers=PIN), 0)
                self.assert_ends(copy.run("log", "--verify"), 65)


if __name__ == "__main__":
    unittest.main()
