"""Every exit code of CONTRACT §2, and which one wins where several apply.

70 is a fault of the program, and there is no known way to it: test_process sends its signals. 130
and the codes of the display are in test_terminal and test_display.
"""
import fcntl
import os
import subprocess
import threading
import time
import unittest

import files
import links
from machine import Machine
from program import (Home, IS_ROOT, PIN, ProgramTest, environment, needs_root, one_token, otpauth,
                     template, today)

ISSUER = links.Issuer()
STRANGER = links.Issuer("Somebody Else")
WRONG = "8305\n"


class ReachTest(ProgramTest):
    """One way to each code."""

    def test_64_an_option_that_does_not_exist(self):
        self.assert_ends(Home().run("show", "--seed"), 64, "(?i)unknown option")

    def test_64_a_command_that_does_not_exist(self):
        self.assert_ends(Home().run("export"), 64)

    def test_64_a_malformed_pin_spends_no_attempt(self):
        home = one_token()
        self.assert_ends(home.run("show", answers="427\n"), 64, "four digits")
        self.assert_no_attempt(home)

    def test_64_a_missing_answer(self):
        home = one_token()
        self.assert_ends(home.run("show"), 64, "the PIN is missing")
        self.assert_no_attempt(home)

    def test_65_a_link_that_is_no_link(self):
        self.assert_ends(Home().run("activate", "hello", "--not-prescribing-device"), 65)

    def test_65_a_tampered_link(self):
        link = ISSUER.link(key=STRANGER.key)
        self.assert_ends(Home().run("activate", link, "--not-prescribing-device"), 65)

    def test_65_a_wrong_activation_code_uses_nothing_up(self):
        home = Home()
        link = ISSUER.link()
        options = ("--not-prescribing-device", "--trust-issuer", ISSUER.fingerprint)
        wrong = f"AAAAA-AAAAA\nClinic\n{PIN}\n"
        self.assert_ends(home.run("activate", link, *options, answers=wrong), 65)
        right = f"{links.CODE}\nClinic\n{PIN}\n"
        self.assert_ends(home.run("activate", link, *options, answers=right), 0)

    def test_65_a_damaged_keystore_costs_no_attempt(self):
        home = one_token()
        path = home.data / "keystore"
        whole = path.read_bytes()
        path.write_bytes(whole[:3000] + bytes([whole[3000] ^ 1]) + whole[3001:])
        self.assert_ends(home.run("show", answers=PIN), 65, "damaged")
        path.write_bytes(whole)
        self.assert_no_attempt(home)

    def test_65_a_log_that_is_not_whole(self):
        home = one_token()
        path = home.state / "log"
        path.write_bytes(path.read_bytes().replace(b'"activate"', b'"rename"'))
        self.assert_ends(home.run("log", "--verify"), 65, "log is not whole")
        self.assertEqual(home.run("log").code, 0)

    def test_65_a_prescribing_record_that_is_damaged(self):
        home = one_token()
        whole = links.record([(1, os.urandom(16))])
        self.assert_ends(home.run("device", "forbid", whole[:-1], answers=PIN), 65)

    def test_66_no_keystore(self):
        for command in (["show"], ["list"], ["rename", "a", "b"], ["remove", "a"], ["pin"],
                        ["reset", "--yes"], ["issuer", "list"]):
            with self.subTest(command):
                self.assert_ends(Home().run(*command, answers=PIN), 66, "no token has been")

    def test_66_no_such_token(self):
        self.assert_ends(one_token().run("show", "Pharmacy", answers=PIN), 66, "no such token")

    def test_66_no_such_file(self):
        for command in (["activate", "--from", "/nowhere"], ["activate", "--qr", "/nowhere"],
                        ["issuer", "add", "/nowhere"], ["device", "forbid", "/nowhere"]):
            with self.subTest(command):
                self.assert_ends(one_token().run(*command, answers=PIN), 66, "no file /nowhere")

    def test_69_there_is_no_tpm(self):
        done = Home().run("activate", otpauth(), "--protector", "tpm2", "--not-prescribing-device",
                          answers=f"Clinic\n{PIN}\n")
        self.assert_ends(done, 69)

    @unittest.skipUnless(os.path.exists("/dev/full"), "needs /dev/full")
    def test_74_the_output_can_not_be_written(self):
        with open("/dev/full", "w") as full:
            done = one_token().run("show", answers=PIN, stdout=full)
        self.assert_ends(done, 74)

    # Sources/Linux would have to ignore SIGPIPE: the program dies of it.
    def test_74_a_closed_pipe_is_an_error_like_another(self):
        read, write = os.pipe()
        os.close(read)
        try:
            done = one_token().run("show", answers=PIN, stdout=write)
        finally:
            os.close(write)
        self.assert_ends(done, 74)

    def test_75_a_delay_is_in_force(self):
        home = one_token()
        files.write_attempts(home, count=5)
        self.assert_ends(home.run("show", answers=PIN), 75, "try again in (29|30) seconds")
        self.assert_ends(home.run("list", answers=PIN), 75)

    def test_77_a_wrong_pin(self):
        home = one_token()
        self.assert_ends(home.run("show", answers=WRONG), 77, "9 attempts are left")
        self.assertEqual(home.attempts_left(), 9)
        self.assert_ends(home.run("show", answers=PIN), 0)
        self.assertEqual(home.attempts_left(), 10)

    def test_78_a_keystore_that_others_can_read(self):
        home = one_token()
        (home.data / "keystore").chmod(0o644)
        self.assert_ends(home.run("show", answers=PIN), 78, f"chmod 600 {home.data}/keystore")

    def test_78_there_is_no_home(self):
        self.assert_ends(Home().run("show", changes={"HOME": None}), 78, "HOME")

    def test_81_nobody_attested(self):
        done = Home().run("activate", otpauth(), answers=f"Clinic\n{PIN}\n")
        self.assert_ends(done, 81, "--not-prescribing-device")

    def test_83_the_last_wrong_pin_and_every_command_after_it(self):
        home = one_token()
        files.write_attempts(home, count=2, limit=3)
        self.assert_ends(home.run("show", answers=WRONG), 83, "EPCS administrator")
        self.assert_ends(home.run("show", answers=PIN), 83)
        self.assert_ends(home.run("list", answers=PIN), 83)

    def test_84_an_expired_link(self):
        link = ISSUER.link(exp=int(time.time()) - 1)
        self.assert_ends(Home().run("activate", link, "--not-prescribing-device"), 84, "expired")

    def test_84_a_used_link_even_after_reset(self):
        home, link = Home(), ISSUER.link()
        home.activate(link, "Clinic", PIN, "--trust-issuer", ISSUER.fingerprint, code=links.CODE)
        again = ("activate", link, "--not-prescribing-device")
        self.assert_ends(home.run(*again), 84, "used")
        self.assert_ends(home.run("reset", "--yes"), 0)
        self.assert_ends(home.run(*again), 84, "used")

    def test_85_a_counter_at_its_end(self):
        home = Home()
        home.activate(otpauth("hotp", counter=2**53 - 1))
        self.assert_ends(home.run("show", answers=PIN), 0)
        self.assert_ends(home.run("show", answers=PIN), 85, "counter")

    def test_85_an_expired_token(self):
        home = Home()
        link = ISSUER.link(st={"expires": int(time.time()) + 3})
        home.activate(link, "Clinic", PIN, "--trust-issuer", ISSUER.fingerprint, code=links.CODE)
        time.sleep(3)
        self.assert_ends(home.run("show", answers=PIN), 85, "expired")
        token = home.run("list", "--json", answers=PIN).json["tokens"][0]
        self.assertEqual(token["state"], "expired")

    def test_86_a_link_from_the_future_until_the_clock_is_confirmed(self):
        home = Home()
        link = ISSUER.link(iat=int(time.time()) + 7200, exp=int(time.time()) + 86400)
        options = ("--not-prescribing-device", "--trust-issuer", ISSUER.fingerprint)
        answers = f"{links.CODE}\nClinic\n{PIN}\n"
        self.assert_ends(home.run("activate", link, *options, answers=answers), 86)
        self.assert_ends(home.run("activate", link, *options, "--clock-is", "2001-01-01",
                                  answers=answers), 86)
        self.assert_ends(home.run("activate", link, *options, "--clock-is", today(),
                                  answers=answers), 0)
        self.assertIn(("clock", "ok"), [(e["event"], e["outcome"]) for e in home.log()])

    def test_86_a_clock_before_the_log_until_it_is_confirmed(self):
        home = one_token()
        files.write_baseline(home, int(time.time()) + 290)
        self.assert_ends(home.run("show", answers=PIN), 0)
        files.write_baseline(home, int(time.time()) + 400)
        self.assert_ends(home.run("show", answers=PIN), 86, "clock")
        self.assert_ends(home.run("show", "--clock-is", today(), answers=PIN), 0)
        self.assert_ends(home.run("show", answers=PIN), 0)

    def test_87_a_remote_login(self):
        home = one_token()
        ssh = {"SSH_CONNECTION": "10.0.0.1 50000 10.0.0.2 22"}
        for command in (["show"], ["list"], ["pin"], ["rename", "Clinic", "b"], ["remove", "Clinic"],
                        ["issuer", "list"], ["activate", otpauth(), "--not-prescribing-device"],
                        ["device", "forbid", links.record([(1, os.urandom(16))])]):
            with self.subTest(command):
                self.assert_ends(home.run(*command, answers=PIN, changes=ssh), 87)
        for command in (["status"], ["log"], ["device", "check"]):
            with self.subTest(command):
                self.assertEqual(home.run(*command, changes=ssh).code, 0)

    def test_88_a_pin_that_is_easy_to_guess(self):
        for pin in ("1234", "0000", "1984", "2580", "1212"):
            done = Home().run("activate", otpauth(), "--not-prescribing-device",
                              answers=f"Clinic\n{pin}\n")
            self.assert_ends(done, 88, "easy to guess")

    def test_88_an_issuer_that_nobody_trusts(self):
        home = Home()
        answers = f"{links.CODE}\nClinic\n{PIN}\n"
        link = ISSUER.link()
        for trust in ((), ("--trust-issuer", STRANGER.fingerprint)):
            done = home.run("activate", link, "--not-prescribing-device", *trust, answers=answers)
            self.assert_ends(done, 88, ISSUER.fingerprint)
        self.assertEqual(home.status()["keystore"], "none")
        # With a keystore it is known before the PIN is tried, a wrong one too.
        home = one_token()
        for pin in (PIN, "5068"):
            done = home.run("activate", link, "--not-prescribing-device",
                            answers=f"{links.CODE}\nNew\n{pin}\n")
            self.assert_ends(done, 88, ISSUER.fingerprint)
        self.assert_no_attempt(home)

    def test_lock_that_never_gets_free_is_75(self):
        self.assertEqual(BusyLock.instance.result(), 75)


