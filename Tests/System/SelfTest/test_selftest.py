"""`softtoken selftest` with the release program. That its checks can fail is shown by .ci/mutants.

    SOFTTOKEN_BIN_DIR=FOLDER /usr/bin/python3 -m unittest discover -s Tests/System/SelfTest
"""
import glob
import json
import os
import pathlib
import pwd
import subprocess
import tempfile
import unittest

PROGRAM = pathlib.Path(os.environ["SOFTTOKEN_BIN_DIR"]).resolve() / "softtoken"


def run(*words, user=None):
    with tempfile.TemporaryDirectory() as home:
        if user is not None:
            os.chown(home, user, user)
            os.chmod(home, 0o700)
        done = subprocess.run([PROGRAM, "selftest", *words], env={"HOME": home}, user=user,
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
        # With a chip it is tried in Tests/System/TPM.
        self.assertLessEqual(skipped, {
            "under another machine-id it is another device's",
            "with every file put back the chip still counts, and closes"}, answer)
        self.assertEqual(left, [], "the home of whoever tests is not touched")
        self.assertEqual(set(glob.glob("/tmp/softtoken-demo.*")) - before, set(), "nothing is left")

    def test_each_check_passes(self):
        self.check(None)

    @unittest.skipUnless(os.geteuid() == 0, "needs root to become another user")
    def test_each_check_passes_for_an_ordinary_user(self):
        self.check(pwd.getpwnam("nobody").pw_uid)

    def test_each_check_is_a_line(self):
        done, _ = run()
        lines = done.stdout.splitlines()
        self.assertTrue(all(line.startswith(("passed  ", "skipped  ")) for line in lines), lines)


if __name__ == "__main__":
    unittest.main()
