#!/usr/bin/python3
"""What the program does with a chip, and what it answers where the chip or the system says no: every row
of the table in Keystore/FORMAT.md §15, and the codes of CONTRACT §2. Needs root.

    answers.py               everything
    answers.py --only NAME   the cases whose name holds NAME
"""
import argparse
import base64
import collections
import json
import signal
import subprocess
import time

from homes import LIMIT, ChipHome, bench, reader
from bench import HOTP_SEED, NEW_PIN, PIN, TOTP_SEED, WRONG_PIN, Homes, Score, in_parallel, otpauth
from chip import (BAD_AUTH, CLOSED, CREATE_PRIMARY, DEFINE, FLUSH, POLICY_NV, READ, READ_PUBLIC,
                  START_SESSION, WRITE, Chip, number, refusal)
from relay import Relay, alters, answers, breaks, delays, flipped, is_command, nth

SHOW = ("show", "Clinic", "--once")
UNSIGNED = otpauth("totp", TOTP_SEED)
READS_GATE, READS_SHARE = is_command(READ, 0), is_command(READ, 1)
ORDINARY = 54321
AS_ORDINARY = ("setpriv", f"--reuid={ORDINARY}", f"--regid={ORDINARY}", "--clear-groups", "--")


def activation(*options):
    return ("activate", UNSIGNED, "--name", "Clinic", "--not-prescribing-device", *options)


def protector(home):
    """What status says, at a chip that nobody asks anything."""
    status = home.status()
    return status["protector"], status["protection"]


# Activation.

def into_the_chip(*options):
    home, problems = ChipHome(), []
    result = home.run(*activation(*options), lines=[PIN])
    if result.code != 0:
        return [str(result)]
    if home.relay.flushed:
        problems.append(f"left to the resource manager: {home.relay.flushed}")
    name, sentence = protector(home)
    if name != "tpm2" or "10 tries" not in sentence:
        problems.append(f"status says {name}: {sentence}")
    if sorted(home.chip.indices()) != [home.handle, home.handle + 1] or home.tries() != 10:
        problems.append(f"indices {home.chip.indices()}, {home.tries()} tries")
    if not home.open(PIN):
        problems.append("the second reader does not open it")
    listed = json.loads(home.must("list", "--json", lines=[PIN]).out)["tokens"]
    if [token["seed"] for token in listed] != ["encrypted"]:
        problems.append(f"list says {listed}")
    return [*problems, *home.left_in_chip()]


def falls_back(words, prepare=lambda home: None, meddling=lambda: None, is_absent=False):
    """Activation takes a file and status says why; insisted on, it changes nothing."""
    home, problems = ChipHome(), []
    prepare(home)
    before = home.chip.indices()

    def run(*words, **options):
        if is_absent:
            return home.run_without_chip(*words, **options)
        return home.run(*words, meddle=meddling(), **options)

    insisted = run(*activation("--protector", "tpm2"), lines=[PIN])
    if insisted.code != 69 or len(insisted.errors) != 1 or home.exists():
        problems.append(f"insisted on: {insisted}")
    result = run(*activation(), lines=[PIN])
    if result.code != 0:
        problems.append(str(result))
    name, sentence = protector(home)
    if name != "device-file" or words not in sentence:
        problems.append(f"status says {name}: {sentence}")
    if home.chip.indices() != before:
        problems.append(f"indices {home.chip.indices()}")
    return [*problems, *(f"left: {left}" for left in home.chip.left().items())]


def without_permission():
    """An ordinary user whom the device's node keeps out: the group that may is named."""
    home = ChipHome()
    problems = []
    subprocess.run(["chown", "-R", f"{ORDINARY}:{ORDINARY}", str(home.home)], check=True)
    home.home.parent.chmod(0o755)
    device = {"around": AS_ORDINARY, "owner": (0, 12), "mode": 0o660}  # group 12 is man, everywhere
    insisted = home.run(*activation("--protector", "tpm2"), lines=[PIN], **device)
    if insisted.code != 69 or "group that may (man)" not in insisted.err:
        problems.append(f"insisted on: {insisted}")
    result = home.run(*activation(), lines=[PIN], **device)
    status = json.loads(home.run("status", "--json", **device).out)
    if result.code != 0 or status["protector"] != "device-file" or "(man)" not in status["protection"]:
        problems.append(f"{result}, status {status['protector']}: {status['protection']}")
    return problems


