#!/usr/bin/python3
"""A thief of the computer: the disk, the chip and all of its authorities (they are empty) are his, and any
tool. He has the limit's number of tries and no more, and nobody loses by it what he can't see. Needs root.

    thief.py             everything
    thief.py --bounded   fewer power cuts and processes
"""
import argparse
import collections
import os
import shutil
import struct
import threading

from homes import ChipHome, counted, reader
from bench import PIN, TOTP_SEED, WRONG_PIN, Score, in_parallel, otpauth
import primitives
from chip import BAD_AUTH, CLOSED, NO_INDEX
from relay import breaks

LIMIT = 10
SHOW = ("show", "Clinic", "--once")
MANY = struct.pack(">II", 0, 0xFFFFFFFF)


def activated():
    home = ChipHome()
    home.must("activate", otpauth("totp", TOTP_SEED), "--name", "Clinic", "--not-prescribing-device",
              "--protector", "tpm2", lines=[PIN])
    return home


def put_back(home, old):
    """The files of before; the chip stays as it is."""
    shutil.rmtree(home.home / ".local")
    shutil.copytree(old.home / ".local", home.home / ".local", symlinks=True)


def old_home_put_back(first, has_power_cuts):
    """Everything put back after each wrong PIN, log and head too: ten tries, and then not even the right
    PIN. It is told, in the log, and the keystore is erased."""
    home, problems = first.copy(), []
    codes = []
    for count in range(LIMIT):
        if home.tries() != LIMIT - count:
            problems.append(f"{home.tries()} tries after {count}")
        codes.append(home.run(*SHOW, lines=[WRONG_PIN]).code)
        put_back(home, first)
        if has_power_cuts:
            home.chip.off()
            home.chip.on()
    if codes != [77] * LIMIT:
        problems.append(f"wrong PINs: {codes}")
    if home.status()["attemptsLeft"] != LIMIT:
        problems.append("the files know of a wrong PIN: nothing was put back")
    right = home.run(*SHOW, lines=[PIN])
    if right.code != 83 or right.out or home.chip.indices():
        problems.append(f"the right PIN after ten wrong ones: {right}, indices {home.chip.indices()}")
    if "tamper" not in {entry["event"] for entry in reader.log_entries(home)}:
        problems.append("nothing is told of it")
    put_back(home, first)
    again = home.run(*SHOW, lines=[PIN])
    return problems if again.code == 82 and not again.out else [*problems, f"put back again: {again}"]


def right_pin_in_between(first):
    """The owner's right PIN gives all tries back, whatever was put back before."""
    home = first.copy()
    for _ in range(LIMIT - 1):
        home.run(*SHOW, lines=[WRONG_PIN])
        put_back(home, first)
    result = home.run(*SHOW, lines=[PIN])
    return [] if result.code == 0 and home.tries() == LIMIT else [f"{result}, {home.tries()} tries"]


def without_the_program(first):
    """The thief speaks to the chip himself, cuts the power, and tries the PIN that he should not have."""
    home, problems = first.copy(), []
    right = counted.gate_key(home.pin_key(PIN))
    codes = collections.Counter()
    for count in range(2 * LIMIT):
        codes[home.chip.read(home.handle, os.urandom(31) + b"\1", 8)[0]] += 1
        if count % 4 == 3:
            home.chip.off()
            home.chip.on()
    if codes != {BAD_AUTH: LIMIT, CLOSED: LIMIT}:
        problems.append(f"answers {codes}")
    if home.chip.read(home.handle, right, 8)[0] != CLOSED:
        problems.append("the right PIN's key reads a closed gate")
    if home.chip.read(home.handle + 1, right, 32)[0] != BAD_AUTH:
        problems.append("the gate's key reads the share")
    return problems


def killed_while_guessing(first):
    """The device breaks at each place of a wrong PIN: no place makes a try free."""
    home, tries = first.copy(), LIMIT
    problems = []
    for place, is_after in ((0, False), (3, False), (5, True), (6, False), (6, True), (7, False)):
        seen = []

        def when(_):
            seen.append(_)
            return len(seen) == place + 1
        home.run(*SHOW, lines=[WRONG_PIN], meddle=breaks(when, is_after))
        now = home.tries()
        if now > tries:
            problems.append(f"{now} tries after {tries}, broken at {place}")
        tries = now
        put_back(home, first)
    return problems


