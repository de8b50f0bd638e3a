"""At a real pseudo-terminal, as transcripts: what is typed, what stands on the screen, how it ends.
The rolling display itself is test_display's matter.
"""
import os
import re
import signal
import subprocess
import time
import unittest

import files
import links
import screen
from machine import Machine
from program import (Home, PIN, PROGRAM, ProgramTest, environment, needs_root, one_token, otpauth,
                     three_tokens, today)
from screen import Session

ISSUER = links.Issuer()
ATTESTED = "--not-prescribing-device"
ATTEST = "Do you send prescriptions from this computer? [yes/no]"
TRUST = "Does the issuer tell you the same key? [yes/no]"


class TerminalTest(ProgramTest):
    def start(self, home, *arguments, machine=None, **changes):
        command = home.command([str(argument) for argument in arguments], machine)
        session = Session(command, environment(home.path, **changes), columns=100, rows=40)
        self.addCleanup(session.close)
        return session

    def answer(self, session, prompt, typed, end="\r"):
        session.answer(prompt, typed, end)

    def assert_asked_twice(self, session, prompt):
        end = time.monotonic() + 20
        while session.bytes.count(prompt.encode()) < 2:
            self.assertLess(time.monotonic(), end, session.text())
            session.read(0.1)

    def assert_end(self, session, code, words=None):
        self.assertEqual(session.end(), code, session.text())
        if words is not None:
            self.assertIn(words, re.sub(r"\s+", " ", session.text()))


