#!/usr/bin/python3
"""The stories, two machines at a time, and the score. .ci/machines calls it."""
import argparse
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / name) for name in ("Faults", "Transcripts", "TPM")]

import bench  # noqa: E402
import chips  # noqa: E402
import delays  # noqa: E402
import emulator  # noqa: E402
import parts  # noqa: E402
import powercut  # noqa: E402
import separation  # noqa: E402
from system import System  # noqa: E402

STORIES = {"delays": delays.delays, "second": separation.second,
           "front-desk": separation.front_desk, "without-landlock": separation.without_landlock,
           "chip": chips.chip}


class Run:
    """What the stories share."""

    def __init__(self, options):
        self.busybox = options.busybox
        self.folder = tempfile.mkdtemp(prefix="run-", dir=options.folder)
        self.emulator = emulator.Emulator(
            self.folder, parts.Parts(options.kernel, options.busybox))
        self.seed = options.seed

    def path(self, name):
        return pathlib.Path(self.folder) / f"{name}-{self.emulator.next_name()}.img"

    def install(self):
        return System.install(self.path("system"), self.busybox, bench.PROGRAM)

    def boot(self, hardware, system, words="", **options):
        return self.emulator.boot(hardware, system, words, **options)

    def choose_accelerator(self):
        """KVM where it works: a device file alone doesn't tell, in a virtual machine of a kind."""
        if not os.access("/dev/kvm", os.R_OK | os.W_OK):
            return
        self.emulator.accelerator = "kvm"
        try:
            self.boot(separation.SECOND, self.install(), seconds=8).off()
        except AssertionError:
            self.emulator.accelerator = "tcg"


def stories(options, run, score):
    """Each with its name, as a function without arguments; the longest first."""
    chosen = {}
    for chain in range(2):
        cuts = (options.cuts + 1 - chain) // 2
        if cuts:
            chosen[f"power-cuts-{chain}"] = (
                lambda chain=chain, cuts=cuts: powercut.cuts(score, run, chain, cuts))
    if options.cuts:
        # Where a chip is all that is looked at they are its own.
        cuts = options.cuts if options.only.startswith("chip") else (options.cuts + 4) // 5
        chosen["chip-power-cuts"] = lambda: chips.cuts(score, run, cuts)
    for name, story in STORIES.items():
        chosen[name] = lambda story=story: story(score, run)
    return [(name, story) for name, story in chosen.items() if name.startswith(options.only)]


def tell(score, name, story):
    began = time.monotonic()
    try:
        story()
    except Exception as error:  # noqa: BLE001
        score.check(f"the story {name} is told to its end", [f"{type(error).__name__}: {error}"])
    print(f"  story {name}: {time.monotonic() - began:.0f} s", flush=True)


def main():
    parser = argparse.ArgumentParser()
    for name in ("--kernel", "--busybox", "--folder"):
        parser.add_argument(name, type=pathlib.Path, required=True)
    parser.add_argument("--cuts", type=int, default=10)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--only", default="", help="the stories whose name begins so")
    options = parser.parse_args()
    run, score = Run(options), bench.Score()
    told = stories(options, run, score)
    if not told:
        parser.error(f"no story's name begins with {options.only}")
    try:
        run.choose_accelerator()
        print(f"  accelerator {run.emulator.accelerator}, --seed {options.seed}", flush=True)
        bench.in_parallel([lambda name=name, story=story: tell(score, name, story)
                           for name, story in told], 2)
    finally:
        run.emulator.end()
        shutil.rmtree(run.folder, ignore_errors=True)
    score.end()


if __name__ == "__main__":
    main()
