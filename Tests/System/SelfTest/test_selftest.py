"""`softtoken selftest` with the release program. That its checks can fail is shown by .ci/mutants.

    SOFTTOKEN_BIN_DIR=FOLDER /usr/bin/python3 -m unittest discover -s Tests/System/SelfTest
"""
import glob
import json
import os
import pathlib
import pwd
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "TPM"))

from chip import WRITE, Chip  # noqa: E402
from relay import Relay, is_command  # noqa: E402

CHIP_CHECK = "with every file put back the chip still counts, and closes"
PROGRAM = pathlib.Path(os.environ["SOFTTOKEN_BIN_DIR"]).resolve() / "softtoken"


def run(*words, user=None, around=()):
    with tempfile.TemporaryDirectory() as home:
        if user is not None:
            os.chown(home, user, user)
            os.chmod(home, 0o700)
        done = subprocess.run([*around, PROGRAM, "selftest", *words], env={"HOME": home}, user=user,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        return done, os.listdir(home)


class SelfTest(unittest.TestCase):
    def check(self, user):
        before = set(glob.glob("/tmp/softtoken-demo.*"))
        done, left = run("--json", user=user)
        answer = json.loads(done.stdout)
        outcomes = {check["name"]: check["outcome"] for check in answer["checks"]}
        self.assertEqual((done.returncode, answer["passed"]), (0, True), answer)
        self.assertGreaterEqual(len(outcomes), 22)
        skipped = {name for name, outcome in outcomes.items() if outcome != "passed"}
        self.assertLessEqual(
            skipped, {"under another machine-id it is another device's", CHIP_CHECK}, answer)
        self.assertEqual(left, [], "the home of whoever tests is not touched")
        self.assertEqual(set(glob.glob("/tmp/softtoken-demo.*")) - before, set(), "nothing is left")

    def test_each_check_passes(self):
        self.check(None)

    @unittest.skipUnless(os.geteuid() == 0, "needs root to become another user")
    def test_each_check_passes_for_an_ordinary_user(self):
        self.check(pwd.getpwnam("nobody").pw_uid)

    @unittest.skipUnless(os.geteuid() == 0, "needs root to bind a chip over /dev/tpmrm0")
    def test_each_check_is_a_line_and_a_chip_is_tried_and_left_empty(self):
        chip = Chip()
        with Relay(chip) as relay:
            done, _ = run(around=relay.around())
        self.assertIn(f"passed  {CHIP_CHECK}: ", done.stdout)
        self.assertEqual((chip.indices(), chip.left()), ([], {}))
        lines = done.stdout.splitlines()
        self.assertTrue(all(line.startswith(("passed  ", "skipped  ")) for line in lines), lines)

    @unittest.skipUnless(os.geteuid() == 0, "needs root to bind a chip over /dev/tpmrm0")
    def test_ctrl_c_while_a_chip_is_tried_leaves_nothing_in_it(self):
        chip = Chip()
        with Relay(chip) as relay:
            process = subprocess.Popen(
                [*relay.around(), PROGRAM, "selftest"], env={"HOME": "/"}, text=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                start_new_session=True)
            while not any(is_command(WRITE)(content) for content in relay.commands):
                self.assertIsNone(process.poll(), "it ended before it asked the chip")
                time.sleep(0.01)
            folder = pathlib.Path(environment(process.pid)["HOME"]).parent
            # As a terminal does: to the program and to what it started.
            os.killpg(process.pid, signal.SIGINT)
            lines = process.communicate()[0].splitlines()
        self.assertEqual(process.returncode, 130)
        self.assertTrue(lines[-1].startswith(f"passed  {CHIP_CHECK}: "), lines)
        self.assertEqual((chip.indices(), chip.left()), ([], {}))
        self.assertFalse(folder.exists(), folder)


def environment(parent):
    """Of a program that this process started."""
    [child] = pathlib.Path(f"/proc/{parent}/task/{parent}/children").read_text().split()[:1]
    return dict(pair.split("=", 1) for pair in
                pathlib.Path(f"/proc/{child}/environ").read_text().split("\0") if "=" in pair)


if __name__ == "__main__":
    unittest.main()
