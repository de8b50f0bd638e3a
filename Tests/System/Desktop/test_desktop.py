"""A link that is opened on a desktop: Xvfb, gio, a real xterm. Nobody has the link in their arguments
or environment once the first question is asked. Binds CONTRACT §1 (`handler`).

    SOFTTOKEN=PROGRAM /usr/bin/python3 -m unittest discover -s Tests/System/Desktop
"""
import os
import pathlib
import re
import shutil
import stat
import subprocess
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
PROGRAM = os.path.realpath(os.environ.get("SOFTTOKEN", ROOT / ".build-release/bin/softtoken"))
ISSUER = str(pathlib.Path(PROGRAM).parent / "softtoken-issuer")
NEEDED = ("Xvfb", "xterm", "gio", "xdg-mime", "xdotool")
MISSING = [program for program in NEEDED if not shutil.which(program)]
# What the window shows is written to a file by xterm itself.
RESOURCES = "*logging: true\n*logFile: {log}\n*faceName: Monospace\n"


def processes():
    """Each process's arguments and environment, as far as they may be read."""
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            yield folder, (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
        except OSError:
            try:
                yield folder, (folder / "cmdline").read_bytes()
            except OSError:
                continue


@unittest.skipIf(MISSING, f"not installed: {' '.join(MISSING)}")
class DesktopTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="softtoken-desktop-")
        self.addCleanup(folder.cleanup)
        self.home = pathlib.Path(folder.name)
        self.log = self.home / "window.log"
        self.runtime = self.home / "runtime"
        self.runtime.mkdir(mode=0o700)
        (self.home / "resources").write_text(RESOURCES.format(log=self.log))
        reading, writing = os.pipe()
        screen = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1024x768x24", "-nolisten", "tcp"],
            pass_fds=[writing], stderr=subprocess.DEVNULL)
        self.addCleanup(screen.wait)
        self.addCleanup(screen.terminate)
        os.close(writing)
        with os.fdopen(reading) as number:
            display = number.readline().strip()
        self.environment = {
            "HOME": str(self.home), "PATH": "/usr/bin:/bin", "TZ": "UTC", "LANG": "C.UTF-8",
            "DISPLAY": f":{display}", "XDG_RUNTIME_DIR": str(self.runtime),
            "XENVIRONMENT": str(self.home / "resources")}
        self.run_program(PROGRAM, "handler", "install")

    def run_program(self, *command, **changes):
        done = subprocess.run(command, env={**self.environment, **changes}, timeout=60,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def start(self, *command):
        """A program that leaves a window behind, which would keep a pipe of ours open."""
        done = subprocess.run(command, env=self.environment, timeout=60, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0)

    def signed_link(self):
        key = str(self.home / "key")
        self.run_program(ISSUER, "keygen", "--out", key, "--name", "Example Clinic")
        return self.run_program(
            ISSUER, "issue", "--key", key, "--account", "ada",
            "--records", str(self.home / "r.xml")).splitlines()[0]

    def shown(self):
        text = self.log.read_bytes().decode("utf-8", "replace") if self.log.exists() else ""
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)

    def wait_for(self, words, seconds=40):
        end = time.monotonic() + seconds
        while words not in self.shown():
            self.assertLess(time.monotonic(), end, f"no {words!r} in:\n{self.shown()}")
            time.sleep(0.05)

    def type(self, *keys):
        """Presses keys in the one window; without a window manager nothing else gives it the focus."""
        self.run_program("xdotool", "search", "--onlyvisible", "--name", ".", "windowfocus", "--sync")
        self.run_program("xdotool", "key", "--delay", "30", *keys)

    def window_is_there(self):
        found = subprocess.run(["xdotool", "search", "--name", "."], env=self.environment,
                               capture_output=True, text=True)
        return found.returncode == 0 and bool(found.stdout.strip())

    def test_nobody_keeps_the_link_that_gio_opens_and_the_window_stays_until_a_key(self):
        link = self.signed_link()
        self.start("gio", "open", link)
        self.wait_for("?")
        secret = link[-60:].encode()
        holders = [(folder / "comm").read_text().strip()
                   for folder, text in processes() if secret in text]
        self.assertEqual(holders, [])
        self.assertTrue(any(b"activate\0--from" in text for _, text in processes()))
        # The pipe's name is gone, and nothing else of the link lies anywhere in the home.
        self.assertEqual(list(self.runtime.glob("softtoken*")), [])
        for path in self.home.rglob("*"):
            if path.is_file():
                self.assertNotIn(secret, path.read_bytes(), path)
        self.type("y", "e", "s", "Return")  # This is the computer that sends prescriptions: the command ends.
        self.wait_for("Press a key to close this window.")
        time.sleep(1)
        self.assertTrue(self.window_is_there())
        self.type("space")
        end = time.monotonic() + 20
        while self.window_is_there():
            self.assertLess(time.monotonic(), end, "the window stays after a key")
            time.sleep(0.1)

    def test_the_menu_s_entry_shows_what_is_wrong_before_it_closes(self):
        entry = self.home / ".local/share/applications/softtoken-show.desktop"
        self.start("gio", "launch", str(entry))
        self.wait_for("Press a key to close this window.")
        self.assertIn("softtoken: error: ", self.shown())