class ActivateTest(TerminalTest):
    def test_activation_from_the_link_to_the_otp(self):
        home = Home()
        session = self.start(home, "activate")
        self.answer(session, "Paste the activation link", otpauth())
        self.answer(session, ATTEST, "no")
        session.wait_for("Token of issuer Example Health, account alice (not signed)")
        self.answer(session, "Name of the token [", "Clinic")
        session.wait_for("Choose a PIN of four digits")
        self.answer(session, "New PIN:", PIN)
        self.answer(session, "The same PIN again:", PIN)
        self.assert_end(session, 0, "Clinic is activated")
        for secret in (PIN, screen.SEED, "otpauth"):
            self.assertNotIn(secret.encode(), session.bytes)
        self.assert_ends(home.run("show", answers=PIN), 0)

    def test_a_signed_link_asks_for_trust_and_the_code(self):
        home = Home()
        session = self.start(home, "activate", ISSUER.link())
        self.answer(session, ATTEST, "no")
        session.wait_for(ISSUER.fingerprint)
        self.answer(session, TRUST, "yes")
        self.answer(session, "Activation code", links.CODE)
        self.answer(session, "Name of the token [", "")
        self.answer(session, "New PIN:", PIN)
        self.answer(session, "The same PIN again:", PIN)
        self.assert_end(session, 0, "is activated")
        self.assertNotIn(links.CODE.encode(), session.bytes)
        # Trusted now, and attested: neither is asked again.
        session = self.start(home, "activate", ISSUER.link())
        self.answer(session, "Activation code", links.CODE)
        self.answer(session, "Name of the token [", "Second")
        self.answer(session, "PIN:", PIN)
        self.assert_end(session, 0, "Second is activated")
        self.assertNotIn(b"attest", session.bytes)
        self.assertNotIn(b"trust", session.bytes)

    def test_with_a_keystore_trust_comes_before_the_code_and_the_pin_too(self):
        home = one_token()
        session = self.start(home, "activate", ISSUER.link())
        self.answer(session, TRUST, "yes")
        self.answer(session, "Activation code", links.CODE)
        self.answer(session, "Name of the token [", "Second")
        self.answer(session, "PIN:", PIN)
        self.assert_end(session, 0, "Second is activated")
        self.assertIn(ISSUER.fingerprint, home.run("issuer", "list", answers=PIN).out)
        # A refused issuer costs nothing, and no PIN is asked for.
        session = self.start(one_token(), "activate", ISSUER.link())
        self.answer(session, TRUST, "no")
        self.assert_end(session, 88)
        self.assertNotIn(b"PIN", session.bytes)
        # A key that is trusted no longer is asked about again.
        home.run("issuer", "remove", ISSUER.fingerprint, answers=PIN)
        done = home.run("activate", ISSUER.link(), answers=f"{links.CODE}\nThird\n{PIN}\n")
        self.assert_ends(done, 88)

    def test_who_does_not_attest_or_trust_is_refused(self):
        home = Home()
        session = self.start(home, "activate", otpauth())
        # An Enter too many, behind a paste for instance, answers nothing; nor does another word.
        self.answer(session, ATTEST, "")
        for typed in ("n", "No"):
            self.answer(session, ATTEST, typed)
            session.wait_for("Type yes or no")
        self.answer(session, ATTEST, "yes")
        self.assert_end(session, 81, "run it again and answer no")
        session = self.start(home, "activate", ISSUER.link(), ATTESTED)
        self.answer(session, TRUST, "y")
        session.wait_for("Type yes or no")
        self.answer(session, TRUST, "no")
        self.assert_end(session, 88, ISSUER.fingerprint)
        self.assertEqual(home.status()["keystore"], "none")

    def test_the_clock_is_asked_about_when_it_can_not_be_right(self):
        home = Home()
        link = ISSUER.link(iat=int(time.time()) + 7200, exp=int(time.time()) + 86400)
        options = (link, ATTESTED, "--trust-issuer", ISSUER.fingerprint)
        session = self.start(home, "activate", *options)
        session.wait_for(f"It shows {today()}")
        self.answer(session, "Is that right? [yes/no]", "no")
        self.assert_end(session, 86)
        session = self.start(home, "activate", *options)
        self.answer(session, "Is that right? [yes/no]", "yes")
        self.answer(session, "Activation code", links.CODE)
        self.answer(session, "Name of the token [", "Clinic")
        self.answer(session, "New PIN:", PIN)
        self.answer(session, "The same PIN again:", PIN)
        self.assert_end(session, 0)

    def test_a_new_pin_is_asked_until_it_is_good_and_typed_twice_alike(self):
        home = Home()
        session = self.start(home, "activate", otpauth(), ATTESTED, "--name", "Clinic")
        self.answer(session, "New PIN:", "1234")
        session.wait_for("easy to guess")
        session.wait_for("end with Ctrl-C and add --random-pin.")
        self.answer(session, "New PIN:", "427")
        session.wait_for("exactly four digits")
        self.answer(session, "New PIN:", PIN)
        self.answer(session, "The same PIN again:", "42")
        session.wait_for("this was not. Choose four digits.")
        self.answer(session, "New PIN:", PIN)
        self.answer(session, "The same PIN again:", "4272")
        session.wait_for("not the same")
        self.answer(session, "New PIN:", "8305")
        self.answer(session, "The same PIN again:", "8305")
        self.assert_end(session, 0)
        self.assertNotIn(b"attempt", session.bytes)
        for pin in (PIN, "8305", "1234", "4272"):
            self.assertNotIn(pin.encode(), session.bytes)
        self.assert_ends(home.run("show", answers="8305"), 0)

    def test_a_link_that_can_not_be_read_is_asked_for_again(self):
        home = Home()
        session = self.start(home, "activate", ATTESTED)
        self.answer(session, "Paste the activation link", "otpauth://totp/alice?issuer=A")
        session.wait_for("The link holds no seed")
        self.answer(session, "Paste the activation link", "")
        session.wait_for("There is no activation link in this text")
        self.answer(session, "Paste the activation link", otpauth())
        self.answer(session, "Name of the token [", "Clinic")
        self.answer(session, "New PIN:", PIN)
        self.answer(session, "The same PIN again:", PIN)
        self.assert_end(session, 0, "Clinic is activated")
        session = self.start(Home(), "activate", ATTESTED)
        self.answer(session, "Paste the activation link", "nothing")
        # The question may come in one piece with what is said before it.
        session.wait_for("There is no activation link in this text")
        self.assert_asked_twice(session, "Paste the activation link")
        session.child.sendintr()
        self.assert_end(session, 65)

    def test_a_taken_name_is_asked_again(self):
        home = one_token()
        session = self.start(home, "activate", otpauth(label="bob"))
        self.answer(session, "Name of the token [", "a\x1b[Ab")
        self.answer(session, "PIN:", PIN)
        self.assert_end(session, 0, "ab is activated")
        session = self.start(home, "activate", otpauth(label="carol"))
        self.answer(session, "Name of the token [", "x" * 65)
        session.wait_for("1 to 64 bytes")
        self.answer(session, "Name of the token [", "Clinic")
        self.answer(session, "PIN:", PIN)
        session.wait_for("A token of this name is here already")
        self.answer(session, "Name of the token [", "Other")
        self.assert_end(session, 0, "Other is activated")
        self.assertEqual(len(home.run("list", answers=PIN).out.splitlines()), 3)

    def test_a_name_that_is_taken_is_asked_again_by_rename(self):
        home = three_tokens()
        session = self.start(home, "rename", "Old", "Clinic")
        self.answer(session, "PIN:", PIN)
        session.wait_for("A token of this name is here already")
        self.answer(session, "New name:", "Clinic at the lake")
        self.answer(session, "New name:", "Older")
        self.assert_end(session, 0, "Old is now named Older")
        names = [t["name"] for t in home.run("list", "--json", answers=PIN).json["tokens"]]
        self.assertEqual(names, ["Clinic", "Clinic at the lake", "Older"])

    def test_a_mistyped_code_is_asked_for_again_three_times_in_all(self):
        home = Home()
        options = (ISSUER.link(), ATTESTED, "--trust-issuer", ISSUER.fingerprint, "--name", "Clinic")
        session = self.start(home, "activate", *options)
        self.answer(session, "Activation code", "ABCDE")
        session.wait_for("An activation code has ten letters and digits")
        self.answer(session, "Activation code", "ABCDE-ABCDE")
        session.wait_for("doesn't open this link. Nothing is used up")
        self.answer(session, "Activation code", links.CODE)
        self.answer(session, "New PIN:", PIN)
        self.answer(session, "The same PIN again:", PIN)
        self.assert_end(session, 0, "Clinic is activated")
        session = self.start(Home(), "activate", *options)
        for _ in range(3):
            self.answer(session, "Activation code", "ABCDE-ABCDE")
        self.assert_end(session, 65, "doesn't open this link")

    def test_the_chooser_takes_a_name_and_says_what_it_wants(self):
        home = three_tokens()
        session = self.start(home, "show", "--once")
        self.answer(session, "PIN:", PIN)
        self.answer(session, "Which token (1 to 3)?", "7")
        session.wait_for("Type a number from 1 to 3")
        self.answer(session, "Which token (1 to 3)?", "Old")
        self.assert_end(session, 0)

    def test_tokens_stand_in_columns_under_a_heading(self):
        home = three_tokens()
        session = self.start(home, "list")
        self.answer(session, "PIN:", PIN)
        self.assert_end(session, 0)
        rows = [row for row in session.text().splitlines()
                if row and not row.startswith(("PIN", "Type"))]
        self.assertEqual(rows[0].split(), ["NAME", "STATE", "TYPE", "ISSUER", "ACCOUNT", "SERIAL"])
        self.assertEqual(len(rows), 4)
        for row in rows[1:]:
            self.assertEqual(row.index("active"), rows[0].index("STATE"))

    def test_a_random_pin_is_shown_once_at_the_terminal(self):
        home = Home()
        session = self.start(home, "activate", otpauth(), ATTESTED, "--name", "Clinic",
                             "--random-pin")
        session.wait_for("Press Enter")
        pin = re.search(r"Your PIN is (\d{4})", session.text()).group(1)
        session.child.send("\r")
        self.assert_end(session, 0, "is activated")
        self.assert_ends(home.run("show", answers=pin), 0)

    def test_a_pasted_mail_is_taken_whole(self):
        home = Home()
        mail = f"Dear doctor,\r\n\r\n  {otpauth()}\r\n\r\nThe pharmacy\r\n"
        session = self.start(home, "activate", ATTESTED)
        session.wait_for("Paste the activation link")
        session.child.send(f"\x1b[200~{mail}\x1b[201~\r")
        self.answer(session, "Name of the token [", "Clinic")
        self.answer(session, "New PIN:", PIN)
        self.answer(session, "The same PIN again:", PIN)
        self.assert_end(session, 0)
        self.assertNotIn(screen.SEED.encode(), session.bytes)

    def test_all_of_standard_input_as_the_link_asks_at_the_terminal(self):
        home = Home()
        file = home.path / "link"
        file.write_text(otpauth())
        session = Session(["/bin/sh", "-c", f'"{PROGRAM}" activate --from - < {file}'],
                          environment(home.path))
        self.addCleanup(session.close)
        self.answer(session, ATTEST, "no")
        self.answer(session, "Name of the token [", "Clinic")
        self.answer(session, "New PIN:", PIN)
        self.answer(session, "The same PIN again:", PIN)
        self.assert_end(session, 0)


