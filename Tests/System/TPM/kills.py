#!/usr/bin/python3
"""Kills and fails the program at each system call that changes a file, and at each command to the chip.

    kills.py --bounded N     N cases, evenly spread over all (for CI)
    kills.py --whole         every case
    kills.py --part K/N      every Nth case from the Kth on: the whole in N runs
    kills.py --only NAME     the scenarios whose name holds NAME

The scenarios and the judge are those of Faults/sweep.py, on homes whose keystore is in a chip. Besides,
nothing may be left in the chip that no file names, no try gained, and after the next right PIN the
keystore's own pair is there, armed, and no other. A command is killed before the chip hears of it; EIO
is what writing it, or reading its answer, gives. Each look at the chip is a power cut, too. Needs root.
"""
from homes import ChipHome
from bench import NEW_PIN, PIN
import sweep


SCENARIOS = ("activate-first", "activate-unsigned", "show-totp", "show-hotp-after-wrong", "pin",
             "wrong-pin", "erasing-pin", "reset", "pin-into-the-chip", "pin-out-of-the-chip")


def moves(homes):
    """A keystore that goes into the chip, and one that comes out of it."""
    def moved(name, protector):
        home = homes.two.copy()
        if protector == "tpm2":
            home.must("pin", "--protector", "device-file", lines=[PIN, PIN])
        return sweep.Scenario(name, home, ["pin", "--protector", protector], [PIN, NEW_PIN],
                              new_pin=NEW_PIN)

    return {"pin-into-the-chip": lambda name: moved(name, "tpm2"),
            "pin-out-of-the-chip": lambda name: moved(name, "device-file")}


if __name__ == "__main__":
    sweep.main(ChipHome, moves, SCENARIOS)
