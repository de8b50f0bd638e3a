"""The rolling display at a real terminal. Binds DESIGN §8 and CONTRACT §1, §2."""
import os
import re
import signal
import subprocess
import time
import unittest

import screen
from screen import Home, Session, environment

OTP = re.compile(r"\b(\d{3} \d{3})\b")


def show(home, *options, columns=80, rows=24, **changes):
    session = Session([screen.PROGRAM, "show", *options], environment(home.path, **changes),
                      columns, rows)
    session.answer_pin()
    return session


def show_words(home, columns, rows):
    """The words on the display, without its digits and its bar."""
    session = show(home, columns=columns, rows=rows)
    session.wait_for("now")
    text = session.text()
    session.child.send("q")
    session.end()
    return re.sub(r"[█░]|\d+|:", " ", text).split()


class DisplayTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.home = Home(name="Clinic on Main Street")

    def shown(self, *options, **keywords):
        session = show(self.home, *options, **keywords)
        session.wait_for("Ends at")
        return session

    def assert_gone(self, session):
        """Not a digit of an OTP on the screen or in what the scrollback keeps."""
        self.assertIsNone(OTP.search(session.after_main_screen()))
        self.assertIn(b"\x1b[2J\x1b[?25h\x1b[?1049l", session.bytes)

    def assert_nothing_scrolled(self, session):
        """Nothing of the display, that is: the prompt's lines may have."""
        gone = "".join(row[column].data for row in session.screen.history.top for column in row)
        self.assertNotRegex(gone, r"[█#░]|\d{3}|Ends at")

    def test_shows_what_a_prescriber_needs(self):
        session = self.shown()
        text = session.text()
        self.assertIn("Clinic on Main Street", text)
        self.assertIn("Example Health", text)
        self.assertRegex(text, OTP)
        self.assertRegex(text, r"█+░* +\d s")
        self.assertRegex(text, r"Rolls over at \d\d:\d\d:\d\d")
        self.assertRegex(text, r"Ends at \d\d:\d\d:\d\d")
        self.assertIn("q or Ctrl-C ends it now", text)
        session.child.send("q")
        self.assertEqual(session.end(), 0)
        self.assert_gone(session)

    def test_the_otp_stands_large_where_ten_rows_and_its_columns_are_there(self):
        for columns, rows, isBig in ((80, 24, True), (80, 10, True), (40, 12, True),
                                     (30, 10, True), (80, 9, False), (20, 24, False)):
            for lang, square in (("C.UTF-8", "█"), ("C", "#")):
                with self.subTest(f"{columns}x{rows} {lang}"):
                    session = show(self.home, columns=columns, rows=rows, LANG=lang)
                    session.wait_for("ends it")
                    text = session.text()
                    big = screen.big_otp(text, square)
                    small = re.search(r"(?m)^ *(\d{3} \d{3})$", text)
                    self.assertEqual(big is not None, isBig, text)
                    self.assertTrue(big or small, text)
                    if big and small:
                        self.assertEqual(big, small.group(1), text)
                    self.assert_nothing_scrolled(session)
                    session.child.send("q")
                    session.end()
                    self.assertIsNone(screen.big_otp(session.after_main_screen(), square))

    def test_no_word_is_broken_in_any_window(self):
        whole = " ".join(show_words(self.home, 80, 24)) + " Next"
        self.assertIn("Clinic on Main Street", whole)
        for columns, rows in ((20, 24), (20, 40), (40, 12), (23, 30)):
            with self.subTest(f"{columns}x{rows}"):
                for word in show_words(self.home, columns, rows):
                    self.assertIn(word, whole.split())

    def test_rolls_over_to_the_announced_otp(self):
        session = self.shown()
        session.wait_for("Next: ")
        announced = re.search(r"Next: (\d{3} \d{3})", session.text()).group(1)
        seconds = int(re.search(r"(\d+) s$", session.text(), re.M).group(1))
        self.assertLess(seconds, 5)
        time_left = time.monotonic() + 8
        while time.monotonic() < time_left:
            session.read(0.2)
            if OTP.search(session.text()).group(1) == announced:
                break
        self.assertEqual(OTP.search(session.text()).group(1), announced)
        self.assertNotIn("Next: " + announced, session.text())
        session.child.sendintr()
        self.assertEqual(session.end(), 0)
        self.assert_gone(session)

    def test_ends_by_itself(self):
        session = self.shown("--for", "3")
        self.assertEqual(session.end(), 0)
        self.assert_gone(session)

    def test_signals_clear_the_screen_and_restore_the_terminal(self):
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            with self.subTest(number.name):
                session = self.shown()
                os.kill(session.child.pid, number)
                self.assertEqual(session.end() % 256, (128 + number) % 256)
                self.assert_gone(session)

    def test_the_terminal_is_as_it_was(self):
        program = f"{screen.PROGRAM} show; echo code=$?; stty -a"
        for how in ("q", "\x03"):
            with self.subTest(how):
                session = Session(["/bin/bash", "-c", "trap : INT; " + program],
                                  environment(self.home.path))
                session.answer_pin()
                session.wait_for("Ends at")
                self.assertFalse(session.is_canonical())
                session.child.send(how)
                session.end()
                self.assertIn("code=0", session.after_main_screen())
                self.assertRegex(session.after_main_screen(), r" icanon[\s\S]* echo ")

    def test_suspend_hides_and_resume_draws_again(self):
        session = Session.at_a_shell(self.home, "show")
        session.answer_pin()
        session.wait_for("Ends at")
        session.child.send("\x1a")
        session.wait_for("Stopped")
        self.assert_gone(session)
        session.bytes = b""
        session.screen.reset()
        session.child.send("fg\r")
        session.wait_for("Ends at")
        self.assertRegex(session.text(), OTP)
        session.child.send("q")
        session.read(0.5)
        self.assert_gone(session)
        session.child.close(force=True)

    def test_a_closed_terminal_ends_it(self):
        session = self.shown()
        pid = session.child.pid
        os.close(session.child.child_fd)
        session.child.child_fd = -1
        session.child.closed = True
        for _ in range(50):
            if os.waitpid(pid, os.WNOHANG)[0]:
                return
            time.sleep(0.1)
        self.fail("it still runs")

    def test_resize_draws_again(self):
        session = self.shown()
        session.resize(20, 12)
        session.screen.reset()
        session.read(1.2)
        self.assertRegex(session.text(), OTP)
        self.assertIn("Clinic on Main\nStreet", session.text())
        session.child.send("q")
        session.end()

    def test_narrow_and_low_windows_keep_the_otp_and_how_to_end(self):
        for columns, rows in ((20, 24), (20, 6), (30, 3), (12, 2)):
            with self.subTest(f"{columns}x{rows}"):
                session = show(self.home, columns=columns, rows=rows)
                session.read(2.5)
                self.assertRegex(session.text(), OTP)
                self.assert_nothing_scrolled(session)
                session.child.send("q")
                session.end()

    def test_no_color_and_no_unicode(self):
        for options, changes in (((), {"NO_COLOR": "1"}), (("--no-color",), {})):
            session = self.shown(*options, **changes)
            self.assertNotRegex(session.bytes, rb"\x1b\[[0-9;]*3[0-9]m")
            session.child.send("q")
            session.end()
        session = self.shown(LANG="C")
        self.assertRegex(session.text(), r"\[#+-*\] +\d s")
        self.assertTrue(session.text().isascii())
        session.child.send("q")
        session.end()

    def test_a_dumb_terminal_gets_no_escape_sequences_and_no_leftovers(self):
        session = show(self.home, TERM="dumb")
        session.wait_for("Ends at")
        session.read(2.5)
        self.assertRegex(session.text(), OTP)
        session.child.send("q")
        self.assertEqual(session.end(), 0)
        self.assertNotIn(b"\x1b", session.bytes)
        self.assertNotRegex(session.text(), OTP)

    def test_plain_says_a_line_when_something_changes(self):
        session = show(self.home, "--plain", "--for", "14")
        self.assertEqual(session.end(), 0)
        self.assertNotIn(b"\x1b", session.bytes)
        said = re.findall(r"^OTP (\d \d \d, \d \d \d); rolls over at \d\d:\d\d:\d\d\r$",
                          session.bytes.decode(), re.M)
        self.assertIn(len(said), (3, 4))
        self.assertEqual(len(set(said)), len(said))
        announced = re.findall(r"seconds left, next OTP (\d \d \d, \d \d \d)",
                               session.bytes.decode())
        self.assertEqual(announced[0], said[1])

    def test_one_wake_up_a_second(self):
        session = self.shown()
        path = f"/proc/{session.child.pid}/status"

        def switches():
            with open(path) as file:
                return int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", file.read(), re.M)[1])

        before = switches()
        session.read(6)
        self.assertLessEqual(switches() - before, 7)
        session.child.send("q")
        session.end()


class CounterTest(unittest.TestCase):
    def test_one_otp_until_q(self):
        home = Home(kind="hotp")
        session = show(home)
        session.wait_for("Ends at")
        self.assertIn("755 224", session.text())  # RFC 4226, appendix D, counter 0
        session.read(1.5)
        self.assertNotIn("Rolls over", session.text())
        session.child.send("q")
        self.assertEqual(session.end(), 0)
        again = show(home)
        again.wait_for("287 082")  # counter 1
        again.child.send("q")
        again.end()


class GroupingTest(unittest.TestCase):
    def test_eight_digits_stand_four_and_four(self):
        home = Home(digits=8)
        session = show(home)
        session.wait_for("Ends at")
        self.assertRegex(session.text(), r"\b\d{4} \d{4}\b")
        session.child.send("q")
        session.end()


if __name__ == "__main__":
    unittest.main()