def own_owner_authorization(home):
    assert home.chip.tool("tpm2_changeauth", "-c", "owner", "secret") == 0


def lets_a_bound_session_through(content, pass_on):
    """A chip that would let the gate's authorization be tried uncounted."""
    answer = pass_on(content)
    is_bound = is_command(START_SESSION)(content) and content[14:18] != bytes.fromhex("40000007")
    return pass_on(content[:17] + bytes([content[17] | 1]) + content[18:]) if is_bound else answer


def goes_on_trying(content, pass_on):
    """A chip that never closes."""
    answer = pass_on(content)
    return refusal(BAD_AUTH) if number(answer, 6) == CLOSED else answer


def fill_up(home):
    """Indices of another's, until no other is taken."""
    place, size = 0x1500000, 1024
    while size:
        if home.chip.tool("tpm2_nvdefine", "-C", "o", "-s", str(size), "-a", "ownerread|ownerwrite",
                          hex(place)):
            size //= 2
        place += 1


# Use.

def shows(homes):
    """OTPs are oathtool's; nothing is left in the chip, and its count is back at the limit."""
    home, problems = homes.two.copy(), []
    home.run("list", lines=[WRONG_PIN])
    if home.tries() != LIMIT - 1:
        problems.append(f"{home.tries()} tries after one wrong PIN")
    result = home.must("show", "Counter", "--json", lines=[PIN])
    told = json.loads(result.out)
    if told["otp"] != oathtool("--hotp", f"--counter={told['counter']}", seed=HOTP_SEED):
        problems.append(str(told))
    if home.relay.flushed or home.tries() != LIMIT:
        problems.append(f"flushed {home.relay.flushed}, {home.tries()} tries")
    told = json.loads(home.must(*SHOW[:2], "--json", lines=[PIN]).out)
    if told["otp"] != oathtool("--totp", f"--now=@{told['validFrom']}", seed=TOTP_SEED):
        problems.append(str(told))
    return [*problems, *home.left_in_chip()]


def oathtool(*options, seed):
    text = base64.b32encode(seed).decode()
    return subprocess.run(["oathtool", *options, "--base32", text], check=True, capture_output=True,
                          text=True).stdout.strip()


def erases(homes):
    home = homes.two.copy()
    codes = [home.run(*SHOW, lines=[WRONG_PIN]).code for _ in range(LIMIT)]
    problems = [] if codes == [77] * (LIMIT - 1) + [83] else [f"wrong PINs: {codes}"]
    if home.chip.indices() or home.status()["keystore"] != "erased":
        problems.append(f"indices {home.chip.indices()}, {home.status()['keystore']}")
    after = home.run(*SHOW, lines=[PIN])
    return problems if after.code == 83 else [*problems, f"afterwards: {after}"]


def resets(homes):
    home = homes.two.copy()
    home.must("reset", "--yes")
    return [f"index {index:x}" for index in home.chip.indices()] + (
        ["files are left"] if home.exists() or home.named_pairs() else [])


def resets_without_chip(homes, why, **device):
    """What can't be taken out is told, logged, and taken out by the next activation."""
    home = homes.two.copy()
    result = home.run("reset", "--yes", **device) if device else home.run_without_chip("reset", "--yes")
    problems = [] if result.code == 0 and why in result.err else [str(result)]
    problems += told_as_left(home, result.err, "reset")
    return problems + taken_out_by_activation(home)


def erases_without_chip(homes):
    """The same of an erasure that was cut before it asked the chip."""
    home = homes.two.copy()
    home.write_attempts(count=LIMIT)
    result = home.run_without_chip(*SHOW, lines=[PIN])
    problems = [] if result.code == 83 and len(result.errors) == 1 else [str(result)]
    problems += told_as_left(home, result.err, "erase")
    problems += told_as_left(home, home.run_without_chip(*SHOW, lines=[PIN]).err, "erase")
    entries = [entry["event"] for entry in reader.log_entries(home)]
    if entries.count("erase") != 1:
        problems.append(f"log: {entries}")
    return problems + taken_out_by_activation(home)


