#!/usr/bin/python3
"""DESIGN §11's measures of whole processes, in one run on one machine.

    table.py FOLDER        the folder of the release programs (.ci/build-release)
"""
import datetime
import pathlib
import platform
import re
import shutil
import sys
import tempfile

import rest
import store
from runs import in_turn, row

OATHTOOL = ["/usr/bin/oathtool", "--totp", "3132333435363738393031323334353637383930"]
# What else keeps OTPs in a store; its version is the least that it does.
PEERS = ["stoken", "otpclient-cli", "keepassxc-cli"]


def machine():
    processor = re.search("model name\\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    load = pathlib.Path("/proc/loadavg").read_text().split()[0]
    print(f"{processor[1] if processor else platform.machine()}, Linux {platform.release()}, "
          f"load {load}, {datetime.date.today()}")


def sizes(programs):
    print("size")
    for program in programs:
        print(f"  {program.name:<44} {program.stat().st_size / 1e6:.1f} MB")


def start(program, rounds=300):
    print(f"start, processor time ({rounds} rounds in turn)")
    kept = rest.activated(str(program), "totp")
    with tempfile.TemporaryDirectory() as empty:
        commands = {
            "oathtool --totp": (OATHTOOL, empty),
            "softtoken status --json, no keystore": ([str(program), "status", "--json"], empty),
            "softtoken status --json, a keystore": ([str(program), "status", "--json"], kept),
        }
        for peer in PEERS:
            path = shutil.which(peer)
            if path:
                commands[f"{peer} --version"] = ([path, "--version"], empty)
            else:
                print(f"  {peer:<44} not installed: skipped")
        runs = in_turn(commands, rounds)
    shutil.rmtree(kept)
    times = {name: [run.processor * 1000 for run in found] for name, found in runs.items()}
    for name, values in times.items():
        row(name, values, "ms", times["oathtool --totp"])


def main():
    folder = pathlib.Path(sys.argv[1])
    machine()
    sizes([folder / "softtoken", folder / "softtoken-issuer"])
    start(folder / "softtoken")
    rest.measure(str(folder / "softtoken"))
    store.measure(str(folder / "softtoken-issuer"))


if __name__ == "__main__":
    main()
