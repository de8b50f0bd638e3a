"""Homes whose keystore is in a chip, each with a chip of its own; a copy of a home has a copy of the
chip. What a chip holds is read on another copy, so that looking spends no try.
"""
import contextlib
import os
import pathlib
import sys
import threading

if os.geteuid() != 0:
    sys.exit("the chip's tests have to run as root: they bind a device in a mount namespace")
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "Faults"), str(HERE.parent / "SecondReader")]

import bench  # noqa: E402
import counted  # noqa: E402
import reader  # noqa: E402
from chip import BAD_AUTH, CLOSED, NO_INDEX, Chip, number  # noqa: E402
from relay import Relay, in_namespace  # noqa: E402

LIMIT = 3  # of the homes that bench.Homes prepares
OPEN = "open"  # a gate that counts from 0 to L


class ChipHome(bench.Home):
    """A home folder, and the computer's chip."""

    def __init__(self, source=None, chip=None):
        super().__init__(source)
        self.chip = chip or (source.chip.copy() if source else Chip())
        self.relay = None

    def copy(self):
        return ChipHome(self)

    def drop(self):
        super().drop()
        self.chip.drop()

    def run(self, *arguments, lines=(), around=(), timeout=150, **device):
        """`device`: as for Relay. What was asked of the chip stands in `relay`, until the next run."""
        with Relay(self.chip, **device) as self.relay:
            return super().run(*arguments, lines=lines, timeout=timeout,
                               around=[*self.relay.around(), *around])

    def run_without_chip(self, *arguments, lines=(), node="none"):
        """No device at all, or another node in its place."""
        return super().run(*arguments, lines=lines, around=in_namespace(self.chip, node))

    def run_at_once(self, *runs):
        """Several commands at once, (arguments, lines) each, with a device each."""
        results = [None] * len(runs)

        def job(place, arguments, lines):
            with Relay(self.chip) as relay:
                results[place] = bench.Home.run(
                    self, *arguments, lines=lines, around=relay.around(), timeout=400)
        threads = [threading.Thread(target=job, args=(place, *run))
                   for place, run in enumerate(runs)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results

    # What the files say.

    @property
    def handle(self):
        """Of the pair that the keystore's header asks for; None with protector 1."""
        header = (self.data / "keystore").read_bytes()[:96]
        return number(header, 92) if header[8] == 2 else None

    def named_pairs(self):
        """The pairs that `device-share` names; none where there is no such file, or one overwritten."""
        try:
            return counted.ShareFile((self.state / "device-share").read_bytes()).pairs
        except (FileNotFoundError, ValueError):
            return []

    def pair(self):
        return next(pair for pair in self.named_pairs() if pair.handle == self.handle)

    # What the chip says.

    @contextlib.contextmanager
    def looked_at(self):
        """A copy of the chip."""
        other = self.chip.copy()
        try:
            yield other
        finally:
            other.drop()

    def share(self, header, device_root, derived):
        if header[8] == 1:
            return super().share(header, device_root, derived)
        with self.looked_at() as chip:
            opened = open_pair(chip, self.handle, derived)
        return opened and opened[1]

    def pin_key(self, pin):
        header = (self.data / "keystore").read_bytes()[:96]
        return reader.pin_key(pin, header[24:40], number(header, 12), number(header, 16, 8))

    def chip_secrets(self, pin):
        """(L, S, gate key, share key)."""
        key = self.pin_key(pin)
        with self.looked_at() as chip:
            limit, share = open_pair(chip, self.handle, key)
        return limit, share, counted.gate_key(key), counted.share_key(key, limit)

    def tries(self):
        """How many wrong PINs the gate takes from now on before it closes; `OPEN` for very many, None
        where there is no gate."""
        with self.looked_at() as chip:
            for count in range(12):
                code, _ = chip.read(self.handle, b"\1" * 32, 8)
                if code in (CLOSED, NO_INDEX):
                    return count if code == CLOSED else None
                assert code == BAD_AUTH, f"{code:x}"
        return OPEN

    def left_in_chip(self):
        """Handles that no file names, sessions and objects."""
        named = {handle for pair in self.named_pairs() for handle in (pair.handle, pair.handle + 1)}
        found = {f"index {index:x}" for index in self.chip.indices() if index not in named}
        return [*sorted(found), *self.chip.left().items()]

    def chip_problems(self, scenario, result, is_settled):
        """After a run: nothing that no file names, no try gained. Once a right PIN has opened it: the
        pair that the keystore asks for, armed, and nothing else."""
        problems = [f"left in the chip: {left}" for left in self.left_in_chip()]
        if not self.exists() or self.handle is None:
            return problems
        tries = self.tries()
        if tries is None and (scenario.erases or scenario.resets):
            return problems
        if is_settled:
            wanted = sorted([self.handle, self.handle + 1])
            if sorted(self.chip.indices()) != wanted:
                problems.append(f"indices {self.chip.indices()}, not {wanted}")
            if tries != self.attempts()["limit"]:
                problems.append(f"{tries} tries after a right PIN")
        elif not scenario.creates and not scenario.is_right:
            if tries in (OPEN, None) or tries > scenario.home.tries():
                problems.append(f"{tries} tries after {scenario.home.tries()}")
        return problems


def open_pair(chip, handle, pin_key):
    """(L, S) as a right PIN's key reads them, or None: Keystore/FORMAT.md §15. It spends a try."""
    code, content = chip.read(handle, counted.gate_key(pin_key), 8)
    if code:
        return None
    limit = content[4:]
    code, share = chip.read(handle + 1, counted.share_key(pin_key, limit), 32)
    if code:
        raise reader.Damaged(f"SHARE {code:x}")
    return limit, share