class BusyLock:
    """A command that waits its whole minute for the lock, beside the other tests."""
    instance = None

    def __init__(self):
        self.home = one_token()
        self.lock = open(self.home.state / "lock", "r+")
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        # Whichever kind of lock the program takes, another process holds it.
        self.holder = subprocess.Popen(
            ["/usr/bin/python3", "-c",
             "import fcntl,sys,time; f=open(sys.argv[1],'r+'); fcntl.lockf(f, fcntl.LOCK_EX);"
             "print('held', flush=True); time.sleep(300)", str(self.home.state / "lock")],
            stdout=subprocess.PIPE)
        self.holder.stdout.readline()
        self.began = time.monotonic()
        self.done = None
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        self.done = self.home.run("show", answers=PIN, timeout=120)
        self.seconds = time.monotonic() - self.began

    def result(self):
        self.thread.join()
        # A minute, and what a busy machine takes to start and to end it.
        assert 55 < self.seconds < 110, self.seconds
        assert self.done.out == "", self.done
        assert self.done.err.count("waiting for another softtoken") == 1, self.done
        return self.done.code

    def end(self):
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()
        self.lock.close()


def setUpModule():
    BusyLock.instance = BusyLock()


def tearDownModule():
    BusyLock.instance.thread.join()
    BusyLock.instance.end()