class PINTest(TerminalTest):
    def test_a_wrong_pin_and_then_the_right_one(self):
        home = one_token()
        session = self.start(home, "show", "--once")
        session.wait_for("Nothing is shown while you type")
        self.answer(session, "PIN:", "8305")
        session.wait_for("9 attempts are left before the keystore is erased")
        self.answer(session, "PIN (9 attempts left):", PIN)
        self.assert_end(session, 0)
        self.assertRegex(session.text(), r"(?m)^\d{6}$")
        self.assertEqual(session.text().count("Nothing is shown"), 1)
        self.assertNotIn(PIN.encode(), session.bytes)
        self.assert_no_attempt(home)

    def test_each_wrong_pin_costs_its_attempt_and_the_last_refusal_is_the_code(self):
        home = one_token()
        session = self.start(home, "show", "--once")
        for left in (9, 8):
            self.answer(session, "PIN", "8305")
            session.wait_for(f"{left} attempts are left before the keystore is erased")
        session.wait_for("PIN (8 attempts left):")
        session.child.sendintr()
        self.assert_end(session, 77, "wrong PIN; 8 attempts are left")
        self.assert_no_attempt(home, left=8)

    def test_a_delay_is_waited_out_with_its_seconds(self):
        home = one_token()
        files.write_attempts(home, 5, seconds_ago=24)
        session = self.start(home, "show", "--once")
        session.wait_for("you have to wait")
        session.wait_for("Wait 3 s")
        self.answer(session, "PIN (5 attempts left):", PIN)
        self.assert_end(session, 0)
        files.write_attempts(home, 5)
        session = self.start(home, "show")
        session.wait_for("Ctrl-C ends")
        session.child.sendintr()
        self.assert_end(session, 75, "try again in")
        self.assertNotIn(b"PIN (", session.bytes)

    def test_an_ended_delay_tells_how_much_of_it_is_left_on_a_line_of_its_own(self):
        home = one_token()
        files.write_attempts(home, 4)
        session = self.start(home, "show", "--once")
        self.answer(session, "PIN (6 attempts left):", "8305")
        session.wait_for("Wait 27 s")
        session.child.sendintr()
        self.assert_end(session, 77)
        lines = session.text().split("\n")
        error = next(line for line in lines if "softtoken: error:" in line)
        self.assertTrue(error.startswith("softtoken: error: wrong PIN; 5 attempts"), session.text())
        self.assertRegex(lines[-1], "hint: try again in (26|27) seconds$")

    def test_a_delay_refuses_where_the_pin_is_not_typed(self):
        home = one_token()
        files.write_attempts(home, 5)
        session = Session(["/bin/sh", "-c", f'"{PROGRAM}" show --once --pin-fd 3 3<<E\n{PIN}\nE'],
                          environment(home.path))
        self.addCleanup(session.close)
        self.assert_end(session, 75, "try again in")

    def test_the_last_attempt_is_announced_and_then_erases(self):
        home = one_token()
        files.write_attempts(home, 2, limit=3)
        session = self.start(home, "show")
        session.wait_for("This is the last attempt")
        self.answer(session, "PIN:", "8305")
        self.assert_end(session, 83, "the keystore was erased")
        session = self.start(home, "show")
        self.assert_end(session, 83, "EPCS administrator")
        self.assertNotIn(b"PIN:", session.bytes)

    def test_a_malformed_pin_spends_no_attempt(self):
        home = one_token()
        session = self.start(home, "show", "--once")
        for typed in ("427", "42711", "427a", "", "４２７１", "4" * 200):
            self.answer(session, "PIN:", typed)
            session.wait_for("no attempt was spent")
            session.screen.reset()
        self.answer(session, "PIN:", PIN)
        self.assert_end(session, 0)
        session = self.start(home, "show")
        self.answer(session, "PIN:", "427")
        session.wait_for("no attempt was spent")
        session.child.send("\x04")
        self.assert_end(session, 64, "no attempt was spent")
        self.assert_no_attempt(home)

    def test_a_slip_of_the_pin_loses_nothing_that_was_given(self):
        home = one_token()
        session = self.start(home, "activate", ISSUER.link())
        self.answer(session, TRUST, "yes")
        self.answer(session, "Activation code", links.CODE)
        self.answer(session, "Name of the token [", "Second")
        session.wait_for("Type the PIN of the keystore on this device.")
        self.answer(session, "PIN:", "8305")
        session.wait_for("9 attempts are left")
        self.answer(session, "PIN (9 attempts left):", "83")
        session.wait_for("no attempt was spent")
        self.answer(session, "PIN (9 attempts left):", PIN)
        self.assert_end(session, 0, "Second is activated")

    def test_what_was_mistyped_can_be_taken_back(self):
        home = one_token()
        session = self.start(home, "show", "--once")
        self.answer(session, "PIN:", "99\x7f\x7f1\x15" + PIN)
        self.assert_end(session, 0)

    def test_a_new_pin_is_typed_twice(self):
        home = one_token()
        session = self.start(home, "pin")
        self.answer(session, "PIN:", PIN)
        self.answer(session, "New PIN:", "8305")
        self.answer(session, "The same PIN again:", "8305")
        self.assert_end(session, 0, "the PIN was changed")
        self.assertNotIn(b"8305", session.bytes)
        self.assert_ends(home.run("show", answers="8305"), 0)

    def test_pin_descriptor_asks_nothing(self):
        home = one_token()
        session = Session(["/bin/sh", "-c", f'"{PROGRAM}" show --once --pin-fd 3 3<<E\n{PIN}\nE'],
                          environment(home.path))
        self.addCleanup(session.close)
        self.assert_end(session, 0)
        self.assertNotIn(b"PIN:", session.bytes)
        self.assertRegex(session.text(), r"(?m)^\d{6}$")


