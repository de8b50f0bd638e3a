"""`softtoken selftest` with the release program. That its checks can fail is shown by .ci/mutants.

    SOFTTOKEN_BIN_DIR=FOLDER /usr/bin/python3 -m unittest discover -s Tests/System/SelfTest
"""
import glob
import json
import os
import pathlib
import pwd
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "TPM"))

from chip import Chip  # noqa: E402
from relay import Relay  # noqa: E402

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


if __name__ == "__main__":
    unittest.main()
