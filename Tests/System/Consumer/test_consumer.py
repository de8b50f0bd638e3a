"""An app of its own, Tests/Consumer, outside of the package: it does what softtoken does, its OTPs are
oathtool's, and what must not be possible doesn't compile. Binds DESIGN §2 ("The door is real").

    SOFTTOKEN_ISSUER_BIN=PROGRAM /usr/bin/python3 -m unittest discover -s Tests/System/Consumer

What must not compile in `softtoken` itself needs the debug build of the package (swift build).
"""
import base64
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
APP = ROOT / "Tests/Consumer"
SCRATCH = ROOT / ".build-consumer"
ISSUER = os.environ.get("SOFTTOKEN_ISSUER_BIN", str(ROOT / ".build/debug/softtoken-issuer"))
PATH_DEPENDENCY = '.package(name: "softtoken", path: "../..")'
UNSIGNED = "otpauth://totp/ada?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Example"
needs_root = unittest.skipUnless(os.geteuid() == 0, "an /etc of its own needs root")

sys.path.insert(0, str(ROOT / "Tests/System/Transcripts"))
import links  # noqa: E402


def build(package, scratch):
    """Builds the app, and gives its path."""
    done = subprocess.run(
        ["swift", "build", "--package-path", package, "--scratch-path", scratch,
         "--explicit-target-dependency-import-check", "error"], capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(done.stdout + done.stderr)
    return str(scratch / "debug/Consumer")


def oathtool(seed, *arguments):
    return subprocess.run(["oathtool", *arguments, seed.hex()], capture_output=True, text=True,
                          check=True).stdout.strip()


class Case(unittest.TestCase):
    """A fresh home, and an issuer beside it."""
    maxDiff = None
    program = None

    @classmethod
    def setUpClass(cls):
        cls.program = build(APP, SCRATCH)

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="softtoken-consumer-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.home = self.folder / "home"
        self.home.mkdir(mode=0o700)

    def run_program(self, *command, text=""):
        return subprocess.run(command, input=text, capture_output=True, text=True, timeout=120,
                              cwd=self.folder, start_new_session=True,
                              env={"HOME": str(self.home), "PATH": "/usr/bin:/bin", "TZ": "UTC"})

    def use(self, *lines, arguments=(), before=()):
        """Gives the app commands with their answers, a line each; what it says, a line each."""
        done = self.run_program(*before, self.program, *arguments,
                                text="".join(f"{line}\n" for line in lines))
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        return done.stdout.splitlines()

    def issuer(self, *arguments):
        done = self.run_program(ISSUER, *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def issue(self, *arguments, serial="S1"):
        """A link in the file `link`; what the issuer tells of it."""
        if not (self.folder / "key").exists():
            self.issuer("keygen", "--out", "key", "--name", "Example Clinic")
        made = json.loads(self.issuer("issue", "--key", "key", "--account", "ada", "--serial", serial,
                                      "--records", "records.xml", "--json", *arguments))
        (self.folder / "link").write_text(made["link"])
        return made

    def seed(self, serial="S1"):
        match = re.search(rf"<SerialNo>{serial}</SerialNo>.*?<PlainValue>(.*?)</PlainValue>",
                          (self.folder / "records.xml").read_text(), re.S)
        return base64.b64decode(match[1])

    def assert_totp(self, line, seed, period):
        word, digits, start, end = line.split()
        self.assertEqual((word, int(end) - int(start)), ("otp", period))
        self.assertEqual(digits, oathtool(seed, "--totp", f"-N@{start}", f"-s{period}s"))
        return int(start)

    def assert_none(self, lines, word):
        self.assertEqual([line for line in lines if line.startswith(word)], [])

    def activated(self, *arguments):
        """A token `Clinic` with PIN 4271, everything said beforehand; its seed."""
        made = self.issue(*arguments)
        lines = self.use("script", "attest", "named Clinic", f"trusted {made['fingerprint']}",
                         "activate link", made["code"], "4271")
        self.assertIn("activated Clinic", lines)
        return self.seed()


def commands(lines):
    """The lines of each command, without what was asked."""
    found, lines_of_one = {}, []
    for line in lines:
        if line.startswith("done "):
            found[line[5:]] = lines_of_one
            lines_of_one = []
        elif not line.startswith("? "):
            lines_of_one.append(line)
    return found


class UseTest(Case):
    def test_a_token_from_its_link_to_its_end(self):
        made = self.issue("--period", "15")
        seed = self.seed()
        said = self.use(
            "activate link", "maybe", "no", "yes", "AAAAA-AAAAA", made["code"], "", "1234", "4271",
            "4270", "4271", "4271", "show", "427", "4270", "4271", "display 17", "4271", "list",
            "4271", "rename Example Clinic", "4271", "pin", "4271", "5093", "5093", "show", "5093",
            "status", "log", "remove Clinic", "5093", "yes", "list", "5093", "activate link", "reset",
            "yes", "status")
        done = commands(said)
        self.assertEqual(done["activate link"], ["activated Example Clinic ada"])
        self.assertEqual(said.count("? Do you send prescriptions from this computer? [yes/no]"), 2)
        self.assertIn("? PIN (9 attempts left)", said)

        frames = [line.split(" next ") for line in done["display 17"][:-1]]
        starts = {self.assert_totp(otp, seed, 15): otp.split()[1] for otp, _ in frames}
        self.assertGreater(len(starts), 1, "it rolls over within 17 s of 15")
        for otp, announced in frames:
            _, digits, _, end = otp.split()
            if announced != "-":
                self.assertEqual(announced, oathtool(seed, "--totp", f"-N@{end}", "-s15s"))
        self.assertEqual(done["display 17"][-1], "ended sessionOver")

        self.assertEqual(done["rename Example Clinic"],
                         ['renamed (former: "Example Clinic ada", name: "Clinic")'])
        self.assert_totp(done["show"][0], seed, 15)
        self.assertEqual([line.split()[1:3] for line in done["log"]],
                         [["activate", "rejected"], ["attest", "ok"], ["issuer", "ok"],
                          ["activate", "ok"], ["unlock", "rejected"], ["otp", "ok"], ["otp", "ok"],
                          ["rename", "ok"], ["pin", "ok"], ["otp", "ok"]])
        self.assertEqual(done["remove Clinic"], ["removed Clinic"])
        self.assertEqual(done["list"], [], "the last one: nothing is left")
        self.assertIn("error refused 84 this link has been used on this device already", said)
        self.assertIn("keystore none -1 none", done["status"])

    def test_the_first_list_and_status_tell_the_token_and_the_process(self):
        self.activated()
        done = commands(self.use("list", "4271", "status"))
        self.assertRegex(done["list"][0], "^token Clinic [0-9a-f]{16} active totp S1 signed \\[\\]$")
        for line in ("keystore locked 10 device-file", "attested true", "network open", "files open"):
            self.assertIn(line, done["status"])

    def test_a_counter_moves_with_each_use(self):
        seed = self.activated("--hotp")
        for counter in range(3):
            otp = oathtool(seed, "--hotp", f"-c{counter}")
            self.assertIn(f"otp {otp} {counter}", self.use("show", "4271"))

    def test_a_typed_link_and_a_drawn_pin(self):
        lines = self.use("draw", "named Clinic", "activate", UNSIGNED, "no", "ask")
        pin = re.search(r"Your PIN is (\d{4})\.", "\n".join(lines))[1]
        shown = commands(self.use("show Clinic", pin))["show Clinic"][0]
        self.assert_totp(shown, b"12345678901234567890", 30)

    def test_a_token_is_chosen_where_several_fit(self):
        self.use("script", "attest", "named Clinic", "activate", UNSIGNED, "4271")
        said = self.use("activate", UNSIGNED.replace("ada", "bob"), "Clinic", "4271", "Lake",
                        "show", "4271", "Nowhere", "Lake")
        self.assertIn("activated Lake", said)
        self.assertEqual(said.count("? Which of Clinic, Lake"), 2)

    def test_a_request_and_the_link_that_is_sealed_to_it(self):
        _, request, verification = commands(self.use("request"))["request"][0].split()
        self.assertEqual(verification, links.verification(request))
        self.assertIn(request, commands(self.use("request"))["request"][0])
        made = self.issue("--request", request)
        self.assertIsNone(made["code"])
        self.assertIn("activated Clinic", self.use(
            "script", "attest", "named Clinic", f"trusted {made['fingerprint']}", "activate link",
            "4271"))
        self.assertNotIn(request, commands(self.use("request new"))["request new"][0])

    def test_issuers_and_prescribing_devices(self):
        made = self.issue()
        self.activated("--serial", "S2")
        other = links.record([(1, b"another machine-id"), (2, b"another")], label="desk")
        done = commands(self.use(
            f"distrust {made['fingerprint']}", "4271", "trust key.pub", "4271", f"forbid {other}",
            "4271", "devices"))
        self.assertEqual(done["trust key.pub"], [f"issuer {made['fingerprint']} Example Clinic"])
        self.assertEqual(done[f"distrust {made['fingerprint']}"], ["distrusted Example Clinic"])
        self.assertEqual(done[f"forbid {other}"], ["kept desk"])
        self.assertEqual(done["devices"][0], "record desk")

    def test_a_sample_touches_nothing_of_the_users(self):
        said = self.use("script", "attest", "named Sample", "activate", UNSIGNED, "4271", "show",
                        "4271", arguments=["--sample"])
        self.assert_totp(commands(said)["show"][0], b"12345678901234567890", 30)
        self.assertEqual(list(self.home.iterdir()), [])


class RefusalTest(Case):
    """Each refusal with what a caller can act on."""

    def test_wrong_pins_tell_the_attempts_left_and_the_delay(self):
        self.activated()
        # A delay is told before a PIN is asked for: none is given.
        said = self.use("script", "show", "42711", *["show", "4270"] * 5, "show")
        for left in range(9, 4, -1):
            self.assertIn(f"attempts left {left}", said)
        self.assertEqual(len([line for line in said if line.startswith("error wrongPIN 77 ")]), 5)
        waits = [int(line.split()[-1]) for line in said if line.startswith("seconds to wait ")]
        self.assertEqual(waits[0], 30)
        self.assertTrue(0 < waits[1] <= 30, waits)
        errors = [line.split()[1:3] for line in said if line.startswith("error ")]
        self.assertEqual((errors[0], errors[-1]), (["malformedAnswer", "64"], ["delayed", "75"]))
        self.assert_none(said, "otp")

    def test_nobody_attests_by_silence(self):
        made = self.issue()
        said = self.use("script", f"trusted {made['fingerprint']}", "activate link")
        self.assertIn(["error", "refused", "81"], [line.split()[:3] for line in said])
        self.assert_none(said, "activated")
        said = self.use("activate link", "yes")
        self.assertEqual([line.split()[:3] for line in said if line.startswith("error")],
                         [["error", "refused", "81"]])
        self.assertEqual(said.count("? New PIN"), 0, "no PIN is asked for before the verdict")

    def test_an_easy_pin_and_a_missing_keystore(self):
        said = self.use("show", "script", "attest", "named Clinic", "activate", UNSIGNED, "1234")
        self.assertEqual([line.split()[1:3] for line in said if line.startswith("error")],
                         [["notFound", "66"], ["refused", "88"]])

    def test_who_closes_the_keypad_has_ended_the_use(self):
        self.activated()
        self.assertIn("error ownReason 130 -", self.use("show"))
        self.assertIn("keystore locked 10 device-file", self.use("status"))

    def test_all_that_softtoken_gives_up_an_app_can_give_up(self):
        seed = self.activated()
        said = self.use("show", "4271", "status", "trust key.pub", arguments=["--confined"])
        self.assert_totp(commands(said)["show"][0], seed, 30)
        self.assertIn("network blocked", said)
        if "files confined" in said:
            self.assertIn("error ownReason 66 there is no file key.pub", said)
        self.assertIn("network blocked", self.use(arguments=["--status"]))

    def test_the_status_of_folders_that_cannot_be_used(self):
        self.activated()
        (self.home / ".local/share/softtoken").chmod(0o755)
        self.assertIn("keystore refused -1 none", self.use(arguments=["--status"]))

    @needs_root
    def test_a_registered_computer_makes_no_otp(self):
        etc = self.folder / "etc"
        shutil.copytree("/etc", etc, symlinks=True)
        shutil.rmtree(etc / "softtoken", ignore_errors=True)
        there = ["unshare", "-m", "--propagation", "private", "sh", "-c",
                 f'mount --bind {etc} /etc; exec "$@"', "sh"]
        seed = self.activated()
        record = self.use(arguments=["--register", "front", "desk"], before=there)[0]
        self.assertEqual(links.label(record), "front desk")
        said = self.use("show", "4271", "devices", before=there)
        self.assertEqual(said[0].split()[:3], ["error", "refused", "80"])
        self.assert_none(said, "otp")
        self.assertIn("marked front desk", said)
        self.assertRegex("\n".join(said), "(?m)^check same .*marker")
        # It is this very device: its record is not kept, and no PIN is asked for.
        said = self.use(f"forbid {record}")
        self.assertEqual([line.split()[:3] for line in said][0], ["error", "refused", "80"])
        self.assertEqual(self.use(arguments=["--unregister"], before=there), ["was registered true"])
        self.assert_totp(commands(self.use("show", "4271", before=there))["show"][0], seed, 30)


class VersionTest(Case):
    """The app as others build it: by address and version, of a clone."""

    @classmethod
    def setUpClass(cls):
        clone = SCRATCH / "tagged/softtoken"
        shutil.rmtree(clone, ignore_errors=True)
        package = SCRATCH / "tagged/app"
        shutil.rmtree(package, ignore_errors=True)
        run = lambda *words: subprocess.run(words, check=True, capture_output=True)
        run("git", "clone", "--quiet", "--no-tags", ROOT, clone)
        run("git", "-C", clone, "tag", "0.2.0")
        shutil.copytree(APP / "Sources", package / "Sources")
        manifest = (APP / "Package.swift").read_text()
        assert PATH_DEPENDENCY in manifest
        (package / "Package.swift").write_text(manifest.replace(
            PATH_DEPENDENCY, f'.package(url: "file://{clone}", exact: "0.2.0")'))
        # Another clone is another revision of the same tag.
        for name in ("repositories", "checkouts", "workspace-state.json"):
            path = SCRATCH / "tagged/build" / name
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
        (package / "Package.resolved").unlink(missing_ok=True)
        cls.program = build(package, SCRATCH / "tagged/build")

    def test_its_otp_is_oathtools(self):
        seed = self.activated()
        self.assert_totp(commands(self.use("show", "4271"))["show"][0], seed, 30)


if __name__ == "__main__":
    unittest.main()
