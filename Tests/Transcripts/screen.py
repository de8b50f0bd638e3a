"""A real pseudo-terminal and the screen that stands on it: what transcripts look at.

Runs with /usr/bin/python3 (python3-pexpect, python3-pyte). SOFTTOKEN names the program; without it
the debug build of this checkout is taken.
"""
import os
import pathlib
import pexpect
import pyte
import subprocess
import tempfile
import termios
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("SOFTTOKEN", str(ROOT / ".build/debug/softtoken"))
PIN = "4271"
SEED = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # RFC 6238, appendix B


def environment(home, **changes):
    """An environment of its own: nothing of the caller's reaches the program."""
    values = {"HOME": home, "PATH": "/usr/bin:/bin", "TERM": "xterm-256color", "TZ": "UTC",
              "LANG": "C.UTF-8"}
    values.update(changes)
    return {name: value for name, value in values.items() if value is not None}


class EmptyHome:
    """A home folder that goes when the test is over."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="softtoken-")
        self.path = self.folder.name


class Home(EmptyHome):
    """A keystore with one token, made through standard input."""

    def __init__(self, kind="totp", digits=6, period=6, name="Clinic"):
        super().__init__()
        moving = f"period={period}" if kind == "totp" else "counter=0"
        link = (f"otpauth://{kind}/alice?secret={SEED}&issuer=Example%20Health"
                f"&digits={digits}&{moving}")
        file = pathlib.Path(self.path) / "link"
        file.write_text(link)
        done = subprocess.run(
            [PROGRAM, "activate", "--from", str(file), "--name", name,
             "--not-prescribing-device", "--clock-is", time.strftime("%Y-%m-%d", time.gmtime())],
            input=f"{PIN}\n", text=True, capture_output=True, env=environment(self.path))
        if done.returncode != 0:
            raise AssertionError(f"activate: {done.returncode} {done.stderr}")


class Session:
    """A program at a terminal of a size; `text()` is what stands on its screen."""

    def __init__(self, command, env, columns=80, rows=24):
        self.screen = pyte.HistoryScreen(columns, rows, history=1000)
        self.stream = pyte.ByteStream(self.screen)
        self.bytes = b""
        self.child = pexpect.spawn(command[0], command[1:], env=env, timeout=20,
                                   dimensions=(rows, columns))
        self.child.delaybeforesend = None

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
        self.wait_for("PIN")
        self.child.send(PIN + "\r")

    def has_echo(self):
        return bool(termios.tcgetattr(self.child.child_fd)[3] & termios.ECHO)

    def is_canonical(self):
        return bool(termios.tcgetattr(self.child.child_fd)[3] & termios.ICANON)

    def after_main_screen(self):
        """What was written after the alternate screen was left."""
        return self.bytes.rsplit(b"\x1b[?1049l", 1)[-1].decode()

    def end(self):
        """Waits for the end; the exit code, or minus the signal."""
        while self.read(0.5):
            pass
        self.child.close()
        status = self.child.exitstatus
        return status if status is not None else -self.child.signalstatus
