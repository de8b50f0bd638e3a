"""A morning with softtoken: each screen that a prescriber, an administrator or a tester meets, in the
usual window, in a low one and in one of twenty columns. Binds DESIGN §8 and CONTRACT §1, §3.
"""
import re
import time
import unittest

import links
from machine import Machine
from program import (Home, PIN, ProgramTest, environment, needs_root, one_token, otpauth, template,
                     three_tokens)
from screen import Session
from test_device import ELSEWHERE

ISSUER = links.Issuer()
ATTESTED = "--not-prescribing-device"
DAY = 86_400
WINDOWS = ((80, 24), (40, 12), (20, 24))


def suggested():
    """A home whose token has the name that its link suggested."""
    def make(home):
        done = home.run("activate", ISSUER.link(), ATTESTED, "--trust-issuer", ISSUER.fingerprint,
                        answers=f"{links.CODE}\n\n{PIN}\n")
        assert done.code == 0, done
    return Home(template("suggested", make))


class MorningTest(ProgramTest):
    def start(self, home, *arguments, columns=80, rows=24, machine=None, **changes):
        command = home.command([str(argument) for argument in arguments], machine)
        session = Session(command, environment(home.path, **changes), columns=columns, rows=rows)
        self.addCleanup(session.close)
        return session

    def all_text(self, session):
        """What stood on the screen, scrolled away or not."""
        rows = ["".join(row[column].data for column in range(session.screen.columns)).rstrip()
                for row in session.screen.history.top]
        return "\n".join(rows + [session.text()])

    def screens(self, make_home, *arguments, steps=(), until=None, machine=None):
        """The text in each window; every word of a narrow one is a word of a wide one."""
        found = {}
        for columns, rows in ((250, 60), *WINDOWS):
            session = self.start(make_home(), *arguments, columns=columns, rows=rows,
                                 machine=machine)
            for prompt, typed in steps:
                session.answer(prompt, typed)
            if until is None:
                session.end()
            else:
                session.wait_for(until)
                session.read(0.3)
                session.close()
            found[columns] = self.all_text(session)
        known = {word.lower().strip(":") for word in found[250].split()}
        for columns, _ in WINDOWS:
            for line in found[columns].splitlines():
                for word in line.split():
                    self.assertTrue(
                        self.is_whole(word.lower().strip(":"), known, columns),
                        f"{word} is broken in {columns} columns:\n{found[columns]}")
        return found


    @staticmethod
    def is_whole(word, known, columns):
        """Times and ids differ from run to run; what is wider than the window can't be whole."""
        return (word in known or re.search(r"\d", word) is not None
                or any(word in wide for wide in known if len(wide) >= columns))


