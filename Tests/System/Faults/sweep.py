#!/usr/bin/python3
"""Kills and fails the release program at each system call that changes a file.

    sweep.py --bounded N     N cases, evenly spread over all (for CI)
    sweep.py --whole         every case (an hour or more)
    sweep.py --part K/N      every Nth case from the Kth on: the whole in N runs
    sweep.py --only NAME     the scenarios whose name holds NAME

A scenario is a command on a prepared home. Its calls are recorded once with strace. Then, for each
call in turn, the home is copied, the command runs with the fault at that call, and what is left is
judged: by the reader (reader.py), which opens the keystore with the right PIN, by the next command,
which in every fourth case unlocks it too, and by `log --verify`.
Faults: `kill` (SIGKILL before the call), an error once, and `EIO+` (from this fsync on, all fail).
"""
import argparse
import collections
import json
import re

from bench import (HOTP_SEED, NEW_PIN, PIN, TOTP_SEED, WRONG_PIN, Home, Homes, Score, activate,
                   evenly, foreign_record, in_parallel, otpauth)
from reader import log_entries, otp
import fulldisk

CHIP = "/dev/tpmrm0"
TRACED = ["openat", "read", "write", "pwrite64", "fsync", "fdatasync", "rename", "renameat", "renameat2",
          "unlink", "unlinkat", "ftruncate", "fallocate", "mkdir", "mkdirat", "fchmod"]
ERRORS = {"openat": ["EIO", "ENOSPC", "EROFS"], "write": ["EIO", "ENOSPC"],
          "pwrite64": ["EIO", "ENOSPC"], "fsync": ["EIO", "ENOSPC", "EIO+"], "fdatasync": ["EIO"],
          "renameat": ["EIO", "ENOSPC"], "rename": ["EIO", "ENOSPC"], "unlinkat": ["EIO", "EROFS"],
          "unlink": ["EIO", "EROFS"], "ftruncate": ["EIO"],
          "fallocate": ["EIO", "ENOSPC"], "mkdir": ["ENOSPC", "EROFS"],
          "mkdirat": ["ENOSPC", "EROFS"], "fchmod": ["EIO"]}
CODE = "7QX4M-2KD9W"
RENAMES = ("rename", "renameat", "renameat2")

Call = collections.namedtuple("Call", "name ordinal text index")


def strace(fault=None):
    """In front of a command. strace's filter counts as one from outside (Device/FORMAT.md §6) but in a
    container, which root makes: its device is what it is without."""
    # --seccomp-bpf loses the injected signal (strace 6.1); without it an injected error meets the
    # program's own filter as call number -1, which that filter ends the process for.
    bpf = [] if fault == "kill" else ["--seccomp-bpf"]
    return ["unshare", "--pid", "--fork", "--mount-proc", "strace", "-f", *bpf]


def traced(home, arguments, lines, around=()):
    """A run without a fault, and its calls: those that touch the home or the output."""
    trace = home.home / "trace"
    done = home.run(*arguments, lines=lines, around=[
        *around, *strace(), "-y", "-o", str(trace),
        "-e", "trace=" + ",".join(TRACED)])
    counts, calls = collections.Counter(), []
    for line in trace.read_text().splitlines():
        match = re.match(r"\d+ +(\w+)\((.*)", line)
        if not match:
            continue
        name, text = match.groups()
        counts[name] += 1
        ordinal = counts[name]
        # An answer may come in pieces: the chip's calls are counted apart (strace -P).
        is_chip = f"<{CHIP}>" in text
        if is_chip:
            counts[name, CHIP] += 1
            ordinal = counts[name, CHIP]
        is_own = str(home.home) in text and name != "read"
        if is_own or is_chip or (name == "write" and re.match(r"\d+<(pipe|/dev)", text)):
            calls.append(Call(name, ordinal, text.replace(str(home.home), "~"), len(calls)))
    trace.unlink()
    return done, calls


