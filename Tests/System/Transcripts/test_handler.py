"""What `handler` leaves in a home: a desktop entry, the default for links, and nothing afterwards.
Binds CONTRACT §1 (`handler`).

    /usr/bin/python3 -m unittest discover -s Tests/System/Transcripts
"""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from screen import PROGRAM

ENTRY = ".local/share/applications/softtoken-activate.desktop"
SHOW = ".local/share/applications/softtoken-show.desktop"
LIST = ".config/mimeapps.list"
OTHERS = "[Default Applications]\ntext/html=browser.desktop\n"


def is_missing(*programs):
    return not all(shutil.which(program) for program in programs)


class HandlerTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="softtoken-tests-")
        self.addCleanup(folder.cleanup)
        self.home = pathlib.Path(folder.name)

    def handler(self, *arguments, **changes):
        environment = {"HOME": str(self.home), "PATH": "/usr/bin:/bin", **changes}
        done = subprocess.run(
            [PROGRAM, "handler", *arguments], env=environment, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=60)
        self.assertEqual(done.stdout, "")
        return done

    def lines(self):
        return (self.home / ENTRY).read_text().splitlines()

    def test_the_entry_starts_this_program_in_a_terminal(self):
        done = self.handler("install")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(str(self.home / ENTRY), done.stderr)
        program = os.path.realpath(PROGRAM)
        for line in [
            "Version=1.4", "NoDisplay=true", f"Exec={program} handler open %u",
            "MimeType=x-scheme-handler/softtoken;",
        ]:
            self.assertIn(line, self.lines())
        self.assertNotIn("Terminal=true", self.lines())

    def test_the_menu_has_an_entry_that_shows_the_password_in_a_terminal(self):
        self.handler("install")
        lines = (self.home / SHOW).read_text().splitlines()
        for line in [f"Exec={os.path.realpath(PROGRAM)} show --hold", "Terminal=true"]:
            self.assertIn(line, lines)
        self.assertNotIn("NoDisplay=true", lines)
        self.handler("remove")
        self.assertFalse((self.home / SHOW).exists())

    @unittest.skipIf(is_missing("desktop-file-validate"), "desktop-file-utils is not installed")
    def test_the_entry_is_valid(self):
        for options in [], ["--otpauth"]:
            self.handler("install", *options)
            done = subprocess.run(
                ["desktop-file-validate", self.home / ENTRY, self.home / SHOW],
                capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_installing_again_changes_nothing_and_otpauth_is_taken_back(self):
        self.handler("install")
        first = (self.home / ENTRY).stat()
        self.handler("install")
        self.assertEqual((self.home / ENTRY).stat(), first)
        self.handler("install", "--otpauth")
        self.assertIn(
            "MimeType=x-scheme-handler/softtoken;x-scheme-handler/otpauth;", self.lines())
        self.handler("install")
        self.assertIn("MimeType=x-scheme-handler/softtoken;", self.lines())
        if (self.home / LIST).exists():
            self.assertNotIn("otpauth", (self.home / LIST).read_text())

    def test_removing_takes_away_what_installing_made_and_nothing_else(self):
        (self.home / ".config").mkdir()
        (self.home / LIST).write_text(OTHERS)
        self.handler("install", "--otpauth")
        done = self.handler("remove")
        self.assertEqual(done.returncode, 0, done.stderr)
        for entry in ENTRY, SHOW:
            self.assertFalse((self.home / entry).exists())
            self.assertIn(str(self.home / entry), done.stderr)
        self.assertEqual((self.home / LIST).read_text(), OTHERS)
        again = self.handler("remove")
        self.assertEqual((again.returncode, again.stderr), (0, "links were not opened with softtoken\n"))

    def test_a_list_that_was_made_for_it_alone_goes(self):
        (self.home / ".config").mkdir()
        (self.home / LIST).write_text(
            "[Default Applications]\nx-scheme-handler/softtoken=softtoken-activate.desktop\n")
        self.handler("install")
        self.handler("remove")
        self.assertFalse((self.home / LIST).exists())

    def test_a_list_under_version_control_stays_a_link_with_its_mode(self):
        (self.home / ".config").mkdir()
        real = self.home / "mimeapps"
        real.write_text(OTHERS + "x-scheme-handler/softtoken=softtoken-activate.desktop;a.desktop;\n")
        real.chmod(0o600)
        (self.home / LIST).symlink_to(real)
        self.handler("remove")
        self.assertTrue((self.home / LIST).is_symlink())
        self.assertEqual(real.read_text(), OTHERS + "x-scheme-handler/softtoken=a.desktop;\n")
        self.assertEqual(real.stat().st_mode & 0o777, 0o600)

    def test_without_a_home_nothing_is_written(self):
        done = self.handler("install", HOME="relative")
        self.assertEqual(done.returncode, 78)

    def test_a_folder_that_can_not_be_made_is_named(self):
        done = self.handler("install", XDG_DATA_HOME="/proc/nowhere")
        self.assertEqual(done.returncode, 73)
        self.assertIn("/proc/nowhere can't be created", done.stderr)


if __name__ == "__main__":
    unittest.main()