def told_as_left(home, words, event):
    """Both handles, in the words and in the log's entry of the end."""
    *_, detail = (entry["detail"] for entry in reader.log_entries(home) if entry["event"] == event)
    return [f"{index:#x} is not told: {text!r}" for index in home.chip.indices()
            for text in (words, detail) if f"{index:#x}" not in text]


def taken_out_by_activation(home):
    left = set(home.chip.indices())
    problems = [] if len(left) == 2 and not home.exists() else [f"indices {left}"]
    problems += home.left_in_chip()
    result = home.run(*activation(), lines=[PIN])
    if result.code != 0 or set(home.chip.indices()) & left or len(home.chip.indices()) != 2:
        problems.append(f"{result}, indices {home.chip.indices()} after {left}")
    return problems + home.left_in_chip()


def lower_limit(homes):
    """A link's policy holds for the gate from the next arming on."""
    home = ChipHome()
    home.must(*activation(), lines=[PIN])
    request = json.loads(home.must("request", "--json").out)["request"]
    link = homes.issuer.link(request, HOTP_SEED, type="hotp", counter=0, policy={"attempts": 4})
    home.must("activate", link, "--name", "Strict", *homes.trusting, "--not-prescribing-device",
              lines=[PIN])
    home.must("list", lines=[PIN])
    return [] if home.tries() == 4 else [f"{home.tries()} tries"]


def pins(homes):
    """Chip to chip, out of it, and into it again; each time the old share is gone."""
    home, problems = homes.two.copy(), []
    old, steps = PIN, ((NEW_PIN, (), True), (PIN, ("--protector", "device-file"), False),
                       (NEW_PIN, ("--protector", "tpm2"), True), (PIN, ("--protector", "tpm2"), True))
    for new, options, is_chip in steps:
        before = set(home.chip.indices())
        result = home.run("pin", *options, lines=[old, new])
        now = set(home.chip.indices())
        if result.code != 0 or home.open(old) or not home.open(new):
            problems.append(f"{options}: {result}")
        wanted = {home.handle, home.handle + 1} if is_chip else set()
        if now != wanted or now & before or home.left_in_chip():
            problems.append(f"{options}: indices {now} after {before}")
        if is_chip and home.tries() != LIMIT or is_chip != (protector(home)[0] == "tpm2"):
            problems.append(f"{options}: {home.tries()} tries, {protector(home)}")
        old = new
    if (home.state / "device-share").stat().st_size != 159:
        problems.append("device-share names more than one pair")
    return problems


def pin_refused(homes, name, words=(), **device):
    """A change of the PIN that the chip doesn't take changes nothing."""
    home = homes.two.copy()
    home.must("list", lines=[PIN])
    before = set(home.chip.indices()), (home.data / "keystore").read_bytes()[:96]
    result = home.run("pin", *words, lines=[PIN, NEW_PIN], **device)
    problems = [] if result.code == 69 and len(result.errors) == 1 else [f"{name}: {result}"]
    after = set(home.chip.indices()), (home.data / "keystore").read_bytes()[:96]
    if before != after or not home.open(PIN) or home.open(NEW_PIN):
        problems.append(f"{name}: something changed")
    return problems + home.left_in_chip()


# The table.

def row(homes, code, words="", pin=PIN, tries=LIMIT, left=LIMIT, after=0, prepare=lambda home: None,
        tampers=False, **device):
    """One show: its code, what is left of both counts, and what the right PIN gets afterwards."""
    home, problems = homes.two.copy(), []
    prepare(home)
    began = time.monotonic()
    result = home.run(*SHOW, lines=[pin] if pin else [], **device)
    if result.code != code or code and len(result.errors) != 1 or words not in result.err:
        problems.append(f"{result} after {time.monotonic() - began:.1f} s")
    if code and result.out:
        problems.append(f"something was shown: {result}")
    if left is not None and home.status()["attemptsLeft"] != left:
        problems.append(f"{home.status()['attemptsLeft']} attempts left")
    if tries is not None and home.tries() != tries:
        problems.append(f"the chip has {home.tries()} tries")
    events = {entry["event"] for entry in reader.log_entries(home)}
    if ("tamper" in events) != tampers:
        problems.append(f"log: {events}")
    again = home.run(*SHOW, lines=[PIN])
    if again.code != after or after == 0 and home.tries() != LIMIT:
        problems.append(f"the right PIN afterwards: {again}")
    return problems + home.left_in_chip()