def many_homes_at_once(first, count):
    """Each with its own lock and its own count, all with one chip."""
    home = first.copy()
    copies = [ChipHome(first, home.chip) for _ in range(count)]
    results = []
    threads = [threading.Thread(target=lambda copy=copy: results.append(
        copy.run(*SHOW, lines=[WRONG_PIN]).code)) for copy in copies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    codes = collections.Counter(results)
    problems = [] if codes[77] <= LIMIT and set(codes) <= {69, 77, 82, 83} else [f"codes {codes}"]
    # Whoever finds the gate closed erases: the others then find no gate, some after they looked.
    left = {home.chip.read(home.handle, b"\1" * 32, 8)[0]}
    return problems if left <= {CLOSED, NO_INDEX} else [*problems, f"the gate says {left}"]


# tpm2-tools, as the owner.

class Owner:
    """What whoever holds the owner's empty authority does to a pair."""

    def __init__(self, home):
        self.home, self.chip = home, home.chip
        self.pair = home.pair()
        self.gate, self.share = hex(self.pair.handle), hex(self.pair.handle + 1)
        self.own = "hex:" + "11" * 32
        (self.chip.folder / "many").write_bytes(MANY)
        (self.chip.folder / "zeros").write_bytes(bytes(32))
        (self.chip.folder / "policy").write_bytes(self.pair.policy)

    def undefine(self, index):
        assert self.chip.tool("tpm2_nvundefine", "-C", "o", index) == 0

    def define_share(self):
        assert self.chip.tool("tpm2_nvdefine", "-C", "o", "-s", "32", "-a",
                              "authread|authwrite|no_da", "-p", self.own, self.share) == 0
        assert self.chip.tool("tpm2_nvwrite", self.share, "-C", self.share, "-P", self.own,
                              "-i", "zeros") == 0

    def define_gate(self):
        assert self.chip.tool(
            "tpm2_nvdefine", "-C", "o", "-s", "8", "-a", "nt=pinfail|policywrite|authread|no_da",
            "-L", "policy", "-p", self.own, self.gate) == 0

    def write_gate(self, authorization):
        return self.chip.tool("tpm2_nvwrite", self.gate, "-C", self.gate, "-P", authorization,
                              "-i", "many")


def refused_to_the_owner(first):
    home = first.copy()
    owner = Owner(home)
    key = "hex:" + counted.gate_key(home.pin_key(PIN)).hex()
    tool = owner.chip.tool
    asked = {
        "reads the gate": (tool("tpm2_nvread", owner.gate, "-C", "o", "-s", "8"), 0x149),
        "writes the gate": (
            tool("tpm2_nvwrite", owner.gate, "-C", "o", "-i", "many"), 0x149),
        "reads the share": (tool("tpm2_nvread", owner.share, "-C", "o", "-s", "32"), 0x149),
        "writes the share": (
            tool("tpm2_nvwrite", owner.share, "-C", "o", "-i", "zeros"), 0x149),
        "writes the gate with the PIN's key": (owner.write_gate(key), CLOSED)}
    problems = [f"the owner {what}: {code:x}" for what, (code, wanted) in asked.items()
                if code != wanted]
    return problems if home.run(*SHOW, lines=[PIN]).code == 0 else [*problems, "it does not open"]


def twin_of_the_share(first):
    """It holds other bytes, and so writes no gate: ten tries, and a right PIN is told as damage."""
    home, problems = first.copy(), []
    owner = Owner(home)
    owner.undefine(owner.share)
    owner.define_share()
    tool = owner.chip.tool
    assert tool("tpm2_startauthsession", "--policy-session", "-S", "s") == 0
    tool("tpm2_policynv", "-S", "s", "-C", owner.share, "-P", owner.own, "-i", "zeros", owner.share,
         "eq")
    if owner.write_gate("session:s") == 0:
        problems.append("the twin's bytes write the gate")
    tool("tpm2_flushcontext", "s")
    if home.tries() != LIMIT:
        problems.append(f"{home.tries()} tries")
    wrong = home.run(*SHOW, lines=[WRONG_PIN])
    if wrong.code != 77 or home.tries() != LIMIT - 1:
        problems.append(f"a wrong PIN: {wrong}, {home.tries()} tries")
    right = home.run(*SHOW, lines=[PIN])
    return problems if right.code == 65 and not right.out else [*problems, f"the right PIN: {right}"]


def twin_of_the_gate(first):
    """Never written, it has another Name, and only the share's bytes write it: told before the PIN."""
    home, problems = first.copy(), []
    owner = Owner(home)
    owner.undefine(owner.gate)
    owner.define_gate()
    if owner.write_gate(owner.own) == 0:
        problems.append("the twin is written")
    result = home.run(*SHOW)
    return problems if result.code == 82 else [*problems, str(result)]


def both_twins(first):
    """A pair that the thief can write, with a policy of his own: another Name."""
    home = first.copy()
    owner = Owner(home)
    owner.undefine(owner.gate)
    owner.undefine(owner.share)
    owner.define_share()
    owner.pair = counted.pair_of(owner.pair.handle, bytes(32))
    (owner.chip.folder / "policy").write_bytes(owner.pair.policy)
    owner.define_gate()
    tool = owner.chip.tool
    tool("tpm2_startauthsession", "--policy-session", "-S", "s")
    tool("tpm2_policynv", "-S", "s", "-C", owner.share, "-P", owner.own, "-i", "zeros", owner.share,
         "eq")
    written = owner.write_gate("session:s")
    tool("tpm2_flushcontext", "s")
    result = home.run(*SHOW)
    return [] if written == 0 and result.code == 82 else [f"written {written:x}, {result}"]


# Files of another home, and files that the thief writes with the keys that he has.

def another_home_s_share(first):
    other = ChipHome(chip=first.copy().chip)
    other.must("activate", otpauth("totp", TOTP_SEED), "--name", "Clinic", "--not-prescribing-device",
               lines=[PIN])
    problems = [] if len(other.chip.indices()) == 4 else ["two homes, not two pairs"]
    home = ChipHome(first, other.chip)
    shutil.copy(other.state / "device-share", home.state / "device-share")
    result = home.run(*SHOW, lines=[PIN])
    if result.code != 65:
        problems.append(f"another home's device-share: {result}")
    shutil.copy(other.state / "device-key", home.state / "device-key")
    result = home.run(*SHOW, lines=[PIN])
    if result.code != 82:
        problems.append(f"... and its device-key: {result}")
    return problems


def swapped_pairs(first):
    """Two homes of one chip, of one PIN; each names the other's pair, with right MACs. The PIN's key is
    another, so that it is a wrong one there, and counted."""
    other = ChipHome(chip=first.copy().chip)
    other.must("activate", otpauth("totp", TOTP_SEED), "--name", "Clinic", "--not-prescribing-device",
               lines=[PIN])
    home = ChipHome(first, other.chip)
    theirs = other.pair()
    forge(home, theirs)
    result = home.run(*SHOW, lines=[PIN])
    problems = [] if result.code == 77 and not result.out else [str(result)]
    if other.tries() != LIMIT - 1:
        problems.append(f"{other.tries()} tries at the other's gate")
    if other.run(*SHOW, lines=[PIN]).code != 0:
        problems.append("the other home does not open")
    return problems


def forge(home, pair):
    """Header and device-share name another pair; every MAC is right."""
    keystore, share = home.data / "keystore", home.state / "device-share"
    content = keystore.read_bytes()
    device = primitives.Device(home.key("device-key", b"ST-DKEY1"),
                               reader.machine_binding(reader.bits_of(content)))
    body = content[:92] + struct.pack(">I", pair.handle) + content[96:-64]
    body += primitives.H(32, body)
    keystore.write_bytes(body + primitives.H(32, body, key=device.keystore))
    body = share.read_bytes()[:91] + struct.pack(">I", pair.handle) + pair.policy
    share.write_bytes(body + primitives.H(32, body, key=device.share))


def policy_of_the_thief_s_own(first):
    """device-share names a policy that the thief could fulfil: the chip's gate has another Name."""
    home = first.copy()
    forge(home, counted.pair_of(home.handle, bytes(32)))
    result = home.run(*SHOW)
    return [] if result.code == 82 else [str(result)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bounded", action="store_true")
    options = parser.parse_args()
    score, first = Score(), activated()
    cases = {
        "the old home put back after each wrong PIN": lambda: old_home_put_back(first, False),
        "the right PIN after nine": lambda: right_pin_in_between(first),
        "without the program": lambda: without_the_program(first),
        "broken off while guessing": lambda: killed_while_guessing(first),
        "many homes at once": lambda: many_homes_at_once(first, 12 if options.bounded else 30),
        "the owner": lambda: refused_to_the_owner(first),
        "a twin of the share": lambda: twin_of_the_share(first),
        "a twin of the gate": lambda: twin_of_the_gate(first),
        "a pair of the thief's own": lambda: both_twins(first),
        "another home's share": lambda: another_home_s_share(first),
        "swapped pairs": lambda: swapped_pairs(first),
        "a policy of the thief's own": lambda: policy_of_the_thief_s_own(first)}
    if not options.bounded:
        cases["... and the power cut each time"] = lambda: old_home_put_back(first, True)
    in_parallel([lambda name=name, body=body: score.attempt(name, body)
                 for name, body in cases.items()])
    score.end()


if __name__ == "__main__":
    main()