class Scenario:
    """A command on a home, and what it should have done."""

    def __init__(self, name, home, arguments, lines, codes=(0,), pin=PIN, new_pin=None,
                 after=None, is_try=True, erases=False, creates=False, resets=False,
                 is_signed=False):
        self.name, self.home, self.arguments, self.lines = name, home, arguments, lines
        self.codes, self.pin, self.new_pin = codes, pin, new_pin
        self.is_try, self.erases, self.creates, self.resets = is_try, erases, creates, resets
        # The same link must not make a second token.
        self.is_signed = is_signed
        self.is_right = lines and lines[0] != WRONG_PIN
        self.before = None if creates else home.open(pin)
        self.count = None if creates else home.attempts()["count"]
        self.limit = None if creates else home.attempts()["limit"]
        # What the tokens are afterwards: their names and HOTP counters.
        self.old = None if creates else names(self.before)
        self.new = after(dict(self.old or {})) if after else self.old
        self.calls = self.record()

    def record(self):
        home = self.home.copy()
        done, calls = traced(home, self.arguments, self.lines)
        if done.code not in self.codes:
            raise AssertionError(f"{self.name}: {done}")
        home.drop()
        self.tried_at = self.find_try(calls)
        return calls

    @staticmethod
    def find_try(calls):
        """The index of the last call before the try: the folder's fsync, once the head that tells of
        its record is in place."""
        steps = iter(call for call in calls if call.name in (*RENAMES, "fsync"))
        for wanted in ("/share/", '"attempts.new"'), ('"log-head.new"',), ("state/softtoken>)",):
            call = next((call for call in steps if all(part in call.text for part in wanted)), None)
            if call is None:
                return None
        return call.index

    def order_problems(self):
        """What a power cut needs besides: each rename of synced bytes, and nothing shown early."""
        problems, synced, pending = [], set(), set()
        for call in self.calls:
            if call.name == "fsync":
                path = re.match(r"\d+<([^>]*)>", call.text).group(1)
                synced.add(path)
                pending = {entry for entry in pending if entry[0] != path}
            elif call.name in RENAMES:
                match = re.match(r'\d+<([^>]*)>, "([^"]*)", \d+<[^>]*>, "([^"]*)"', call.text)
                folder, beside, name = match.groups()
                if f"{folder}/{beside}" not in synced:
                    problems.append(f"{beside} renamed before its fsync")
                if name == "keystore" or (name == "attempts" and beside.endswith(".new")):
                    pending.add((folder, name))
                synced.discard(f"{folder}/{beside}")
            elif call.name == "write" and re.match(r"1<", call.text) and pending:
                problems.append(f"output before the folder's fsync: {pending}")
        return problems


def names(opened):
    return {name: token["factor"] for name, token in opened["tokens"].items()}


def cases(scenarios):
    for scenario in scenarios:
        for call in scenario.calls:
            if f"<{CHIP}>" in call.text:
                # Killed before a command, or failing there; an answer that can't be read.
                yield from ((scenario, call, fault)
                            for fault in (["kill", "EIO"] if call.name == "write" else ["EIO"]))
                continue
            is_output = re.match(r"[12]?\d*<(pipe|/dev)", call.text) is not None
            is_reading = call.name == "openat" and "O_CREAT" not in call.text
            if not is_reading:
                yield scenario, call, "kill"
            if not is_output:
                for error in ERRORS.get(call.name, ["EIO"]):
                    if not (is_reading and error != "EIO"):
                        yield scenario, call, error


def injection(call, fault):
    if fault == "kill":
        return f"inject={call.name}:signal=KILL:when={call.ordinal}"
    more = "+" if fault.endswith("+") else ""
    return f"inject={call.name}:error={fault.rstrip('+')}:when={call.ordinal}{more}"


def run_case(scenario, call, fault, unlocks):
    home = scenario.home.copy()
    try:
        arguments = [a.replace(
            str(scenario.home.home), str(home.home)) for a in scenario.arguments]
        path = ["-P", CHIP] if f"<{CHIP}>" in call.text else []
        result = home.run(*arguments, lines=scenario.lines, around=[
            *strace(fault), *path, "-o", "/dev/null", "-e", "trace=" + call.name,
            "-e", injection(call, fault)])
        return judge(scenario, call, fault, home, result, unlocks)
    finally:
        home.drop()


def judge(scenario, call, fault, home, result, unlocks):
    problems = home.chip_problems(scenario, result, is_settled=False)
    is_killed = result.code in (-9, 137)
    if fault == "kill" and not is_killed:
        problems.append(f"was not killed: {result}")
    if fault != "kill":
        problems += judge_error(scenario, call, result)
    tried = scenario.tried_at is not None and call.index > scenario.tried_at
    if scenario.creates:
        problems += judge_creation(scenario, home, result, unlocks)
    elif scenario.erases or scenario.resets:
        problems += judge_erasure(scenario, call, home, result, fault, tried)
    else:
        problems += judge_keystore(scenario, call, home, result, fault, tried, unlocks)
    if scenario.is_signed and home.exists():
        problems += judge_second_use(scenario, home)
    # Where no keystore is, the next creation removes what only tokens can settle.
    left = [path for path in home.leftovers()
            if home.exists() or not path.endswith("used-links.new")]
    if left:
        problems.append(f"left for good: {left}")
    verified = home.run("log", "--verify")
    if verified.code != 0:
        problems.append(f"log --verify: {verified}")
    if any(entry["event"] == "tamper" for entry in log_entries(home)):
        problems.append("a tamper entry")
    problems += home.chip_problems(scenario, result, is_settled=unlocks and home.exists())
    return problems + output_problems(scenario, home, result)


