"""What others can see and reach of a running softtoken. Binds DESIGN §8 ("Order at start"), §1.7,
CONTRACT §1 ("Answers").

    /usr/bin/python3 -m unittest discover -s Tests/System/Transcripts
"""
import glob
import json
import os
import pathlib
import signal
import subprocess
import time
import unittest

import screen
from program import Home as EmptyHome
from screen import PIN, SEED, Home, Session, environment


def at_the_prompt(home, *command, **changes):
    """A `show` that waits for its PIN; or another command line that ends in one."""
    session = Session(list(command) or [screen.PROGRAM, "show"], environment(home.path, **changes))
    session.wait_for("PIN:")
    return session


def status_of(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def open_files(pid):
    folder = f"/proc/{pid}/fd"
    return {int(name): os.readlink(f"{folder}/{name}") for name in os.listdir(folder)}


class LimitTest(unittest.TestCase):
    def test_a_limit_on_file_length_is_raised_or_told(self):
        for limit, code in (("-Sf 8", 0), ("-f 131072", 0), ("-f 131071", 74)):
            done = subprocess.run(
                ["bash", "-c", f'ulimit {limit}; exec "$0" status', screen.PROGRAM],
                capture_output=True, text=True, env=environment(EmptyHome().path))
            self.assertEqual(done.returncode, code, done)
            self.assertEqual("ulimit -f" in done.stderr, code == 74, done)


class PromptTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.home = Home()

    def test_an_answer_at_once_is_never_echoed(self):
        for _ in range(25):
            session = Session([screen.PROGRAM, "show"], environment(self.home.path))
            while b"PIN:" not in session.bytes:
                session._take(session.child.read_nonblocking(1, timeout=20))
            session.child.send("9876")
            session.read(0.05)
            self.assertNotIn("9876", session.text())
            session.child.sendintr()
            self.assertEqual(session.end(), 130)

    def test_ctrl_c_ends_with_130_and_costs_nothing(self):
        session = at_the_prompt(self.home)
        session.child.send("12")
        session.child.sendintr()
        self.assertEqual(session.end(), 130)
        done = subprocess.run([screen.PROGRAM, "status", "--json"], capture_output=True,
                              env=environment(self.home.path))
        report = json.loads(done.stdout)
        self.assertEqual(report["attemptsLeft"], report["attemptLimit"])

    def test_ctrl_c_while_the_pin_is_worked_on_restores_and_costs_nothing(self):
        session = Session(["/bin/bash", "-c", f"trap : INT; {screen.PROGRAM} show; echo code=$?; "
                           f"stty -a; {screen.PROGRAM} status --json"],
                          environment(self.home.path))
        session.wait_for("PIN:")
        session.child.send(PIN + "\r")
        session.read(0.1)
        session.child.sendintr()
        session.end()
        written = session.bytes.decode()
        self.assertIn("code=130", written)
        self.assertRegex(written, r" icanon[\s\S]* echo ")
        report = json.loads(written[written.index("{"):])
        self.assertEqual(report["attemptsLeft"], report["attemptLimit"])

    def test_the_end_of_input_ends_the_command(self):
        session = at_the_prompt(self.home)
        session.child.send("\x04")
        self.assertEqual(session.end(), 64)
        self.assertEqual(session.bytes.count(b"PIN: "), 1)

    def test_signals_at_the_prompt_restore_the_terminal(self):
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            with self.subTest(number.name):
                session = Session(
                    ["/bin/bash", "-c", f"{screen.PROGRAM} show; echo code=$?; stty -a"],
                    environment(self.home.path))
                session.wait_for("PIN:")
                child = int(subprocess.check_output(["pgrep", "-P", str(session.child.pid)]))
                os.kill(child, number)
                session.end()
                written = session.bytes.decode()
                self.assertIn(f"code={128 + number}", written)
                self.assertRegex(written, r" icanon[\s\S]* echo ")

    def test_stopped_at_the_pin_it_asks_again(self):
        session = Session.at_a_shell(self.home, "show")
        session.wait_for("PIN:")
        session.child.send("98")
        # No key does that: Ctrl-Z is ignored at a PIN.
        child = int(subprocess.check_output(["pgrep", "-P", str(session.child.pid)]))
        os.kill(child, signal.SIGSTOP)
        session.wait_for("Stopped")
        session.screen.reset()
        session.child.send("fg\r")
        session.wait_for("PIN:")
        session.read(0.3)
        self.assertEqual(session.text().count("PIN:"), 1, "asked again once")
        session.answer_pin()
        session.wait_for("Ends at")
        session.child.send("q")
        session.read(0.5)
        session.child.close(force=True)


class ProcessTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.home = Home()

    def test_a_link_is_gone_from_the_arguments(self):
        fresh = EmptyHome()
        link = f"otpauth://totp/alice?secret={SEED}&issuer=Example"
        session = Session([screen.PROGRAM, "activate", link, "--not-prescribing-device",
                           "--clock-is", time.strftime("%Y-%m-%d", time.gmtime())],
                          environment(fresh.path))
        pid = session.child.pid
        arguments = pathlib.Path(f"/proc/{pid}/cmdline")
        session.wait_for("ame")
        self.assertNotIn(SEED.encode(), arguments.read_bytes())
        self.assertNotIn(b"otpauth", arguments.read_bytes())
        self.assertNotIn(SEED.encode(), pathlib.Path(f"/proc/{pid}/environ").read_bytes())
        session.child.sendintr()
        self.assertEqual(session.end(), 130)

    def test_the_kernel_says_that_it_is_confined(self):
        session = at_the_prompt(self.home)
        status = status_of(session.child.pid)
        self.assertEqual(status["Seccomp"], "2")
        self.assertEqual(status["NoNewPrivs"], "1")
        limits = pathlib.Path(f"/proc/{session.child.pid}/limits").read_text()
        self.assertRegex(limits, r"Max core file size +0 +0 ")
        session.child.sendintr()
        session.end()

    def test_a_missing_proc_is_told(self):
        """Swift's runtime looks for its own path there before main begins, and aborts without it."""
        script = 'mount -t tmpfs none /proc && exec "$@"'
        done = self.home.run("device", "check", prefix=[
            "unshare", "-m", "--propagation", "private", "/bin/sh", "-ec", script, "sh"])
        self.assertEqual(done.code, 74, str(done))
        self.assertIn("softtoken: error: /proc/sys/kernel/random/boot_id", done.err)

    def test_the_demo_ends_with_an_otp_and_leaves_nothing(self):
        before = set(glob.glob("/tmp/softtoken-demo.*"))
        done = EmptyHome().run("demo")
        self.assertEqual(done.code, 0, str(done))
        self.assertRegex(done.out, r"\A\d{6}\n\Z")
        self.assertEqual(set(glob.glob("/tmp/softtoken-demo.*")) - before, set())

    def test_no_socket_is_made_from_the_first_to_the_last_instruction(self):
        trace = self.home.path / "trace"
        done = subprocess.run(
            ["strace", "-f", "-e", "trace=%network", "-o", trace, screen.PROGRAM, "show", "--once"],
            input=f"{PIN}\n".encode(), capture_output=True, env=environment(self.home.path))
        self.assertEqual(done.returncode, 0, done)
        lines = trace.read_text().splitlines()
        # The one call is the look whether the filter is there: it is refused.
        calls = [line.split(" ", 1)[1] for line in lines if "(" in line]
        self.assertEqual(len(calls), 1, calls)
        self.assertRegex(calls[0], r"^ *socket\(AF_UNIX, .* = -1 EACCES ")
        self.assertIn("exited with 0", lines[-1])

    def test_inherited_descriptors_are_closed(self):
        session = at_the_prompt(
            self.home, "/bin/bash", "-c", f"exec {screen.PROGRAM} show 77</etc/passwd")
        files = open_files(session.child.pid)
        self.assertNotIn(77, files)
        self.assertNotIn("/etc/passwd", files.values())
        session.child.sendintr()
        session.end()

    def test_a_closed_standard_descriptor_becomes_dev_null(self):
        session = at_the_prompt(self.home, "/bin/sh", "-c", f"exec {screen.PROGRAM} show 2>&-")
        self.assertEqual(open_files(session.child.pid)[2], "/dev/null")
        session.child.sendintr()
        session.end()

    def test_a_fault_is_told_leaves_no_core_and_gives_the_terminal_back(self):
        folder = self.home.path / "cores"
        os.makedirs(folder, exist_ok=True)
        for number in (signal.SIGSEGV, signal.SIGILL, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE,
                       signal.SIGTRAP):
            with self.subTest(number.name):
                session = Session(["/bin/bash", "-c", f"ulimit -c unlimited; cd {folder}; "
                                   f"{screen.PROGRAM} show; echo code=$?; stty -a"],
                                  environment(self.home.path, SWIFT_BACKTRACE="enable=no"))
                session.wait_for("PIN:")
                child = int(subprocess.check_output(["pgrep", "-P", str(session.child.pid)]))
                os.kill(child, number)
                session.end()
                written = session.bytes.decode()
                self.assertIn("code=70", written)
                self.assertEqual(written.count("softtoken: error: a fault of this program"), 1)
                self.assertRegex(written, r" icanon[\s\S]* echo ")
                self.assertNotIn("core dumped", written)
                self.assertEqual(os.listdir(folder), [])

    def test_status_tells_the_truth(self):
        done = subprocess.run([screen.PROGRAM, "status", "--json"], capture_output=True,
                              env=environment(self.home.path))
        report = json.loads(done.stdout)
        self.assertEqual(report["network"], "blocked")
        self.assertEqual(report["files"], "confined")
        self.assertFalse(report["memory"]["coreDumps"])


class PinDescriptorTest(unittest.TestCase):
    def test_a_pin_from_a_descriptor_leaves_standard_input_alone(self):
        home = Home()
        read_end, write_end = os.pipe()
        os.write(write_end, f"{PIN}\r\nnot for softtoken\n".encode())
        os.close(write_end)
        done = subprocess.run([screen.PROGRAM, "show", "--once", "--pin-fd", str(read_end)],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              pass_fds=[read_end], env=environment(home.path))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"^\d{6}\n$")
        self.assertEqual(os.read(read_end, 100), b"not for softtoken\n")
        os.close(read_end)


if __name__ == "__main__":
    unittest.main()
