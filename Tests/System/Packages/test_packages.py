"""The Debian packages, installed, used, upgraded, removed and purged, in an overlay over this system
that nobody else sees. Binds README (install), softtoken-policy(5), softtoken-keystore(5).

    SOFTTOKEN_RELEASE=FOLDER /usr/bin/python3 -m unittest discover -s Tests/System/Packages

FOLDER is what `.ci/package FOLDER` left. Needs root, mount namespaces and overlayfs.
"""
import ctypes
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import tarfile
import tempfile
import unittest

RELEASE = pathlib.Path(os.environ.get("SOFTTOKEN_RELEASE", ""))
USER = 54321
CLONE_NEWNS = 0x00020000
MARK = "softtoken:prescribing#"


def why_not():
    """What keeps the packages from being installed here; None if nothing does."""
    if not shutil.which("dpkg"):
        return "dpkg is not installed"
    if os.geteuid() != 0:
        return "installing a package needs root"
    return None


class Overlay:
    """This system with a layer over it, in a mount namespace of this process."""

    def __init__(self):
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(CLONE_NEWNS) != 0:
            raise unittest.SkipTest("no mount namespaces: " + os.strerror(ctypes.get_errno()))
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="softtoken-overlay-"))
        self._must("mount", "--make-rprivate", "/")
        self._must("mount", "-t", "tmpfs", "tmpfs", self.top)
        for name in "upper", "work", "root":
            (self.top / name).mkdir()
        self.root = self.top / "root"
        layers = f"lowerdir=/,upperdir={self.top}/upper,workdir={self.top}/work"
        self._must("mount", "-t", "overlay", "overlay", "-o", layers, self.root)
        for name in "proc", "dev", "sys":
            self._must("mount", "--rbind", f"/{name}", self.root / name)
        # Whatever this system has of it is not there.
        shutil.rmtree(self.root / "etc/softtoken", ignore_errors=True)
        # The index of this system's manual pages is not what is tried here, and takes long.
        (self.root / "var/lib/man-db/auto-update").unlink(missing_ok=True)
        (self.root / "packages").mkdir()
        home = self.root / "home/prescriber"
        home.mkdir(parents=True)
        os.chown(home, USER, USER)

    def _must(self, *command):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise unittest.SkipTest(f"no overlay: {command[0]}: {done.stderr.strip()}")

    def close(self):
        subprocess.run(["umount", "-R", "-l", self.top], capture_output=True)
        self.top.rmdir()

    def run(self, *command, user=0, answers="", **changes):
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/home/prescriber",
                       "LANG": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", **changes}
        return subprocess.run(
            ["chroot", f"--userspec={user}:{user}", self.root, *command], env=environment,
            input=answers, capture_output=True, text=True, timeout=120)


