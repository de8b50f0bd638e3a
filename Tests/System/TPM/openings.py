#!/usr/bin/python3
"""Openings in a row: each shows its OTP, and nothing is left in the chip. Then what a chip costs, in
milliseconds: the median of some runs of the program with swtpm behind the relay, less those of the
same command on a keystore in a file. Needs root.

    openings.py --count N    N openings (1,000)
"""
import argparse
import statistics
import time

from homes import ChipHome
from bench import HOTP_SEED, PIN, TOTP_SEED, WRONG_PIN, Score, activate, otpauth
from reader import otp


def prepared(*options):
    home = ChipHome()
    link = home.home / "link"
    link.write_text(otpauth("hotp", HOTP_SEED))
    home.must(*activate("Counter", home, options), lines=[PIN])
    return home


def in_a_row(score, home, count):
    problems = []
    for counter in range(count):
        result = home.run("show", "Counter", "--once", lines=[PIN])
        if result.out.strip() != otp(HOTP_SEED, counter) or home.relay.flushed or home.chip.left():
            problems.append(f"{counter}: {result}, {home.relay.flushed}, {home.chip.left()}")
            break
        if counter % 100 == 99:
            print(f"  {counter + 1} openings", flush=True)
    commands = len(home.relay.commands)
    if home.tries() != 10 or sorted(home.chip.indices()) != [home.handle, home.handle + 1]:
        problems.append(f"{home.tries()} tries, indices {home.chip.indices()}")
    score.check(f"{count} openings in a row", problems)
    return commands


def milliseconds(body, count):
    found = []
    for _ in range(count):
        began = time.monotonic()
        body()
        found.append((time.monotonic() - began) * 1000)
    return statistics.median(found)


def measure(in_chip, in_file, count):
    tried = []

    def show(home):
        home.must("show", "Counter", "--once", lines=[PIN])

    def wrong(home):
        assert home.run("list", lines=[WRONG_PIN]).code == 77
        tried.append(home)
        # Before a delay begins; the median is that of the others.
        if tried.count(home) % 3 == 0:
            show(home)

    def made(protector):
        home = ChipHome()
        home.must("activate", otpauth("totp", TOTP_SEED), "--name", "Clinic", "--protector", protector,
                  "--not-prescribing-device", lines=[PIN])
        home.drop()

    for name, body, arguments in (
            ("show", show, (in_chip, in_file)), ("a wrong PIN", wrong, (in_chip, in_file)),
            ("activate, with its probe", made, ("tpm2", "device-file")),
            ("status", lambda home: home.status(), (in_chip, in_file))):
        chip, file = (milliseconds(lambda argument=argument: body(argument), count)
                      for argument in arguments)
        print(f"  {name}: {chip:.0f} ms with the chip, {file:.0f} ms without, {chip - file:+.0f} ms")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=1000)
    options = parser.parse_args()
    score = Score()
    in_chip, in_file = prepared("--protector", "tpm2"), prepared("--protector", "device-file")
    commands = in_a_row(score, in_chip, options.count)
    print(f"  {commands} commands an opening")
    measure(in_chip, in_file, 11 if options.count > 100 else 3)
    score.end()


if __name__ == "__main__":
    main()
