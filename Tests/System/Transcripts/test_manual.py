"""The manual pages say what the programs have, and are clean. Binds CONTRACT §1, §2, §6.

    /usr/bin/python3 -m unittest discover -s Tests/System/Transcripts
"""
import os
import pathlib
import re
import shutil
import subprocess
import unittest

from screen import PROGRAM

ROOT = pathlib.Path(__file__).resolve().parents[3]
ISSUER = os.environ.get("SOFTTOKEN_ISSUER_BIN", str(pathlib.Path(PROGRAM).parent / "softtoken-issuer"))
PAGES = {
    PROGRAM: ROOT / "Sources/softtoken/Manual/softtoken.1",
    ISSUER: ROOT / "Sources/softtoken-issuer/Manual/softtoken-issuer.1",
}
EVERY_PAGE = sorted(ROOT.glob("Sources/*/Manual/*.[1-9]"))


def run(*command, **changes):
    environment = {"HOME": "/nonexistent", "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8",
                   "MANWIDTH": "200", "MAN_KEEP_FORMATTING": "", **changes}
    return subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=60)


def commands(program, *path):
    """Each command, as the words that name it, with its help."""
    text = run(program, *path, "--help").stdout
    yield path, text
    _, _, listed = text.partition("SUBCOMMANDS:")
    for name in re.findall(r"^  ([a-z-]+)(?: |$)", listed, re.MULTILINE):
        yield from commands(program, *path, name)


class ManualTest(unittest.TestCase):
    def pages(self):
        for program, page in PAGES.items():
            source = page.read_text().replace("\\-", "-")
            words = set(re.findall(r"--?[a-z][a-z-]*", re.sub(r"\bFl ", "-", source)))
            yield program, page, source, words

    @unittest.skipUnless(shutil.which("man"), "man-db is not installed")
    def test_the_pages_are_formatted_without_a_warning(self):
        for page in EVERY_PAGE:
            done = run("man", "--warnings", "-l", str(page))
            self.assertEqual((done.returncode, done.stderr), (0, ""))

    @unittest.skipUnless(shutil.which("mandoc"), "mandoc is not installed")
    def test_the_pages_are_clean_to_mandoc(self):
        done = run("mandoc", "-T", "lint", "-W", "warning", *map(str, EVERY_PAGE))
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    @unittest.skipUnless(shutil.which("man"), "man-db is not installed")
    def test_nothing_is_broken_inside_a_word(self):
        for page in EVERY_PAGE:
            for width in "80", "60", "40":
                done = run("man", "-l", str(page), MANWIDTH=width)
                text = re.sub(r".\x08", "", done.stdout)
                self.assertGreater(len(text), 1000)
                self.assertEqual(re.findall(r"\w[-\u2010]\n", text), [], (page.name, width))

    def test_every_option_of_every_command_is_there_and_no_other(self):
        for program, _, _, words in self.pages():
            found = {"--generate-completion-script"}
            for _, text in commands(program):
                found |= set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text.partition("USAGE:")[2]))
            self.assertLessEqual(found, words)
            self.assertLessEqual({word for word in words if word.startswith("--")}, found)

    def test_every_command_is_there(self):
        for program, _, source, _ in self.pages():
            for path, _ in commands(program):
                if path and path[-1] != "help" and "device" != path[-1]:
                    self.assertRegex(source, r"Cm " + " (?:.*)?".join(path))

    def test_the_exit_codes_are_the_contract_s(self):
        contract = (ROOT / "Sources/SoftTokenCore/SoftTokenCore.docc/Contract.md").read_text()
        table = contract.partition("## 2. Exit codes")[2].partition("\n## ")[0]
        codes = {code for row in re.findall(r"^\| ([0-9/ ]+) \|", table, re.MULTILINE)
                 for code in row.split(" / ")}
        self.assertIn("86", codes)
        page = PAGES[PROGRAM].read_text()
        status = page.partition(".Sh EXIT STATUS")[2].partition(".Sh ")[0]
        self.assertEqual(set(re.findall(r"^\.It ([0-9]+)$", status, re.MULTILINE)), codes)

    def test_nothing_claims_to_be_certified(self):
        for program, page, source, _ in self.pages():
            for text in source, (ROOT / "README.md").read_text(), run(program, "--version").stdout:
                self.assertRegex(text, r"(?i)not\W+certified for EPCS")


if __name__ == "__main__":
    unittest.main()
