"""The built program as its users meet it: arguments, answers, files, exit codes. Nothing of the
caller's environment reaches it.

Runs with /usr/bin/python3. SOFTTOKEN_BIN_DIR names the folder of the binaries; without it the
release that .ci/test builds is taken.
"""
import atexit
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
PIN = "4271"
SEED = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # RFC 6238, appendix B
# A user that no passwd file knows: numbers are all that the kernel asks for.
ORDINARY = 54321
IS_ROOT = os.geteuid() == 0
needs_root = unittest.skipUnless(IS_ROOT, "made-up machines and other owners need root")

# Ordinary users must be able to reach the binary and the homes, wherever the build lies.
WORK = pathlib.Path(tempfile.mkdtemp(prefix="softtoken-tests-"))
WORK.chmod(0o755)
atexit.register(shutil.rmtree, WORK, ignore_errors=True)


def _copied(name):
    source = pathlib.Path(os.environ.get("SOFTTOKEN_BIN_DIR", ROOT / ".build-release/bin")) / name
    if not source.exists():
        raise SystemExit(f"{source} is not there: run .ci/build-release, set SOFTTOKEN_BIN_DIR")
    target = WORK / name
    shutil.copy(source, target)
    target.chmod(0o755)
    return str(target)


PROGRAM = _copied("softtoken")


def today():
    return time.strftime("%Y-%m-%d", time.gmtime())


def environment(home, **changes):
    """An environment of its own; a change to None removes a variable."""
    values = {"HOME": str(home), "PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "TERM": "xterm-256color",
              "TZ": "UTC", "LANG": "C.UTF-8"}
    values.update(changes)
    return {name: value for name, value in values.items() if value is not None}


def otpauth(kind="totp", label="alice", secret=SEED, **members):
    members = {"issuer": "Example%20Health", **members}
    if kind == "hotp":
        members.setdefault("counter", 0)
    rest = "".join(f"&{name}={value}" for name, value in members.items())
    return f"otpauth://{kind}/{label}?secret={secret}{rest}"


class Result:
    """What a run left behind."""

    def __init__(self, arguments, code, out, err):
        # A link would fill the screen.
        self.arguments, self.code = [text[:60] for text in arguments], code
        self.out, self.err = out.decode("utf-8", "replace"), err.decode("utf-8", "replace")

    def __str__(self):
        return f"{self.arguments}: {self.code}\n--- stdout\n{self.out}--- stderr\n{self.err}"

    @property
    def json(self):
        return json.loads(self.out, object_pairs_hook=_once)

    @property
    def json_lines(self):
        return [json.loads(line, object_pairs_hook=_once) for line in self.out.splitlines()]


def _once(pairs):
    names = [name for name, _ in pairs]
    assert len(set(names)) == len(names), f"a repeated member: {names}"
    return dict(pairs)


