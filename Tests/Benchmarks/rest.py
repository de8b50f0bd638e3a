"""What `show --once` takes less its Argon2id and its fsyncs (DESIGN §11), by the kernel's own clock,
and its Argon2id with huge pages and without.

The kernel's trace events, which root may have, tell when each call began and ended. strace would slow
the calls that it tells of down; these events don't.
"""
import ctypes
import os
import pathlib
import re
import subprocess
import tempfile

from runs import row

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

    def of(self, command, home, answers, before=None):
        """The (seconds, call, text) of a command that gets these answers; `before` it begins."""
        (self.folder / "trace").write_text("")
        process = subprocess.Popen(command, env=environment(home), text=True, preexec_fn=before,
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


def times(trace, program, home, before=None):
    """Seconds of Argon2id, and between the program's first instruction and its exit less Argon2id
    and fsyncs."""
    start = end = kdf = began = None
    waited = 0
    for seconds, name, text in trace.of([program, "show", "--once"], home, f"{PIN}\n", before):
        is_exit = text.startswith(" ->")
        if name == "sys_execve":
            start = seconds
        elif name == "sys_exit_group":
            end = seconds
        elif name == "sys_mmap" and re.search("len: 0x10[02]00000,", text):
            # 256 MiB, and 2 to begin at a huge page.
            kdf = -seconds
        elif name == "sys_munmap" and "len: 0x10000000)" in text:
            began = "munmap"
        elif name == "sys_munmap" and is_exit and began == "munmap":
            kdf, began = kdf + seconds, None
        elif name == "sys_fsync" and not is_exit:
            began = seconds
        elif name == "sys_fsync":
            waited += seconds - began
    return kdf, end - start - kdf - waited


def forbid_huge_pages():
    """For this process and what it becomes: PR_SET_THP_DISABLE."""
    if ctypes.CDLL(None, use_errno=True).prctl(41, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "PR_SET_THP_DISABLE")


def measure(program):
    print(f"softtoken show --once ({ROUNDS} rounds)")
    if os.getuid() != 0:
        print("  only root has the kernel's trace events: skipped")
        return
    with Trace() as trace:
        for kind in ("totp", "hotp"):
            home = activated(program, kind)
            taken = [times(trace, program, home) for _ in range(ROUNDS)]
            row(f"less Argon2id and fsyncs, {kind}", [rest * 1000 for _, rest in taken], "ms")
            if kind == "totp":
                small = [times(trace, program, home, forbid_huge_pages)[0] * 1000
                         for _ in range(ROUNDS)]
                row("Argon2id without huge pages", small, "ms")
                row("Argon2id with them", [kdf * 1000 for kdf, _ in taken], "ms", small)
            subprocess.run(["rm", "-r", home], check=True)