@unittest.skipUnless(RELEASE.is_dir() and RELEASE.name, "SOFTTOKEN_RELEASE names no release")
class ReleaseTest(unittest.TestCase):
    def test_the_sums_are_those_of_the_files(self):
        lines = (RELEASE / "SHA256SUMS").read_text().splitlines()
        self.assertEqual({line[66:] for line in lines},
                         {path.name for path in RELEASE.iterdir()} - {"SHA256SUMS"})
        for line in lines:
            content = (RELEASE / line[66:]).read_bytes()
            self.assertEqual(hashlib.sha256(content).hexdigest(), line[:64])

    def test_the_bill_names_every_library_with_its_licence(self):
        bill = json.loads(next(RELEASE.glob("*.cdx.json")).read_text())
        found = {component["name"]: component for component in bill["components"]}
        for name in ("glibc", "libsodium", "nettle", "expat", "swift", "swift-argument-parser"):
            self.assertTrue(found[name]["licenses"][0]["expression"], name)
            self.assertTrue(found[name]["version"], name)
        inside = {entry["ref"]: entry["dependsOn"] for entry in bill["dependencies"]}
        self.assertTrue(any("expat" in ref for ref in inside["softtoken-issuer"]))
        self.assertFalse(any("expat" in ref for ref in inside["softtoken"]))

    def test_the_tar_holds_what_a_program_needs_to_be_passed_on(self):
        with tarfile.open(next(RELEASE.glob("*.tar.xz"))) as archive:
            names = {name.partition("/")[2]: archive.getmember(name) for name in archive.getnames()}
            for name in ("bin/softtoken", "bin/softtoken-issuer", "LICENSE.txt", "README.md",
                         "notices/softtoken.txt", "licences/LGPL-2.1.txt",
                         "share/man/man5/softtoken-policy.5"):
                self.assertIn(name, names)
            text = archive.extractfile(names["README.md"]).read().decode()
            links = [link for link in re.findall(r"\]\(([^)#]*)", text) if not re.match(r"\w+:", link)]
            self.assertGreater(len(list(filter(None, links))), 2)
            for link in links:
                self.assertTrue(link == "" or link in names, f"the README links to {link}")
            self.assertEqual({member.uid for member in names.values()}, {0})
            self.assertEqual(len({member.mtime for member in names.values()}), 1)

    @unittest.skipUnless(shutil.which("desktop-file-validate"), "desktop-file-utils is missing")
    def test_the_desktop_entries_and_the_metadata_are_valid(self):
        with tempfile.TemporaryDirectory() as folder:
            package = next(RELEASE.glob("softtoken_*.deb"))
            subprocess.run(["dpkg-deb", "-x", package, folder], check=True)
            entries = sorted(pathlib.Path(folder, "usr/share/applications").glob("*.desktop"))
            self.assertTrue(entries)
            for entry in entries:
                self.assertRegex(entry.read_text(), r"(?m)^Exec=softtoken ")
            commands = [["desktop-file-validate", *entries]]
            if shutil.which("appstreamcli"):
                data = pathlib.Path(folder, "usr/share/metainfo").glob("*.xml")
                commands.append(["appstreamcli", "validate", "--no-net", *data])
            for command in commands:
                done = subprocess.run(command, capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


@unittest.skipUnless(RELEASE.is_dir() and RELEASE.name, "SOFTTOKEN_RELEASE names no release")
@unittest.skipIf(why_not(), why_not() or "")
class InstallTest(unittest.TestCase):
    """One life of the packages, in the order of its steps."""

    def setUp(self):
        self.system = Overlay()
        self.addCleanup(self.system.close)
        for package in RELEASE.glob("*.deb"):
            shutil.copy(package, self.system.root / "packages")

    def do(self, *command, code=0, **options):
        done = self.system.run(*command, **options)
        self.assertEqual(done.returncode, code, f"{command}\n{done.stdout}{done.stderr}")
        return done.stdout

    def exists(self, path):
        return os.path.lexists(self.system.root / path.lstrip("/"))

    def install(self):
        names = sorted(path.name for path in (self.system.root / "packages").glob("*.deb"))
        self.do("dpkg", "--install", *(f"/packages/{name}" for name in names))

    def newer(self):
        """The same package under the next version."""
        with tempfile.TemporaryDirectory() as folder:
            tree = pathlib.Path(folder, "tree")
            subprocess.run(["dpkg-deb", "-R", next(RELEASE.glob("softtoken_*.deb")), tree], check=True)
            control = tree / "DEBIAN/control"
            version = re.search(r"(?m)^Version: (.*)$", control.read_text())[1]
            control.write_text(control.read_text().replace(
                f"Version: {version}", f"Version: {version}+next"))
            subprocess.run(["dpkg-deb", "--root-owner-group", "-Zgzip", "-b", tree,
                            self.system.root / "packages/next.deb"],
                           check=True, stdout=subprocess.DEVNULL)
        return f"{version}+next"

    def policy(self):
        policy = self.system.root / "etc/softtoken/policy.json"
        policy.write_text('{"attempts":5}\n')

    def keystore(self):
        """The bytes of each file of the prescriber's."""
        home = self.system.root / "home/prescriber/.local"
        return {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}

    def used(self):
        """A token is activated and shown with the installed program, by a prescriber."""
        link = "otpauth://totp/alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Example"
        today = self.do("date", "-u", "+%Y-%m-%d").strip()
        confirm = ("--not-prescribing-device", "--clock-is", today)
        self.do("softtoken", "activate", *confirm, "--name", "Sign", user=USER,
                answers=f"{link}\n4271\n")
        shown = self.do("softtoken", "show", "--once", *confirm, user=USER, answers="4271\n")
        self.assertRegex(shown, r"\A\d{6}\n\Z")

    def test_installed_used_upgraded_removed_and_purged(self):
        with self.subTest("installed"):
            self.install()
            self.assertEqual(self.do("dpkg", "--audit"), "")
            self.assertEqual(self.do("dpkg", "--verify", "softtoken", "softtoken-issuer"), "")
            for page in "softtoken", "softtoken-issuer", "softtoken-keystore", "softtoken-policy":
                self.assertIn(page, self.do("man", "-w", page))
            for program in "softtoken", "softtoken-issuer":
                completion = f". /usr/share/bash-completion/completions/{program}; complete -p {program}"
                self.assertIn(program, self.do("bash", "-c", completion))
                for name in "copyright", "changelog.gz", f"notices/{program}.txt.gz":
                    self.assertTrue(self.exists(f"/usr/share/doc/{program}/{name}"))
                version = self.do("dpkg-query", "-W", "-f", "${Version}", program)
                self.assertIn(f"{program} {version}\n", self.do(program, "--version"))
            if shutil.which("update-desktop-database"):
                cache = self.system.root / "usr/share/applications/mimeinfo.cache"
                self.assertIn("x-scheme-handler/softtoken=softtoken-activate.desktop;",
                              cache.read_text().splitlines())
            issuers = (self.system.root / "etc/softtoken/issuers").stat()
            self.assertEqual((issuers.st_uid, issuers.st_mode & 0o777), (0, 0o755))
        with self.subTest("used"):
            self.do("softtoken", "demo", user=USER)
            self.policy()
            self.used()
            before = self.keystore()
            self.assertTrue(any(path.name == "keystore" for path in before))
        with self.subTest("upgraded"):
            version = self.newer()
            self.do("dpkg", "--install", "/packages/next.deb")
            self.assertEqual(
                self.do("dpkg-query", "-W", "-f", "${Version}", "softtoken"), version)
            self.assertTrue(self.exists("/etc/softtoken/policy.json"))
            self.assertEqual(self.keystore(), before)
        with self.subTest("removed"):
            self.do("dpkg", "--remove", "softtoken", "softtoken-issuer")
            for path in "/usr/bin/softtoken", "/usr/bin/softtoken-issuer", "/usr/share/doc/softtoken":
                self.assertFalse(self.exists(path), path)
            self.assertTrue(self.exists("/etc/softtoken/policy.json"))
        with self.subTest("purged"):
            (self.system.root / "etc/softtoken/prescribing-device").write_text(MARK + "\n")
            self.do("dpkg", "--purge", "softtoken", "softtoken-issuer")
            # What the computer is, and what its administrator laid down, is not the package's.
            self.assertTrue(self.exists("/etc/softtoken/prescribing-device"))
            self.assertTrue(self.exists("/etc/softtoken/policy.json"))
            self.assertEqual(self.keystore(), before)

    def test_nothing_is_left_where_nobody_laid_anything_down(self):
        self.install()
        self.do("dpkg", "--purge", "softtoken", "softtoken-issuer")
        self.assertFalse(self.exists("/etc/softtoken"))
        found = self.do("find", "/usr", "/etc", "-name", "*softtoken*", "-not", "-path", "/usr/src/*")
        self.assertEqual(found, "")


if __name__ == "__main__":
    unittest.main()