class Case:
    """A command and what is wrong with it; each fault is added by one function."""

    def __init__(self, machine, home, command):
        self.machine, self.home, self.command = machine, home, command
        self.options, self.changes, self.link = [], {}, {}
        self.answers, self.is_tampered, self.policy = PIN + "\n", False, {}

    def run(self):
        arguments = [self.command]
        if self.command == "activate":
            arguments.append(ISSUER.link(key=STRANGER.key if self.is_tampered else None,
                                         **self.link))
        return self.home.run(*arguments, *self.options, answers=self.answers,
                             changes=self.changes, machine=self.machine)


def unknown_option(case):
    case.options.append("--unknown")


def malformed_policy(case):
    case.machine.write_policy("{")


def keystore_open_to_others(case):
    (case.home.data / "keystore").chmod(0o666)


def tampered_link(case):
    case.is_tampered = True


def marked(case):
    case.machine.write("etc/softtoken/prescribing-device", "")


def remote(case):
    case.changes["SSH_CONNECTION"] = "10.0.0.1 50000 10.0.0.2 22"


def strict(case):
    case.machine.write_policy('{"separation":"strict"}')


def future_link(case):
    case.link["iat"] = int(time.time()) + 7200


def early_clock(case):
    files.write_baseline(case.home, int(time.time()) + 7200)


def expired_link(case):
    case.link["exp"] = int(time.time()) - 1


def untrusted(case):
    case.options.remove(ISSUER.fingerprint)
    case.options.remove("--trust-issuer")


def missing_keystore(case):
    (case.home.data / "keystore").unlink(missing_ok=True)


def damaged_keystore(case):
    with open(case.home.data / "keystore", "r+b") as file:
        file.truncate(4000)


def foreign_keystore(case):
    (case.home.state / "device-key").unlink()


def lost_records(case):
    for folder in (case.home.state, case.home.data):
        (folder / "attempts").unlink()


def erased_keystore(case):
    files.write_attempts(case.home, 10, 10, machine_id=case.machine.machine_id)
    case.home.run("status", machine=case.machine)