def another_chip(home):
    home.chip.drop()
    home.chip = Chip()


def cleared(home):
    assert home.chip.tool("tpm2_clear") == 0


def undefined(home, index):
    assert home.chip.tool("tpm2_nvundefine", "-C", "o", hex(home.handle + index)) == 0


def table(homes):
    r = lambda *words, **device: lambda: row(homes, *words, **device)  # noqa: E731
    rows = {
        "breaks at the first command": r(69, meddle=breaks(lambda _: True)),
        "breaks before the gate is read": r(69, meddle=breaks(READS_GATE)),
        "breaks after the gate was read": r(69, tries="open", meddle=breaks(READS_GATE, is_after=True)),
        "breaks after the gate was read, a wrong PIN": r(
            69, pin=WRONG_PIN, tries=LIMIT - 1, meddle=breaks(READS_GATE, is_after=True)),
        "breaks before the arming": r(69, tries="open", meddle=breaks(is_command(WRITE))),
        "breaks after the arming": r(69, meddle=breaks(is_command(WRITE), is_after=True)),
        "the owner's authorization was set": r(
            69, meddle=answers(0x9A2, is_command(CREATE_PRIMARY))),
        "another chip, before the PIN": r(
            82, pin=None, tries=None, after=82, tampers=True, prepare=another_chip),
        "cleared, before the PIN": r(82, pin=None, tries=None, after=82, tampers=True, prepare=cleared),
        "no gate, before the PIN": r(
            82, pin=None, tries=None, after=82, tampers=True, prepare=lambda home: undefined(home, 0)),
        "no share, before the PIN": r(
            82, pin=None, tries=LIMIT, after=82, tampers=True, prepare=lambda home: undefined(home, 1)),
        "a wrong PIN": r(77, pin=WRONG_PIN, tries=LIMIT - 1, left=LIMIT - 1),
        "the gate is closed": r(83, tries=None, left=None, after=83, tampers=True, prepare=close_gate),
        "the share's authorization is wrong": r(
            65, tries="open", meddle=answers(0x9A2, READS_SHARE)),
        "SHARE can't be read": r(69, tries="open", meddle=answers(0x101, READS_SHARE)),
        "PolicyNV is refused": r(69, tries="open", meddle=answers(0x126, is_command(POLICY_NV))),
        "the arming is refused": r(69, tries="open", meddle=answers(0x99D, is_command(WRITE))),
        "busy for a second": r(0, meddle=busy(0x922, READS_GATE, 1)),
        "slow": r(0, meddle=delays(0.3)),
    }
    for code in (0x922, 0x920, 0x908, 0x90A):
        rows[f"busy for long: {code:x}"] = r(75, meddle=answers(code, READS_GATE))
    rows["busy at the first command"] = r(75, meddle=answers(0x922, lambda _: True))
    for name, when, tries in (
            ("the gate's", READS_GATE, "open"), ("the share's", READS_SHARE, "open"),
            ("PolicyNV's", is_command(POLICY_NV), "open"), ("the arming's", is_command(WRITE), LIMIT)):
        rows[f"a bit of {name} MAC is wrong"] = r(69, tries=tries, meddle=alters(flipped(-1), when))
    rows["a bit of the gate's content is wrong"] = r(
        69, tries="open", meddle=alters(flipped(18), READS_GATE))
    rows["a session's answer is cut"] = r(69, meddle=alters(
        lambda answer: refusal(0)[:6] + bytes(4), is_command(START_SESSION)))
    rows["a Name that isn't its area's"] = r(69, pin=None, meddle=alters(
        flipped(-1), is_command(READ_PUBLIC)))
    rows["a flush is refused"] = r(0, meddle=answers(0x18B, is_command(FLUSH)))
    return rows


def close_gate(home):
    """Ten wrong PINs that the program knows nothing of."""
    while home.chip.read(home.handle, b"\1" * 32, 8)[0] == 0x9A2:
        pass


def busy(code, when, seconds):
    """Asks again for some time."""
    began = []

    def meddle(content, pass_on):
        if when(content):
            began.append(time.monotonic())
            if time.monotonic() - began[0] < seconds:
                return refusal(code)
        return pass_on(content)
    return meddle