def judge_error(scenario, call, result):
    """One clear error and 73 or 74, of the chip 69; or the command did what it should in spite of it."""
    if result.code in scenario.codes:
        return []
    wanted = (69,) if f"<{CHIP}>" in call.text else (73, 74)
    if result.code not in wanted or len(result.errors) != 1:
        return [f"unclear: {result}"]
    return []


def next_command(home, unlocks, pin):
    """A command that takes the lock: one that opens the keystore, or one that only cleans."""
    if unlocks:
        result = home.run("list", "--json", lines=[pin])
        return [] if result.code == 0 else [f"list with the right PIN: {result}"]
    result = home.run("request")
    return [] if result.code == 0 else [f"request: {result}"]


def judge_keystore(scenario, call, home, result, fault, tried, unlocks):
    problems = []
    opened = {pin: home.open(pin) for pin in (scenario.pin, scenario.new_pin) if pin}
    opening = [pin for pin, keystore in opened.items() if keystore]
    if len(opening) != 1:
        return [f"{len(opening)} PINs open it"]
    now = names(opened[opening[0]])
    if now not in (scenario.old, scenario.new):
        problems.append(f"tokens {now}, neither {scenario.old} nor {scenario.new}")
    if result.code == 0 and now != scenario.new:
        problems.append(f"said done, but tokens are {now}")
    if result.code == 0 and scenario.new_pin and opening != [scenario.new_pin]:
        problems.append("said done, but the old PIN opens")
    is_chip = f"<{CHIP}>" in call.text
    problems += attempt_problems(scenario, home.attempts(), result, fault, tried, is_chip)
    if home.attempts()["left"] > 0:
        problems += next_command(home, unlocks, opening[0])
        if unlocks and home.attempts()["count"] != 0:
            problems.append(f"after the right PIN the count is {home.attempts()['count']}")
    else:
        home.run("status")
        home.run("request")
    return problems


def attempt_problems(scenario, record, result, fault, tried, is_chip):
    """Attempts are never gained; none is lost where the failure came before the try. Of a try that the
    chip's answer is missing of, the chip alone counts."""
    if record is None:
        return ["both attempt records are lost"]
    problems = [] if not record["lost"] else ["an attempt record is lost"]
    count, before = record["count"], scenario.count
    allowed = {before, before + 1}
    if result.code == 0:
        allowed = {0}
    elif not tried and fault != "kill":
        allowed = {before}
    elif tried and not scenario.is_right:
        allowed = {before + 1}
    elif tried:
        allowed = {0, before + 1}
    if result.code == 77:
        allowed = {before + 1}
    if is_chip and result.code == 69:
        allowed |= {before}
    if count not in allowed:
        problems.append(f"count {count} after {before}, not in {allowed} ({result})")
    # Removing the token with the strictest limit raises it, after a right PIN.
    if record["limit"] > scenario.limit and not (scenario.name == "remove" and count == 0):
        problems.append(f"limit {record['limit']} after {scenario.limit}")
    return problems


def judge_creation(scenario, home, result, unlocks):
    if not home.exists():
        if result.code == 0:
            return ["said done, but there is no keystore"]
        if home.status()["keystore"] != "none":
            return [f"a cut creation is {home.status()['keystore']}"]
        if not unlocks:
            return next_command(home, False, PIN)
        # The same link again: nothing of it may have been used up.
        again = home.run(*[a.replace(str(scenario.home.home), str(home.home))
                           for a in scenario.arguments], lines=scenario.lines)
        return [] if again.code == 0 else [f"the link again: {again}"]
    opened = home.open(PIN)
    if not opened:
        return ["the PIN doesn't open it"]
    problems = [] if names(opened) == scenario.new else [f"tokens {names(opened)}"]
    return problems + next_command(home, unlocks, PIN)