class EchoTest(TerminalTest):
    def test_echo_is_off_when_the_prompt_appears(self):
        home = one_token()
        for _ in range(5):
            session = self.start(home, "show", "--once")
            while b"PIN:" not in session.bytes:
                session.read(0.01)
            self.assertFalse(session.has_echo())
            session.child.send(PIN + "\r")
            self.assertEqual(session.end(), 0)
            self.assertNotIn(PIN.encode(), session.bytes)

    def test_what_is_typed_during_the_check_is_not_shown(self):
        home = one_token()
        session = self.start(home, "show", "--once")
        self.answer(session, "PIN:", PIN)
        for _ in range(5):
            session.child.send("8305")
            session.read(0.05)
        self.assertEqual(session.end(), 0)
        self.assertNotIn(b"8305", session.bytes.split(b"PIN:", 1)[1].split(b"\n")[0])

    def test_nothing_but_a_name_is_echoed(self):
        session = self.start(Home(), "activate", otpauth(), ATTESTED)
        self.answer(session, "Name of the token [", "Lake clinic", end="")
        session.wait_for("Lake clinic")
        session.child.send("\x7f\x7f\x7f\r")
        session.wait_for("New PIN:")
        self.assertIn("Lake cli", session.text())
        session.child.sendintr()
        self.assertEqual(session.end(), 130)


