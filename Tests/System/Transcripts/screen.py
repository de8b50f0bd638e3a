"""A real pseudo-terminal and the screen that stands on it: what transcripts look at.

Runs with /usr/bin/python3 (python3-pexpect, python3-pyte).
"""
import signal
import termios
import time

import pexpect
import pyte

import program
from program import PIN, PROGRAM, SEED, environment, otpauth


class Home(program.Home):
    """A keystore with one token, its time step short enough to watch."""

    def __init__(self, kind="totp", digits=6, period=6, name="Clinic"):
        super().__init__()
        moving = {"period": period} if kind == "totp" else {"counter": 0}
        self.activate(otpauth(kind, digits=digits, **moving), name)


# How a digit stands on the display, five rows of three squares; the reader's own, not the program's.
BIG_DIGITS = {
    "###|# #|# #|# #|###": "0", " # |## | # | # |###": "1", "###|  #|###|#  |###": "2",
    "###|  #|###|  #|###": "3", "# #|# #|###|  #|  #": "4", "###|#  |###|  #|###": "5",
    "###|#  |###|# #|###": "6", "###|  #|  #|  #|  #": "7", "###|# #|###|# #|###": "8",
    "###|# #|###|  #|###": "9"}


def big_otp(text, square="█"):
    """The OTP that stands large on a screen, in its groups; None if there is none."""
    lines = text.split("\n")
    for first in range(len(lines) - 4):
        rows = lines[first:first + 5]
        for size in (2, 1):
            found = _big_digits([row.replace(square, "#") for row in rows], size)
            if found and len(found.replace(" ", "")) >= 6:
                return found
    return None


def _big_digits(rows, size):
    if not all(set(row) <= {" ", "#"} for row in rows):
        return None
    width = max(len(row) for row in rows)
    rows = [row.ljust(width + 3 * size) for row in rows]
    column, found, blanks = 0, "", 0
    while column < width:
        if all(row[column] == " " for row in rows):
            column, blanks = column + 1, blanks + 1
            continue
        for start in (column, column - size):  # a 1 begins with a blank square
            squares = "|".join(row[start:start + 3 * size:size] for row in rows)
            if start >= 0 and squares in BIG_DIGITS:
                break
        else:
            return None
        found += (" " if found and blanks - (column - start) > size else "") + BIG_DIGITS[squares]
        column, blanks = start + 3 * size, 0
    return found


def listening():
    """Takes back that a background job ignores these: what it starts would inherit it, and no Ctrl-C
    arrive."""
    for number in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)


class Session:
    """A program at a terminal of a size; `text()` is what stands on its screen."""

    def __init__(self, command, env, columns=80, rows=24):
        self.screen = pyte.HistoryScreen(columns, rows, history=1000)
        self.stream = pyte.ByteStream(self.screen)
        self.bytes = b""
        self.answered = 0
        self.child = pexpect.spawn(command[0], command[1:], env=env, timeout=20,
                                   dimensions=(rows, columns), preexec_fn=listening)
        self.child.delaybeforesend = None

    @classmethod
    def at_a_shell(cls, home, arguments):
        """The program, started by a shell that has jobs."""
        session = cls(["/bin/bash", "--norc", "-i"], environment(home.path, PS1="$ "))
        session.child.send(f"{PROGRAM} {arguments}\r")
        return session

    def read(self, seconds=0.2):
        """Takes what comes within some time; True while the other end is open."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                self._take(self.child.read_nonblocking(65536, timeout=0.05))
            except pexpect.TIMEOUT:
                pass
            except pexpect.EOF:
                return False
        return True

    def _take(self, chunk):
        self.bytes += chunk
        # pyte knows the alternate screen by neither of its numbers: it is told as two screens.
        self.stream.feed(chunk)

    def wait_for(self, text, seconds=20):
        end = time.monotonic() + seconds
        while text not in self.text():
            if time.monotonic() > end or not self.read(0.1):
                self.read(0.1)
                if text in self.text():
                    return
                raise AssertionError(f"{text!r} never came; the screen:\n{self.text()}")

    def text(self):
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip("\n")

    def resize(self, columns, rows):
        self.screen.resize(rows, columns)
        self.child.setwinsize(rows, columns)

    def answer_pin(self):
        self.wait_for("PIN:")
        self.child.send(PIN + "\r")

    def answer(self, prompt, typed, end="\r", seconds=20):
        """Waits for a prompt that was not answered before, and types."""
        limit = time.monotonic() + seconds
        while (found := self.bytes.find(prompt.encode(), self.answered)) < 0:
            if time.monotonic() > limit or not self.read(0.05):
                self.read(0.1)
                if prompt.encode() not in self.bytes[self.answered:]:
                    raise AssertionError(f"{prompt!r} never came; the screen:\n{self.text()}")
        self.answered = found + len(prompt)
        self.child.send(typed + end)

    def has_echo(self):
        return bool(termios.tcgetattr(self.child.child_fd)[3] & termios.ECHO)

    def is_canonical(self):
        return bool(termios.tcgetattr(self.child.child_fd)[3] & termios.ICANON)

    def after_main_screen(self):
        """What was written after the alternate screen was left."""
        return self.bytes.rsplit(b"\x1b[?1049l", 1)[-1].decode()

    def close(self):
        """Ends what still runs; a terminal that a test closed itself is no error."""
        try:
            self.child.close(force=True)
        except OSError:
            pass

    def end(self):
        """Waits for the end; the exit code, or minus the signal."""
        while self.read(0.5):
            pass
        self.child.close()
        status = self.child.exitstatus
        return status if status is not None else -self.child.signalstatus