def absent(homes):
    home, problems = homes.two.copy(), []
    for pin in ([], [PIN]):
        result = home.run_without_chip(*SHOW, lines=pin)
        if result.code != 69 or len(result.errors) != 1:
            problems.append(str(result))
    if home.status()["attemptsLeft"] != LIMIT or home.run(*SHOW, lines=[PIN]).code != 0:
        problems.append("an attempt was spent")
    return problems


def signalled(homes, number):
    """Ended between the gate's reading and its arming: it is armed first."""
    home, process = homes.two.copy(), []

    def meddle(content, pass_on):
        if READS_SHARE(content):
            process[0].send_signal(number)
            time.sleep(0.2)
        return pass_on(content)

    with Relay(home.chip, meddle) as relay:
        process.append(home.start(*SHOW, lines=[PIN], around=relay.around()))
        result = bench.finished(process[0])
    problems = [] if home.tries() == LIMIT else [f"{home.tries()} tries after {result}"]
    return problems + home.left_in_chip()


# Many at once.

def at_once(homes):
    home = homes.two.copy()
    results = home.run_at_once(*[(("show", "Counter", "--once"), [PIN])] * 20)
    problems = [str(result) for result in results if result.code != 0]
    if len({result.out for result in results}) != 20 or home.tries() != LIMIT:
        problems.append(f"{len({result.out for result in results})} OTPs, {home.tries()} tries")
    return problems + home.left_in_chip()


def wrong_at_once(homes):
    home = homes.two.copy()
    results = home.run_at_once(*[(SHOW, [WRONG_PIN])] * 30)
    codes = collections.Counter(result.code for result in results)
    problems = [] if codes == {77: LIMIT - 1, 83: 31 - LIMIT} else [f"exit codes {dict(codes)}"]
    return [*problems, *(f"index {index:x}" for index in home.chip.indices())]


def cases(homes):
    no_room = answers(0x14B, is_command(DEFINE))
    everything = {
        "activate": into_the_chip,
        "activate --protector tpm2": lambda: into_the_chip("--protector", "tpm2"),
        "activate without a chip": lambda: falls_back("no /dev/tpmrm0", is_absent=True),
        "activate without permission": without_permission,
        "activate, the owner's authorization set": lambda: falls_back(
            "owner", own_owner_authorization),
        "activate, no room": lambda: falls_back("room", fill_up),
        "activate, no room for the second index": lambda: falls_back(
            "room", meddling=lambda: answers(0x14B, nth(1, is_command(DEFINE)))),
        "activate, a chip that goes on trying": lambda: falls_back(
            "did not count", meddling=lambda: goes_on_trying),
        "activate, a chip that lets a bound session through": lambda: falls_back(
            "did not count", meddling=lambda: lets_a_bound_session_through),
        "activate, a chip that breaks": lambda: falls_back(
            "spoken to", meddling=lambda: breaks(is_command(DEFINE))),
        "show": lambda: shows(homes), "wrong PINs": lambda: erases(homes),
        "reset": lambda: resets(homes),
        "reset without a chip": lambda: resets_without_chip(homes, "there is no /dev/tpmrm0"),
        "reset, the owner's authorization set": lambda: resets_without_chip(
            homes, "authorization", meddle=answers(0x9A2, is_command(CREATE_PRIMARY))),
        "an erasure without a chip": lambda: erases_without_chip(homes), "a policy's lower limit": lambda: lower_limit(homes),
        "pin": lambda: pins(homes),
        "pin, no room": lambda: pin_refused(homes, "no room", meddle=no_room),
        "pin, no room for the second index": lambda: pin_refused(
            homes, "no room", meddle=answers(0x14B, nth(1, is_command(DEFINE)))),
        "Ctrl-C": lambda: signalled(homes, signal.SIGINT),
        "ended": lambda: signalled(homes, signal.SIGTERM),
        "hung up": lambda: signalled(homes, signal.SIGHUP),
        "no chip": lambda: absent(homes), "20 shows at once": lambda: at_once(homes),
        "30 wrong PINs at once": lambda: wrong_at_once(homes),
        **table(homes)}
    return everything


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    score = Score()
    homes = Homes(LIMIT, ChipHome)
    in_parallel([lambda name=name, body=body: score.attempt(name, body)
                 for name, body in cases(homes).items() if options.only in name])
    score.end()


if __name__ == "__main__":
    main()