class ScreensTest(MorningTest):
    def test_list_is_a_table_in_eighty_columns_and_blocks_in_twenty(self):
        found = self.screens(suggested, "list", steps=[("PIN:", PIN)])
        table = re.search(r"(?m)^NAME .*SERIAL$\n^.*ST-0001$", found[80])
        self.assertTrue(table, found[80])
        self.assertIn("\n  state: active\n  type: totp\n", found[20])

    def test_log_tells_local_time_at_a_terminal_and_names_with_the_pin(self):
        for columns, rows in WINDOWS:
            session = self.start(suggested(), "log", columns=columns, rows=rows, TZ="EST5")
            session.end()
            stamp = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 5 * 3600))
            self.assertIn(stamp, self.all_text(session))
            self.assertNotRegex(self.all_text(session), r"\dZ\b")
        home = suggested()
        self.assertRegex(home.run("log").out, r"(?m)^1  \S+T\S+Z  attest")
        self.assertRegex(home.log()[0]["time"], r"Z$")
        found = self.screens(suggested, "log", "--names", steps=[("PIN:", PIN)])
        self.assertIn("activate  ok  Example Token Authority dr.ann@example.org", found[250])
        self.assertNotIn("Example Token", home.run("log").out)
        self.assert_ends(home.run("log", "--names", "--json", answers=PIN), 64, "--names")
        self.assert_ends(home.run("log", "--names", answers="8305"), 77)

    def test_status_tells_the_policy_and_where_it_comes_from(self):
        found = self.screens(suggested, "status")
        self.assertIn("10 attempts (default); displays of 300 s (default)", found[250])

    def test_softtoken_alone_says_what_to_do_now(self):
        found = self.screens(Home)
        self.assertIn("softtoken activate", found[80])
        self.assertNotIn("softtoken show", found[80])
        found = self.screens(one_token)
        self.assertIn("softtoken show", found[20])
        for columns, rows in WINDOWS:
            self.assertLess(len(found[columns].splitlines()), rows)

    def test_help_stands_in_its_columns_where_they_fit(self):
        for columns in 60, 79, 80, 81, 200:
            session = self.start(Home(), "--help", columns=columns, rows=60)
            self.assertEqual(session.end(), 0)
            self.assertRegex(session.text(), "\n  show {20}Show the")
            self.assertRegex(session.text(), "\n  handler {17}Let this desktop open")

    def test_help_needs_no_width(self):
        for command in ((), ("show",), ("activate",), ("device", "register")):
            found = self.screens(Home, *command, "--help")
            self.assertIn("--help", found[20])
        done = Home().run("show", "--help", changes={"COLUMNS": "3"})
        self.assert_ends(done, 0)

    def test_errors_and_hints_are_whole_words_at_a_terminal_and_one_line_elsewhere(self):
        self.screens(one_token, "shwo")
        self.screens(one_token, "show", "--clock-is", "x")
        found = self.screens(Home, "show")
        self.assertIn("\nsofttoken activate", found[20])
        self.assert_ends(Home().run("show"), 66)

    def test_questions_are_whole_words(self):
        self.screens(Home, "activate", until="Enter:")
        self.screens(Home, "activate", otpauth(), until="[yes/no]")
        self.screens(Home, "activate", otpauth(), ATTESTED, until="]:")
        self.screens(Home, "activate", otpauth(), ATTESTED, "--name", "b", until="New PIN:")
        self.screens(Home, "activate", ISSUER.link(), ATTESTED, until="[yes/no]")
        self.screens(one_token, "reset", until="[yes/no]")
        self.screens(one_token, "pin", until="PIN:")
        self.screens(one_token, "remove", "Clinic", steps=[("PIN:", PIN)], until="[yes/no]")

    def test_a_drawn_pin_is_gone_with_enter(self):
        for columns, rows in WINDOWS:
            home = Home()
            session = self.start(home, "activate", otpauth(), ATTESTED, "--name", "Clinic",
                                 "--random-pin", columns=columns, rows=rows)
            session.wait_for("Press Enter")
            pin = re.search(r"Your PIN is (\d{4})", session.text()).group(1)
            session.child.send("\r")
            self.assertEqual(session.end(), 0, session.text())
            self.assertIn(b"\x1b[2J\x1b[?25h\x1b[?1049l", session.bytes)
            self.assertNotIn(pin, session.after_main_screen())
            self.assert_ends(home.run("show", answers=pin), 0)

    def test_a_drawn_pin_that_nobody_confirms_is_set_nowhere(self):
        home = one_token()
        session = self.start(home, "pin", "--random-pin")
        session.answer("PIN:", PIN)
        session.wait_for("Press Enter")
        session.child.sendintr()
        self.assertEqual(session.end(), 130)
        self.assertNotRegex(session.after_main_screen(), r"\d{4}")
        self.assert_ends(home.run("show", answers=PIN), 0)


class MorningLineTest(MorningTest):
    def shown(self, home, columns=80, rows=24, *options, machine=None):
        session = self.start(home, "show", *options, columns=columns, rows=rows, machine=machine)
        session.answer("PIN:", PIN)
        session.wait_for("Ends at" if rows > 12 else "now")
        session.read(0.3)
        text = session.text()
        session.child.send("q")
        session.end()
        return re.sub(r"\s+", " ", text)

    def with_end(self, days):
        home = Home()
        link = ISSUER.link(st={"expires": int(time.time()) + days * DAY + 3600})
        done = home.run("activate", link, ATTESTED, "--trust-issuer", ISSUER.fingerprint,
                        answers=f"{links.CODE}\n\n{PIN}\n")
        self.assert_ends(done, 0)
        return home

    def test_the_end_of_the_token_is_told_within_thirty_days(self):
        home = self.with_end(12)
        for columns, rows in WINDOWS:
            self.assertRegex(self.shown(home, columns, rows),
                             r"This token ends in 12 days, on \d{4}-\d\d-\d\d: ask for a new link")
        self.assertNotIn("token ends", self.shown(self.with_end(31)))

    def test_the_last_use_is_told_from_the_log(self):
        home = suggested()
        self.assertNotIn("Last used", self.shown(home))
        now = time.gmtime()
        text = self.shown(home, 20, 24)
        self.assertIn("Last used:", text)
        hour = re.search(r"Last used: (\d\d):\d\d", text).group(1)
        self.assertIn(int(hour), (now.tm_hour, (now.tm_hour + 1) % 24))
        # A log that is not whole is not believed.
        log = home.state / "log"
        log.write_bytes(log.read_bytes().replace(b'"totp"', b'"hotp"', 1))
        self.assertNotIn("Last used", self.shown(home))

    def test_a_clock_that_nobody_keeps_is_shown_to_be_compared(self):
        home = one_token()
        if home.status()["clock"]["synchronized"]:
            self.skipTest("a time service keeps this clock")
        for columns in (80, 20):
            self.assertRegex(self.shown(home, columns), r"Clock: \d\d:\d\d\. No time service")
        counter = Home()
        counter.activate(otpauth("hotp"))
        self.assertNotIn("Clock:", self.shown(counter))

    def test_plain_tells_it_before_the_otp(self):
        home = self.with_end(12)
        text = self.shown(home, 80, 24, "--plain")
        self.assertLess(text.index("This token ends"), text.index("OTP "))