class HandOverTest(unittest.TestCase):
    """`handler open` without a desktop: a made-up terminal in the place of the first one."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="softtoken-desktop-")
        self.addCleanup(folder.cleanup)
        self.home = pathlib.Path(folder.name)
        self.runtime = self.home / "runtime"
        self.runtime.mkdir(mode=0o700)

    def open(self, terminal=None, link="otpauth://totp/a?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
             **changes):
        """Runs it where the one terminal is this script, or none is installed."""
        if os.geteuid() != 0:
            self.skipTest("putting a program in another's place needs root")
        folder = self.home / "programs"
        folder.mkdir(exist_ok=True)
        if terminal is not None:
            script = folder / "xdg-terminal-exec"
            script.write_text("#!/bin/sh\n" + terminal)
            script.chmod(0o755)
        # /usr/local/bin is looked into first; /usr/bin's own terminals are hidden.
        hide = "mount --bind \"$1\" /usr/local/bin; shift; for t in x-terminal-emulator xterm " \
               "gnome-terminal konsole xfce4-terminal kitty foot alacritty xdg-terminal-exec; do " \
               "[ -e /usr/bin/$t ] && mount --bind /dev/null $(readlink -f /usr/bin/$t); done; exec \"$@\""
        environment = {"HOME": str(self.home), "PATH": "/usr/bin:/bin",
                       "XDG_RUNTIME_DIR": str(self.runtime), **changes}
        return subprocess.run(
            ["unshare", "-m", "bash", "-c", hide, "-", str(folder), PROGRAM, "handler", "open", link],
            env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=100)

    def test_the_terminal_gets_the_link_through_a_pipe_of_this_user_s_alone(self):
        done = self.open('stat -c "%F %a" "$4" > "$HOME/mode"; cat "$4" > "$HOME/got"; '
                         'echo "$@" > "$HOME/arguments"; ls "$XDG_RUNTIME_DIR" > "$HOME/left"\n')
        self.assertEqual(done.returncode, 0, done.stderr)
        time.sleep(1)
        got = (self.home / "got").read_text()
        self.assertTrue(got.startswith("otpauth://totp/a?secret="), got)
        self.assertEqual((self.home / "mode").read_text(), "fifo 600\n")
        self.assertEqual((self.home / "left").read_text(), "")
        self.assertNotIn("secret", (self.home / "arguments").read_text())
        self.assertIn("--hold", (self.home / "arguments").read_text())

    def test_without_a_terminal_or_a_runtime_folder_it_says_what_to_do(self):
        (self.home / "open").mkdir(mode=0o755)
        for terminal, changes, words in [
            (None, {}, "no terminal window opened the link"),
            ("exit 1\n", {}, "no terminal window opened the link"),
            ("exit 1\n", {"XDG_RUNTIME_DIR": "relative"}, "XDG_RUNTIME_DIR"),
        ]:
            done = self.open(terminal, **changes)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(words, done.stderr)
            self.assertIn("paste the link there", done.stderr)
            self.assertEqual(list(self.runtime.iterdir()), [])

    def test_what_is_no_link_is_not_opened(self):
        self.assertEqual(self.open("exit 0\n", link="a-name").returncode, 64)


if __name__ == "__main__":
    unittest.main()
