"""A statically linked app that has CLinux in it, as SoftTokenCore has, finds its arguments."""
import pathlib
import subprocess
import tempfile
import unittest

CLINUX = pathlib.Path(__file__).resolve().parents[3] / "Sources/CLinux"


class StaticAppTest(unittest.TestCase):
    def test_the_arguments_are_there(self):
        with tempfile.TemporaryDirectory(prefix="softtoken-consumer-") as folder:
            main, object_file, program = (pathlib.Path(folder, name)
                                          for name in ("main.swift", "arguments.o", "app"))
            main.write_text("for argument in CommandLine.arguments { print(argument) }\n")
            subprocess.run(["clang", "-c", "-I", CLINUX / "include", CLINUX / "arguments.c", "-o",
                            object_file], check=True)
            subprocess.run(["swiftc", "-static-stdlib", main, object_file, "-o", program], check=True)
            for environment in ({}, {"HOME": "/"}, {"SWIFT_BACKTRACE": "enable=yes"}):
                done = subprocess.run([program, "one", "two"], env=environment, capture_output=True,
                                      text=True)
                self.assertEqual(done.stdout.split("\n"), [str(program), "one", "two", ""])


if __name__ == "__main__":
    unittest.main()