class TokenTest(MorningTest):
    def test_a_token_is_found_in_any_case(self):
        home = three_tokens()
        self.assert_ends(home.run("show", "old", answers=PIN), 0)
        self.assert_ends(home.run("show", "OL", answers=PIN), 0)
        self.assert_ends(home.run("show", "clinic AT", answers=PIN), 0)
        # In its own case a whole name comes before a start of another.
        self.assert_ends(home.run("show", "clinic", answers=PIN), 0)
        self.assert_ends(home.run("show", "cli", answers=PIN), 64, "several tokens fit")

    def test_the_nearest_name_is_told_after_the_pin_alone(self):
        home = three_tokens()
        self.assert_ends(home.run("show", "Clinik", answers=PIN), 66, "did you mean Clinic\\?")
        # One that begins with a word like it, or holds it.
        home.activate(name="Sign (Rx)")
        self.assert_ends(home.run("show", "sgn", answers=PIN), 66, "mean Sign \\(Rx\\)\\?")
        self.assert_ends(home.run("show", "Lake", answers=PIN), 66, "mean Clinic at the lake\\?")
        self.assert_ends(home.run("show", "xyzzy", answers=PIN), 66, "hint: softtoken list")
        self.assertNotIn("Clinic", home.run("show", "Clinik", answers="8305").err)


@needs_root
class AdministratorTest(MorningTest):
    def status(self, policy, home=None):
        machine = Machine()
        if policy is not None:
            machine.write("etc/softtoken/policy.json", policy)
        return (home or Home()).run("status", "--json", machine=machine)

    def test_the_policy_tells_who_wants_it_so(self):
        policy = self.status('{"attempts": 5, "unsigned": false}').json["policy"]
        self.assertEqual(policy["attempts"], {"value": 5, "from": "administrator"})
        self.assertEqual(policy["unsigned"], {"value": False, "from": "administrator"})
        self.assertEqual(policy["session"], {"value": 300, "from": "default"})
        self.assertEqual(policy["separation"], {"value": "attest", "from": "default"})
        self.assertEqual(policy["remote"], {"value": False, "from": "default"})

    def test_a_bad_policy_is_reported_and_named_and_the_rest_told(self):
        done = self.status('{"atempts": 5}')
        self.assertEqual(done.code, 78, str(done))
        self.assertIsNone(done.json["policy"])
        self.assertEqual(done.json["keystore"], "none")
        self.assertIn("there is no member atempts: did you mean attempts?", done.err)
        done = self.status('{"pin": 5}')
        self.assertIn("there are unsigned, remote, attempts, session, separation", done.err)
        self.assertEqual(self.status('{"attempts": 50}').code, 78)

    def test_register_names_the_next_step_and_forbid_what_it_can_not_undo(self):
        machine = Machine()
        session = self.start(Home(), "device", "register", machine=machine)
        self.assertEqual(session.end(), 0)
        self.assertIn("softtoken device forbid", session.text())
        record = re.search(r"softtoken:prescribing#[\w\-\s]+?\n(?=Next)", session.text() + "\n")
        self.assertTrue(record, session.text())
        session = self.start(one_token(), "device", "forbid", ELSEWHERE)
        session.wait_for("PIN:")
        told = session.text().index("can't be taken back")
        self.assertLess(told, session.text().index("PIN:"))

    def test_who_is_not_root_gets_the_whole_command(self):
        home = Home(user=54321)
        done = home.run("device", "register", "--label", "Dr. Ann's")
        self.assert_ends(done, 78, r"run sudo /\S*/softtoken device register --label "
                                   r"'Dr\. Ann'\\''s'")


if __name__ == "__main__":
    unittest.main()