def judge_second_use(scenario, home):
    """The same link again: used exactly if its token is here, and no OTP is shown twice."""
    problems = []
    was_made = names(home.open(PIN)) == scenario.new
    shown = shown_otps(home) if was_made else []
    arguments = [a.replace(str(scenario.home.home), str(home.home)) for a in scenario.arguments]
    arguments[arguments.index("--name") + 1] = "Again"
    again = home.run(*arguments, lines=scenario.lines)
    # 65: the request that it was sealed to has been used up with it.
    if again.code not in ((84, 65) if was_made else (0,)):
        problems.append(f"the link again, {'after' if was_made else 'before'} its token: {again}")
    if again.code == 0 and was_made:
        problems.append("a link was used twice")
    shown += shown_otps(home)
    # A right PIN settles what is left beside the used links.
    home.must("list", lines=[PIN])
    if len(set(shown)) != len(shown):
        problems.append(f"an OTP was shown twice: {shown}")
    return problems


def shown_otps(home):
    """What each HOTP token shows now."""
    return [home.must("show", name, "--once", lines=[PIN]).out.strip()
            for name in names(home.open(PIN)) if name != "Clinic"]


def judge_erasure(scenario, call, home, result, fault, tried):
    """Before the records reached their limit nothing happened; from then on it is carried through."""
    record, name = home.attempts_or_none(), home.status()["keystore"]
    begun = record is None or record["left"] <= 0 or not home.exists()
    # What the chip did not judge is taken back.
    is_unjudged = fault != "kill" and f"<{CHIP}>" in call.text and result.code == 69
    if not begun and (is_unjudged or not (tried and scenario.erases)):
        problems = [] if home.open(PIN) else ["the PIN doesn't open it"]
        if name != "locked":
            problems.append(f"status says {name}")
        if record["count"] != scenario.count:
            problems.append(f"count {record['count']} after {scenario.count}")
        return problems + next_command(home, False, PIN)
    problems = next_command(home, False, PIN)
    if home.status()["keystore"] != ("erased" if scenario.erases else "none"):
        problems.append(f"status says {home.status()['keystore']}")
    # A reset ends without a tombstone: what is left after the keys is a cut creation, for the next
    # activation to replace (DESIGN, section 3).
    kept = () if scenario.erases or record else ("attempts", "attestation", "device-key")
    left = [path.name for path in home.paths() if path.exists() and path.name in (
        "keystore", "attempts", "device-key", "device-share", "attestation")
        and path.name not in kept]
    if kept and home.has_device_key():
        left.append("a whole device key")
    if left:
        problems.append(f"the next command left {left}")
    if scenario.erases:
        shown = home.run("show", "--once", lines=[PIN])
        if shown.code != 83:
            problems.append(f"show after the erasure: {shown}")
    return problems


def attempts_or_none(home):
    try:
        return home.attempts()
    except Exception:  # noqa: BLE001: without a device key there is no record that counts
        return None


def has_device_key(home):
    try:
        return bool(home.key("device-key", b"ST-DKEY1"))
    except Exception:  # noqa: BLE001: missing, or overwritten
        return False


Home.attempts_or_none = attempts_or_none
Home.has_device_key = has_device_key


def output_problems(scenario, home, result):
    """An OTP that was shown is never shown again: its counter is used."""
    shown = result.out.strip()
    if scenario.name != "show-hotp" or not shown:
        return []
    used = {otp(HOTP_SEED, counter): counter for counter in range(50)}
    counter = names(home.open(PIN))["Counter"]
    if shown not in used or counter <= used[shown]:
        return [f"showed {shown}, the next counter is {counter}"]
    return []


