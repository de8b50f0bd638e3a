#!/usr/bin/python3
"""What `show --once` takes less its Argon2id and its fsyncs (DESIGN §11), by the kernel's own clock.

    rest.py PROGRAM        as root: the kernel's trace events tell when each call began and ended

strace would slow the calls that it tells of down; these events don't.
"""
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

EVENTS = ["sys_enter_mmap", "sys_enter_munmap", "sys_exit_munmap", "sys_enter_fsync",
          "sys_exit_fsync", "sys_exit_execve", "sys_enter_exit_group"]
SEED = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
PIN = "8206"
ROUNDS = 15


class Trace:
    """An instance of tracefs of our own."""

    def __enter__(self):
        self.mount = pathlib.Path(tempfile.mkdtemp(prefix="tracefs-"))
        subprocess.run(["mount", "-t", "tracefs", "none", str(self.mount)], check=True)
        self.folder = self.mount / "instances/softtoken-bench"
        self.folder.mkdir()
        for event in EVENTS:
            (self.folder / f"events/syscalls/{event}/enable").write_text("1")
        return self

    def __exit__(self, *_):
        self.folder.rmdir()
        subprocess.run(["umount", str(self.mount)], check=True)
        self.mount.rmdir()

    def of(self, command, home, answers):
        """The (seconds, call, text) of a command that gets these answers."""
        (self.folder / "trace").write_text("")
        process = subprocess.Popen(command, env=environment(home), text=True,
                                   stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        process.communicate(answers)
        found = re.findall(r"-(\d+) +\[\d+\] +\S+ +([\d.]+): (\S+?)(\(.*| -> .*)",
                           (self.folder / "trace").read_text())
        return [(float(seconds), name, text) for pid, seconds, name, text in found
                if int(pid) == process.pid]


def environment(home):
    return {"HOME": home, "PATH": "/usr/bin:/bin"}


def activated(program, kind):
    home = tempfile.mkdtemp(prefix="softtoken-bench-")
    factor = "&counter=0" if kind == "hotp" else ""
    subprocess.run([program, "activate", f"otpauth://{kind}/a?secret={SEED}{factor}", "--name", "a",
                    "--not-prescribing-device"], input=f"{PIN}\n", text=True, check=True,
                   env=environment(home), capture_output=True)
    return home


def rest(trace, program, home):
    """Seconds between the program's first instruction and its exit, less KDF and fsyncs."""
    start = end = kdf = began = None
    waited = 0
    for seconds, name, text in trace.of([program, "show", "--once"], home, f"{PIN}\n"):
        is_exit = text.startswith(" ->")
        if name == "sys_execve":
            start = seconds
        elif name == "sys_exit_group":
            end = seconds
        elif name == "sys_mmap" and "10000000," in text:  # 256 MiB
            kdf = -seconds
        elif name == "sys_munmap" and "10000000" in text and not is_exit:
            began = "munmap"
        elif name == "sys_munmap" and is_exit and began == "munmap":
            kdf, began = kdf + seconds, None
        elif name == "sys_fsync" and not is_exit:
            began = seconds
        elif name == "sys_fsync":
            waited += seconds - began
    return end - start - kdf - waited


def main():
    program = sys.argv[1]
    with Trace() as trace:
        for kind in ("totp", "hotp"):
            home = activated(program, kind)
            taken = [rest(trace, program, home) * 1000 for _ in range(ROUNDS)]
            subprocess.run(["rm", "-r", home], check=True)
            print(f"  less Argon2id and fsyncs, {kind}: median {statistics.median(taken):.2f} ms, "
                  f"least {min(taken):.2f} ms")


if __name__ == "__main__":
    main()
