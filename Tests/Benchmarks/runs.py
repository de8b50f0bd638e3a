"""Whole processes and what they took, by the kernel's own account of them.

Processor time is compared, not the clock: what else runs on the machine lengthens the clock by any
amount, and the processor time by little.
"""
import collections
import os
import statistics
import time

Run = collections.namedtuple("Run", "processor clock status")
NOTHING = [(os.POSIX_SPAWN_OPEN, number, "/dev/null", os.O_WRONLY, 0) for number in (1, 2)]


def run(arguments, home, answer=""):
    """Runs a program with nothing but HOME and PATH around it, `answer` on standard input."""
    end, start = os.pipe()
    os.write(start, answer.encode())
    os.close(start)
    began = time.monotonic()
    process = os.posix_spawn(arguments[0], arguments, {"HOME": home, "PATH": "/usr/bin:/bin"},
                             file_actions=[(os.POSIX_SPAWN_DUP2, end, 0), *NOTHING])
    _, status, usage = os.wait4(process, 0)
    os.close(end)
    return Run(usage.ru_utime + usage.ru_stime, time.monotonic() - began,
               os.waitstatus_to_exitcode(status))


def in_turn(commands, rounds):
    """The runs of each of {name: (arguments, home)}, one after another in each round."""
    runs = {name: [] for name in commands}
    for _ in range(rounds):
        for name, (arguments, home) in commands.items():
            runs[name].append(run(arguments, home))
            if runs[name][-1].status != 0:
                raise SystemExit(f"{name} ended with {runs[name][-1].status}")
    return runs


def row(name, values, unit, base=None):
    """Prints a line: median and least, and their ratios to those of `base`."""
    text = f"  {name:<44} median {statistics.median(values):.2f} {unit}, least {min(values):.2f}"
    if base:
        text += (f"; {statistics.median(values) / statistics.median(base):.2f} × "
                 f"(of the least {min(values) / min(base):.2f} ×)")
    print(text, flush=True)