class EndingTest(TerminalTest):
    """However a prompt ends, the terminal is as it was found."""
    QUESTIONS = [(("activate",), "Paste the activation link"),
                 (("activate", otpauth()), ATTEST),
                 (("activate", otpauth(), ATTESTED), "Name of the token ["),
                 (("activate", otpauth(), ATTESTED, "--name", "b"), "New PIN:"),
                 (("activate", ISSUER.link(), ATTESTED), TRUST),
                 (("activate", ISSUER.link(), ATTESTED, "--trust-issuer", ISSUER.fingerprint),
                  "Activation code")]

    def shell(self, home, command):
        """A shell that tells the modes before and after, and the exit code."""
        script = f'stty -g; {command}; echo "code=$?"; stty -g'
        session = Session(["/bin/bash", "-c", "trap : INT; " + script], environment(home.path),
                          columns=200, rows=40)
        self.addCleanup(session.close)
        return session

    def check(self, home, command, prompt, how, code):
        session = self.shell(home, command)
        session.wait_for(prompt)
        how(session)
        session.wait_for("code=")
        session.end()
        self.assertIn(f"code={code}", session.text())
        modes = re.findall(r"(?m)^[0-9a-f:]{40,}$", session.text())
        self.assertEqual(len(modes), 2, session.text())
        self.assertEqual(modes[0], modes[1])
        self.assertNotIn("softtoken: error", session.text() if code == 130 else "")
        return session

    def test_ctrl_c_at_each_question_is_130_and_restores_the_terminal(self):
        home = Home()
        for arguments, prompt in self.QUESTIONS:
            with self.subTest(prompt):
                command = " ".join(f"'{word}'" for word in (PROGRAM, *arguments))
                self.check(home, command, prompt, lambda s: s.child.sendintr(), 130)
        home = one_token()
        for command, prompt in (("show", "PIN:"), ("list", "PIN:"), ("pin", "PIN:"),
                                ("reset", "[yes/no]")):
            with self.subTest(command):
                self.check(home, f"{PROGRAM} {command}", prompt, lambda s: s.child.sendintr(), 130)
        self.assert_no_attempt(home)

    def test_ctrl_c_after_typing_spends_no_attempt(self):
        home = one_token()

        def type_and_end(session):
            session.child.send("830")
            session.read(0.1)
            session.child.sendintr()
        self.check(home, f"{PROGRAM} show", "PIN:", type_and_end, 130)
        self.assert_no_attempt(home)

    def test_the_end_of_the_input_is_64_and_asks_no_more(self):
        home = one_token()
        for command, prompt in (("show", "PIN:"), ("pin", "PIN:"), ("reset", "[yes/no]"),
                                ("activate", "Paste the activation link")):
            with self.subTest(command):
                session = self.check(home, f"{PROGRAM} {command}", prompt,
                                     lambda s: s.child.send("\x04"), 64)
                self.assertEqual(session.text().count(prompt), 1)
        self.assert_no_attempt(home)

    def test_signals_end_it_and_restore_the_terminal(self):
        home = one_token()
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            def send(session):
                found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(session.child.pid)],
                                       capture_output=True, text=True).stdout.split()
                os.kill(int(found[0]), number)
            with self.subTest(number.name):
                self.check(home, f"{PROGRAM} show", "PIN:", send, 128 + number)

    def check_nothing_reaches_the_shell(self, end, typed, code):
        """What the shell reads next is what is typed after it says so, and nothing before."""
        session = Session(
            ["/bin/bash", "-c", f"trap : INT; {PROGRAM} show --once; echo \"code=$?\"; "
             'IFS= read -r line; echo "read=[$line]"'],
            environment(one_token().path), columns=200, rows=40)
        self.addCleanup(session.close)
        session.wait_for("PIN")
        end(session)
        for key in typed:
            session.child.send(key)
            time.sleep(0.1)
        session.wait_for(f"code={code}")
        session.child.send("mine\r")
        session.wait_for("read=[")
        self.assertIn("read=[mine]", session.text())

    def test_a_pin_typed_while_the_program_ends_does_not_reach_the_shell(self):
        # The first key comes with the end, the others behind it: who types is waited for.
        self.check_nothing_reaches_the_shell(lambda s: s.child.send("\x048"), "305\r", 64)

    def test_a_pin_typed_while_a_signal_ends_it_does_not_reach_the_shell(self):
        def end(session):
            found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(session.child.pid)],
                                   capture_output=True, text=True).stdout.split()
            session.child.send(PIN + "\r")
            session.read(0.1)  # in the check: the handler answers, no prompt does
            session.child.send("8")
            os.kill(int(found[0]), signal.SIGTERM)
        self.check_nothing_reaches_the_shell(end, "305\r", 143)

    def test_a_terminal_that_goes_away_ends_it(self):
        home = one_token()
        session = self.start(home, "show")
        session.wait_for("PIN:")
        pid = session.child.pid
        os.close(session.child.child_fd)
        session.child.child_fd, session.child.closed = -1, True
        deadline = time.monotonic() + 5
        while not os.waitpid(pid, os.WNOHANG)[0]:
            self.assertLess(time.monotonic(), deadline, "it still runs")
            time.sleep(0.05)
        self.assert_no_attempt(home)

    def test_ctrl_z_at_a_pin_is_ignored(self):
        # Or the rest of the PIN would be typed into the shell.
        home = one_token()
        session = Session.at_a_shell(home, "show --once")
        self.addCleanup(session.close)
        session.wait_for("PIN:")
        session.child.send(PIN[:2])
        session.child.send("\x1a")
        session.read(0.5)
        self.assertNotIn("Stopped", session.text())
        session.child.send(PIN[2:] + "\r")
        end = time.monotonic() + 10
        while not re.search(r"(?m)^\d{6}$", session.text()):
            self.assertLess(time.monotonic(), end, session.text())
            session.read(0.1)
        # Its two digits may stand in the OTP, and in the name of the program's folder before it.
        told = re.sub(r"(?m)^\d{6}$", "", session.text().split("PIN:")[-1])
        self.assertNotIn(PIN[2:], told)
        self.assert_no_attempt(home)

    def test_suspended_at_a_question_it_asks_again(self):
        home = one_token()
        session = Session.at_a_shell(home, "remove Clinic")
        self.addCleanup(session.close)
        session.wait_for("PIN:")
        session.child.send(PIN + "\r")
        session.wait_for("[yes/no]")
        session.child.send("ye\x1a")
        session.wait_for("Stopped")
        self.assertTrue(session.has_echo() or session.is_canonical() is False)
        session.screen.reset()
        session.child.send("fg\r")
        session.wait_for("[yes/no]")
        # What was typed before is forgotten.
        session.child.send("no\r")
        session.wait_for("nothing was removed")
        self.assert_no_attempt(home)