class Home:
    """A home folder of its own, empty or a copy of another."""

    def __init__(self, like=None, user=None):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="home-", dir=WORK))
        self.user = user
        if like is not None:
            shutil.copytree(like.path, self.path, symlinks=True, dirs_exist_ok=True)
        self.path.chmod(0o700)
        self.give_to(user)

    def give_to(self, user):
        if user is None:
            return
        for folder, _, files in os.walk(self.path):
            os.chown(folder, user, user)
            for file in files:
                os.chown(os.path.join(folder, file), user, user, follow_symlinks=False)

    @property
    def data(self):
        return self.path / ".local/share/softtoken"

    @property
    def state(self):
        return self.path / ".local/state/softtoken"

    def snapshot(self):
        """Every file with its mode and bytes, every folder with its mode."""
        found = {}
        for folder, names, files in os.walk(self.path):
            for name in names + files:
                path = pathlib.Path(folder, name)
                mode = path.lstat().st_mode
                content = path.read_bytes() if path.is_file() else None
                found[str(path.relative_to(self.path))] = (oct(mode), content)
        return found

    def command(self, arguments, machine=None):
        """The command line, as this home's user and on a made-up machine if there is one."""
        if machine is not None:
            return machine.command(arguments, self.user)
        command = [PROGRAM, *arguments]
        return command if self.user is None else as_user(self.user, command)

    def run(self, *arguments, answers="", machine=None, prefix=(), changes=None, pin_fd=None,
            stdin=None, timeout=90, stdout=subprocess.PIPE):
        """Runs the program to its end off a terminal.

        answers are the lines of standard input; pin_fd is what --pin-fd's descriptor gives.
        """
        arguments = [str(argument) for argument in arguments]
        passed = ()
        if pin_fd is not None:
            read, write = os.pipe()
            os.write(write, pin_fd.encode())
            os.close(write)
            passed = (read,)
            arguments += ["--pin-fd", str(read)]
        if isinstance(answers, str):
            answers = answers.encode()
        source = {"stdin": stdin} if stdin is not None else {"input": answers}
        try:
            # A session of its own: no /dev/tty but where a test makes one.
            done = subprocess.run(
                [*prefix, *self.command(arguments, machine)], **source, stdout=stdout,
                stderr=subprocess.PIPE, env=environment(self.path, **(changes or {})),
                pass_fds=passed, timeout=timeout, start_new_session=True, cwd="/")
        finally:
            for number in passed:
                os.close(number)
        return Result(arguments, done.returncode, done.stdout or b"", done.stderr)

    def activate(self, link=None, name="Clinic", pin=PIN, *options, machine=None, code=None):
        """Activates a token; the PIN is the new or the existing one."""
        answers = "".join(f"{line}\n" for line in (code, name, pin) if line is not None)
        done = self.run("activate", link or otpauth(), "--not-prescribing-device", *options,
                        answers=answers, machine=machine)
        if done.code != 0:
            raise AssertionError(done)
        return done

    def status(self, **keywords):
        return self.run("status", "--json", **keywords).json

    def log(self, **keywords):
        return self.run("log", "--json", **keywords).json_lines

    def attempts_left(self):
        return self.status()["attemptsLeft"]


def as_user(user, command):
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *command]


_templates = {}


def template(name, make):
    """A home made once a run; copy it, don't change it."""
    if name not in _templates:
        home = Home()
        make(home)
        _templates[name] = home
    return _templates[name]


def one_token():
    """A copy of a home with one TOTP token, `Clinic`."""
    return Home(template("one", lambda home: home.activate()))


def three_tokens():
    """A copy of a home with `Clinic`, `Clinic at the lake` and the HOTP token `Old`."""
    def make(home):
        home.activate(name="Clinic")
        home.activate(otpauth(label="bob", digits=8), "Clinic at the lake")
        home.activate(otpauth("hotp", label="carol"), "Old")
    return Home(template("three", make))


class ProgramTest(unittest.TestCase):
    """What holds for every run."""
    maxDiff = None

    def assert_ends(self, result, code, words=None):
        """The code of the contract, and messages of its form: CONTRACT §1, Output."""
        self.assertEqual(result.code, code, str(result))
        lines = result.err.splitlines()
        errors = [line for line in lines if line.startswith("softtoken: error: ")]
        hints = [line for line in lines if line.startswith("softtoken: hint: ")]
        if code == 0:
            self.assertEqual(errors, [], str(result))
        else:
            self.assertEqual(result.out, "", f"nothing on stdout when it fails: {result}")
            self.assertEqual(len(errors), 1, f"one error: {result}")
            self.assertLessEqual(len(hints), 1, f"at most one hint: {result}")
            for line in errors + hints:
                self.assertFalse(line.endswith("."), line)
        self.assertNotRegex(result.err, r"(?i)fatal error|crash|backtrace", str(result))
        if words is not None:
            self.assertRegex(result.err, words, str(result))
        return result

    def assert_no_attempt(self, home, left=10):
        self.assertEqual(home.attempts_left(), left, "no attempt is spent")

    def assert_unchanged(self, home, before):
        after = home.snapshot()
        self.assertEqual(sorted(after), sorted(before))
        for name, content in before.items():
            self.assertEqual(after[name], content, f"{name} is as it was")

    def assert_type(self, value, *types):
        """A bool is no integer here."""
        self.assertIn(type(value), types, repr(value))