def scenarios(only, make=Home, more=lambda homes: {}, names=None):
    """`make` makes an empty home; `more(homes)` are scenarios besides; `names`: these alone."""
    homes = Homes(make=make)
    (homes.one.home / "link").write_text(otpauth("hotp", HOTP_SEED))
    wrong_once, wrong_twice = homes.two.copy(), homes.two.copy()
    wrong_once.write_attempts(count=1)
    wrong_twice.write_attempts(count=2)
    stepped = lambda tokens: {**tokens, "Counter": tokens["Counter"] + 1}  # noqa: E731
    fresh = make()
    (fresh.home / "link").write_text(otpauth("totp", TOTP_SEED))
    two = homes.two
    sealed, coded = homes.one.copy(), homes.one.copy()
    request = json.loads(sealed.must("request", "--json").out)["request"]
    hotp = {"type": "hotp", "counter": 0}
    (sealed.home / "link").write_text(homes.issuer.link(request, HOTP_SEED, **hotp))
    (coded.home / "link").write_text(homes.issuer.link_by_code(CODE, HOTP_SEED, **hotp))
    made = {
        "activate-first": lambda name: Scenario(
            name, homes.requested, activate("Clinic", homes.requested, homes.trusting), [PIN],
            creates=True, is_signed=True, after=lambda _: {"Clinic": 30}),
        "activate-unsigned": lambda name: Scenario(
            name, fresh, activate("Clinic", fresh), [PIN], creates=True,
            after=lambda _: {"Clinic": 30}),
        "activate-second": lambda name: Scenario(
            name, homes.one, activate("Counter", homes.one), [PIN],
            after=lambda tokens: {**tokens, "Counter": 0}),
        "activate-sealed-hotp": lambda name: Scenario(
            name, sealed, activate("Counter", sealed), [PIN], is_signed=True,
            after=lambda tokens: {**tokens, "Counter": 0}),
        "activate-coded-hotp": lambda name: Scenario(
            name, coded, activate("Counter", coded), [CODE, PIN], is_signed=True,
            after=lambda tokens: {**tokens, "Counter": 0}),
        "show-totp": lambda name: Scenario(name, two, ["show", "Clinic", "--once"], [PIN]),
        "show-hotp": lambda name: Scenario(
            name, two, ["show", "Counter", "--once"], [PIN], after=stepped),
        "show-hotp-after-wrong": lambda name: Scenario(
            name, wrong_once, ["show", "Counter", "--once"], [PIN], after=stepped),
        "pin": lambda name: Scenario(name, two, ["pin"], [PIN, NEW_PIN], new_pin=NEW_PIN),
        "rename": lambda name: Scenario(
            name, two, ["rename", "Clinic", "Ward"], [PIN],
            after=lambda tokens: {"Ward": 30, "Counter": tokens["Counter"]}),
        "remove": lambda name: Scenario(
            name, two, ["remove", "Clinic", "--yes"], [PIN],
            after=lambda tokens: {"Counter": tokens["Counter"]}),
        "forbid": lambda name: Scenario(
            name, two, ["device", "forbid", foreign_record()], [PIN]),
        "wrong-pin": lambda name: Scenario(
            name, two, ["show", "Clinic", "--once"], [WRONG_PIN], codes=(77,)),
        "erasing-pin": lambda name: Scenario(
            name, wrong_twice, ["show", "Clinic", "--once"], [WRONG_PIN], codes=(83,), erases=True),
        "last-attempt-right": lambda name: Scenario(
            name, wrong_twice, ["show", "Clinic", "--once"], [PIN]),
        "reset": lambda name: Scenario(name, two, ["reset", "--yes"], [], resets=True),
        **more(homes),
    }
    return homes, [make(name) for name, make in made.items()
                   if only in name and (names is None or name in names)]


def part(text):
    """K and N of `K/N`."""
    first, step = map(int, text.split("/"))
    if not 1 <= first <= step:
        raise ValueError(text)
    return first, step


def main(make=Home, more=lambda homes: {}, names=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("--bounded", type=int, metavar="N")
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--part", type=part, metavar="K/N")
    parser.add_argument("--only", default="")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--case", help="SCENARIO:CALL:ORDINAL:FAULT, as a failure names it")
    options = parser.parse_args()
    score = Score()
    homes, made = scenarios(options.only, make, more, names)
    for scenario in made:
        score.check(f"{scenario.name}: order of writes", scenario.order_problems())
    everything = list(cases(made))
    chosen = everything if options.whole or options.case else evenly(
        everything, options.bounded or 100)
    if options.part:
        first, step = options.part
        chosen = everything[first - 1::step]
    if options.case:
        chosen = [entry for entry in chosen if label(*entry).startswith(options.case)]
    if options.list:
        for entry in chosen:
            print(label(*entry))
        return
    print(f"{len(chosen)} of {len(everything)} cases, {len(made)} scenarios", flush=True)

    done = []

    def job(number, entry):
        def body():
            score.attempt(label(*entry), lambda: run_case(*entry, number % 4 == 0))
            done.append(number)
            if len(done) % 200 == 0:
                print(f"  {len(done)} cases done, {len(score.failed)} failed", flush=True)
        return body

    in_parallel([job(number, entry) for number, entry in enumerate(chosen)])
    by_kind = collections.Counter((s.name, "kill" if f == "kill" else "error") for s, _, f in chosen)
    for name in dict.fromkeys(s.name for s in made):
        print(f"  {name}: {by_kind[name, 'kill']} kills, {by_kind[name, 'error']} errors")
    if make is Home and not options.only and not options.case:
        fulldisk.run(score, homes, 10 if options.whole else 3)
    score.end()


def label(scenario, call, fault):
    return f"{scenario.name}:{call.name}:{call.ordinal}:{fault}  {call.text[:70]}"


if __name__ == "__main__":
    main()