class DeclinedTest(TerminalTest):
    def test_a_no_is_told_and_not_advised_against(self):
        home = one_token()
        session = self.start(home, "remove", "Clinic")
        self.answer(session, "PIN:", PIN)
        self.answer(session, "[yes/no]", "no")
        self.assert_end(session, 64, "error: nothing was removed")
        self.assertNotIn("hint", session.text())
        session = self.start(home, "reset")
        session.wait_for("Forbidden prescribing computers and trusted issuers go with it.")
        self.answer(session, "[yes/no]", "no")
        self.assert_end(session, 64, "error: nothing was destroyed")
        self.assertNotIn("hint", session.text())

    def test_a_terminal_that_is_not_this_process_s_is_told(self):
        for home, code, words in ((one_token(), 74, "give each answer as a line"),
                                  (Home(), 66, "no token has been activated")):
            session = Session(["setsid", "--wait", *home.command(["show"])],
                              environment(home.path), columns=100)
            self.addCleanup(session.close)
            self.assert_end(session, code, words)


class ChoiceTest(TerminalTest):
    def test_the_chooser_comes_after_the_pin(self):
        home = three_tokens()
        session = self.start(home, "show", "--once")
        self.answer(session, "PIN:", PIN)
        session.wait_for("Clinic at the lake")
        for typed in ("0", "4", "x", ""):
            self.answer(session, "Which token (1 to 3)?", typed)
        lines = [line.split(None, 1) for line in session.text().splitlines()
                 if re.match(r" +[123] ", line)]
        number = next(n for n, name in lines if name.startswith("Old"))
        self.answer(session, "Which token (1 to 3)?", number)
        self.assert_end(session, 0)
        self.assertIn("755224", session.text())

    def test_a_wrong_pin_learns_no_names(self):
        home = three_tokens()
        session = self.start(home, "show", "Cl")
        self.answer(session, "PIN:", "8305")
        session.wait_for("attempts left):")
        session.child.sendintr()
        self.assert_end(session, 77)
        self.assertNotIn("lake", session.text())

    def test_a_start_of_several_names_is_chosen_among_those(self):
        home = three_tokens()
        session = self.start(home, "remove", "Cli")
        self.answer(session, "PIN:", PIN)
        self.answer(session, "Which token (1 to 2)?", "2")
        self.answer(session, "[yes/no]", "yes")
        self.assert_end(session, 0)
        self.assertEqual(len(home.run("list", answers=PIN).out.splitlines()), 2)

    def test_leaving_the_chooser_spends_nothing(self):
        home = three_tokens()
        session = self.start(home, "show")
        self.answer(session, "PIN:", PIN)
        session.wait_for("Which token")
        session.child.sendintr()
        self.assertEqual(session.end(), 130)
        self.assert_no_attempt(home)
        self.assertEqual(home.run("show", "Old", answers=PIN).out, "755224\n")


class PipeTest(TerminalTest):
    def test_with_a_pipe_on_stdout_the_prompt_is_on_the_terminal(self):
        home = one_token()
        file = home.path / "otp"
        session = Session(["/bin/sh", "-c", f'"{PROGRAM}" show > {file}'], environment(home.path))
        self.addCleanup(session.close)
        self.answer(session, "PIN:", PIN)
        self.assertEqual(session.end(), 0)
        self.assertRegex(file.read_text(), r"\A\d{6}\n\Z")
        self.assertNotIn(file.read_text().strip(), session.text())


@needs_root
class RefusalTest(TerminalTest):
    def test_the_prescribing_device_asks_nothing(self):
        machine = Machine()
        home = Home()
        home.activate(machine=machine)
        machine.write("etc/softtoken/prescribing-device", "")
        for command in (["show"], ["activate"], ["activate", otpauth()], ["list"], ["pin"]):
            with self.subTest(command):
                session = self.start(home, *command, machine=machine)
                self.assert_end(session, 80, "sends prescriptions")
                self.assertNotIn(b"PIN:", session.bytes)
                self.assertNotIn(b"yes/no", session.bytes)
                self.assertNotIn(b"Paste", session.bytes)


if __name__ == "__main__":
    unittest.main()