def unattested(case):
    case.options.remove("--not-prescribing-device")
    (case.home.state / "attestation").unlink(missing_ok=True)


def tpm(case):
    case.options += ["--protector", "tpm2"]


def delay(case):
    files.write_attempts(case.home, 6, machine_id=case.machine.machine_id)


def wrong_pin(case):
    case.answers = case.answers.replace(PIN, WRONG.strip())


def spent_counter(case):
    case.options.append("Spent")


@needs_root
class PrecedenceTest(ProgramTest):
    """Where several apply, the first of CONTRACT §2's list: each chain begins with all faults and
    loses the gravest one at a time."""

    @classmethod
    def setUpClass(cls):
        if not IS_ROOT:
            return

        def make(home):
            home.activate(otpauth(), machine=cls.machine)
            home.activate(otpauth("hotp", counter=2**53 - 1), "Spent", machine=cls.machine)
            home.run("show", "Spent", answers=PIN, machine=cls.machine)
        cls.machine = Machine()
        cls.full = template("precedence", make)
        cls.empty = Home()

    def check(self, command, home, chain, answers=PIN + "\n"):
        for index, (code, _) in enumerate(chain):
            faults = [fault for _, fault in chain[index:]]
            with self.subTest(", ".join(fault.__name__ for fault in faults)):
                self.machine.clear_administration()
                case = Case(self.machine, Home(home), command)
                case.options = ["--not-prescribing-device"]
                if command == "activate":
                    case.options += ["--trust-issuer", ISSUER.fingerprint]
                case.answers = answers
                # The gravest last: where two write one file, its content counts.
                for fault in reversed(faults):
                    fault(case)
                self.assert_ends(case.run(), code)

    START = [(64, unknown_option), (78, malformed_policy)]
    PLACE = [(80, marked), (87, remote), (81, strict)]
    LINK = [(86, future_link), (84, expired_link)]
    NEW = f"{links.CODE}\nNew\n{PIN}\n"

    def test_activate_with_a_keystore(self):
        self.check("activate", self.full, self.START + [(65, tampered_link)] + self.PLACE
                   + self.LINK + [(88, untrusted), (81, unattested), (69, tpm), (75, delay),
                                  (77, wrong_pin)], self.NEW)

    def test_activate_without_a_keystore(self):
        self.check("activate", self.empty, self.START + [(65, tampered_link)] + self.PLACE
                   + self.LINK + [(88, untrusted), (81, unattested_new), (69, tpm)], self.NEW)

    def test_activate_with_a_keystore_that_can_not_be_used(self):
        for code, fault in ((65, damaged_keystore), (82, foreign_keystore), (83, lost_records)):
            self.check("activate", self.full, [(88, untrusted), (code, fault), (81, unattested),
                                               (69, tpm)], self.NEW)

    def test_a_keystore_open_to_others_comes_before_the_link(self):
        self.check("activate", self.full, [(78, keystore_open_to_others), (65, tampered_link)]
                   + self.PLACE, self.NEW)

    def test_show_with_a_keystore(self):
        self.check("show", self.full, self.START + self.PLACE + [
            (86, early_clock), (81, unattested), (75, delay), (77, wrong_pin),
            (85, spent_counter)])

    def test_show_with_a_keystore_open_to_others(self):
        self.check("show", self.full, [(64, unknown_option), (78, keystore_open_to_others)]
                   + self.PLACE)

    def test_show_with_a_keystore_that_can_not_be_used(self):
        for code, fault in ((65, damaged_keystore), (82, foreign_keystore), (83, lost_records),
                            (66, missing_keystore), (83, erased_keystore)):
            self.check("show", self.full, [(80, marked), (87, remote), (81, strict),
                                           (86, early_clock), (code, fault)])

    def test_what_can_not_be_used_comes_before_the_attestation(self):
        for code, fault in ((65, damaged_keystore), (82, foreign_keystore), (83, lost_records)):
            self.check("show", self.full, [(code, fault), (81, unattested)])

    def test_a_missing_file_comes_after_the_place(self):
        for command in (("activate", "--from", "/nowhere"), ("issuer", "add", "/nowhere")):
            for code, changes, marker in ((80, {"SSH_CONNECTION": "x"}, True),
                                          (87, {"SSH_CONNECTION": "x"}, False), (66, {}, False)):
                with self.subTest(f"{command} {code}"):
                    self.machine.clear_administration()
                    if marker:
                        self.machine.write("etc/softtoken/prescribing-device", "")
                    home = Home(self.full)
                    done = home.run(*command, answers=PIN, changes=changes, machine=self.machine)
                    self.assert_ends(done, code)


def unattested_new(case):
    case.options.remove("--not-prescribing-device")


if __name__ == "__main__":
    unittest.main()
