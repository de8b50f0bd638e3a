"""What must not be possible doesn't compile, for an app and for softtoken. Each fragment in
Tests/Consumer/DoesNotCompile names the message that it has to cause; `control` compiles, so that a
broken set-up can't pass for a promise. A name that can't be found has to stand in the sources.
Binds DESIGN §2 ("The door is real") and STYLE 7, 8, 20.

    /usr/bin/python3 -m unittest discover -s Tests/System/Consumer

The fragments in `program` are put into a copy of Sources/softtoken: they need the debug build of the
package (swift build).
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import test_consumer
from test_consumer import APP, ROOT, SCRATCH

FRAGMENTS = APP / "DoesNotCompile"
MARK = "// expected: "
# As Package.swift has it for softtoken.
STRICT = ["-strict-memory-safety", "-enable-experimental-feature", "Lifetimes"] + [
    word for name in ("ExistentialAny", "InternalImportsByDefault", "MemberImportVisibility")
    for word in ("-enable-upcoming-feature", name)]


def compiled(products, module, sources, *options):
    """Compiles up to the ownership checks, which -typecheck leaves out; gives code and messages.

    No -package-name of this package is given: no `package` symbol is in reach.
    """
    maps = [products / "CLinux.build/module.modulemap", ROOT / "Keystore/CSodium/module.modulemap",
            ROOT / "Keystore/CNettle/module.modulemap",
            ROOT / "Keystore/CHogweed/module.modulemap"]
    done = subprocess.run(
        ["swiftc", "-wmo", "-emit-sil", "-o", "/dev/null", "-parse-as-library", "-swift-version", "6",
         "-module-name", module, "-module-cache-path", SCRATCH / "fragments", "-I",
         products / "Modules", *options,
         *(word for path in maps for word in ("-Xcc", f"-fmodule-map-file={path}")), *sources],
        capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


class Case(unittest.TestCase):
    def assert_rejected(self, fragment, code, text):
        first = fragment.read_text().splitlines()[0]
        self.assertTrue(first.startswith(MARK), fragment)
        expected = first.removeprefix(MARK)
        self.assertNotEqual(code, 0, f"{fragment.name} compiles")
        errors = [line for line in text.splitlines() if " error: " in line]
        self.assertTrue(any(expected in line for line in errors), text)
        # A name that is nowhere would be found by nobody.
        if name := re.search(r"cannot find (?:type )?'(\w+)' in scope", expected):
            declared = re.compile(rf"\b(?:struct|enum|func) {name[1]}\b")
            rooms = [ROOT / "Keystore", ROOT / "Sources/Activation", ROOT / "Sources/SoftTokenCore"]
            self.assertTrue(any(declared.search(path.read_text()) for room in rooms
                                for path in room.rglob("*.swift")), name[1])


class AppTest(Case):
    @classmethod
    def setUpClass(cls):
        test_consumer.build(APP, SCRATCH)

    def compile(self, fragment):
        with tempfile.TemporaryDirectory() as folder:
            source = pathlib.Path(folder, "Fragment.swift")
            shutil.copy(fragment, source)
            return compiled(SCRATCH / "debug", "Consumer", [source])

    def test_the_control_compiles(self):
        code, text = self.compile(FRAGMENTS / "control.swift.txt")
        self.assertEqual(code, 0, text)

    def test_an_app_has_no_way_round(self):
        fragments = sorted(set(FRAGMENTS.glob("*.swift.txt")) - {FRAGMENTS / "control.swift.txt"})
        self.assertGreaterEqual(len(fragments), 25)
        for fragment in fragments:
            with self.subTest(fragment.name):
                self.assert_rejected(fragment, *self.compile(fragment))


class ProgramTest(Case):
    """softtoken is an app like any other."""

    def compile(self, fragment=None):
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder, "softtoken")
            shutil.copytree(ROOT / "Sources/softtoken", copy)
            if fragment is not None:
                shutil.copy(fragment, copy / "Peek.swift")
            return compiled(ROOT / ".build/debug", "softtoken", sorted(copy.rglob("*.swift")),
                            *STRICT)

    def test_it_is_outside_of_the_package(self):
        done = subprocess.run(["swift", "package", "dump-package"], cwd=ROOT, capture_output=True,
                              text=True, check=True)
        target = next(target for target in json.loads(done.stdout)["targets"]
                      if target["name"] == "softtoken")
        self.assertIs(target["packageAccess"], False)

    def test_the_copy_compiles(self):
        code, text = self.compile()
        self.assertEqual(code, 0, text)

    def test_it_has_no_way_round(self):
        fragments = sorted((FRAGMENTS / "program").glob("*.swift.txt"))
        self.assertGreaterEqual(len(fragments), 3)
        for fragment in fragments:
            with self.subTest(fragment.name):
                self.assert_rejected(fragment, *self.compile(fragment))

    def test_an_undeclared_import_is_refused(self):
        # SwiftPM's own check lets one pass that is reachable through a dependency.
        with tempfile.TemporaryDirectory() as folder:
            for name in (".ci", "Keystore", "Sources"):
                shutil.copytree(ROOT / name, pathlib.Path(folder, name))
            check = [os.path.join(folder, ".ci/check-imports")]
            before = subprocess.run(check, capture_output=True, text=True)
            pathlib.Path(folder, "Sources/softtoken/Peek.swift").write_text(
                "@testable import Keystore\n")
            after = subprocess.run(check, capture_output=True, text=True)
        self.assertEqual(before.returncode, 0, before.stdout)
        self.assertIn("Sources/softtoken may not import Keystore", after.stdout)
        self.assertEqual(after.returncode, 1)


if __name__ == "__main__":
    unittest.main()
