#!/usr/bin/python3
"""Many at once, and files that change between two commands: no attempt is ever gained.

    races.py             everything (about four minutes)
    races.py --bounded   fewer processes and files
"""
import argparse
import collections
import fcntl
import itertools
import os
import shutil
import time

from bench import (HOTP_SEED, PIN, WRONG_PIN, Homes, Score, activate, finished, foreign_record,
                   in_parallel, otpauth)
from reader import log_entries, otp

SHOW = ["show", "Clinic", "--once"]


def wrong_pins(score, homes, processes):
    """All at once, with a limit of 3: three tries happen, and no more."""
    home = homes.two.copy()
    running = [home.start(*SHOW, lines=[WRONG_PIN]) for _ in range(processes)]
    results = [finished(process) for process in running]
    codes = collections.Counter(result.code for result in results)
    events = collections.Counter((entry["event"], entry["outcome"]) for entry in log_entries(home))
    print(f"  {processes} wrong PINs at once: exit codes {dict(codes)}")
    unclear = [result for result in results if result.code not in (77, 83) or not result.errors]
    score.check("wrong PINs at once: exit codes", [str(u) for u in unclear[:5]])
    score.equal("wrong PINs at once: exactly two are told so, one erases", codes[77], 2)
    score.equal("wrong PINs at once: three tries in the log", events["unlock", "rejected"], 3)
    score.equal("wrong PINs at once: one erasure in the log", events["erase", "ok"], 1)
    score.equal("wrong PINs at once: erased", home.status()["keystore"], "erased")
    score.equal("wrong PINs at once: log", home.run("log", "--verify").code, 0)


def right_among_wrong(score, homes):
    """One right PIN among wrong ones: never more than three wrong ones in a row."""
    home = homes.two.copy()
    lines = [WRONG_PIN, PIN] * 6
    results = [finished(process) for process in [home.start(*SHOW, lines=[pin]) for pin in lines]]
    in_a_row = most = 0
    for entry in log_entries(home):
        if entry["event"] == "unlock":
            in_a_row += 1
            most = max(most, in_a_row)
        elif entry["event"] == "otp":
            in_a_row = 0
    score.true("right among wrong: three in a row at most", most <= 3, f"{most}")
    codes = {result.code for result in results}
    score.true("right among wrong: clear codes", codes <= {0, 77, 83}, f"{codes}")


def writers(score, homes, count):
    """Activations, renames and HOTP shows at once: all succeed, nothing is lost."""
    home = homes.two.copy()
    kinds = list(itertools.islice(itertools.cycle(["hotp", "activate", "rename", "hotp"]), count))
    link = home.home / "link"
    link.write_text(otpauth("totp", os.urandom(20)))
    home.must(*activate("Renamed", home), lines=[PIN])
    running = []
    for number, kind in enumerate(kinds):
        if kind == "hotp":
            running.append(home.start("show", "Counter", "--once", lines=[PIN]))
        elif kind == "activate":
            link = home.home / f"link-{number}"
            link.write_text(otpauth("totp", os.urandom(20), f"user{number}"))
            running.append(home.start("activate", "--from", str(link), "--name", f"New{number}",
                                      "--not-prescribing-device", lines=[PIN]))
        else:
            running.append(home.start("rename", "Renamed", f"Renamed{number}", lines=[PIN]))
    results = [finished(process) for process in running]
    failed = [f"{kind}: {result}" for kind, result in zip(kinds, results) if result.code != 0]
    score.check(f"{count} writers at once: all succeed", failed)
    shown = [result.out.strip() for kind, result in zip(kinds, results) if kind == "hotp"]
    counters = {otp(HOTP_SEED, counter): counter for counter in range(100)}
    used = sorted(counters.get(digits, -1) for digits in shown)
    score.equal(f"{count} writers at once: counters distinct", used, list(range(len(shown))))
    tokens = home.open(PIN)["tokens"]
    wanted = {f"New{number}" for number, kind in enumerate(kinds) if kind == "activate"}
    score.check(f"{count} writers at once: nothing lost", sorted(wanted - set(tokens)))
    score.equal("writers: the next counter", tokens["Counter"]["factor"], len(shown))
    score.equal("writers: attempts", home.attempts()["count"], 0)
    score.equal("writers: nothing left", home.leftovers(), [])
    score.equal("writers: log", home.run("log", "--verify").code, 0)


def first_activations(score, homes):
    """Several first activations at once: one keystore, and whoever comes late is told."""
    home = homes.requested.copy()
    running = []
    for number in range(6):
        (home.home / f"link-{number}").write_text(otpauth("totp", os.urandom(20)))
        running.append(home.start(
            "activate", "--from", str(home.home / f"link-{number}"), "--name", f"N{number}",
            "--not-prescribing-device", lines=[PIN]))
    results = [finished(process) for process in running]
    done = {f"N{number}" for number, result in enumerate(results) if result.code == 0}
    score.true("first activations at once: one succeeds", done)
    score.equal("first activations at once: what succeeded is there",
                set(home.open(PIN)["tokens"]), done)
    score.equal("first activations at once: log", home.run("log", "--verify").code, 0)


def resets_and_shows(score, homes):
    """A reset in the middle of shows: an OTP, or no keystore; never damage, never another device."""
    home = homes.two.copy()
    running = [home.start(*SHOW, lines=[PIN]) for _ in range(4)]
    running.append(home.start("reset", "--yes"))
    running += [home.start(*SHOW, lines=[PIN]) for _ in range(4)]
    results = [finished(process) for process in running]
    score.check("reset among shows", [str(r) for r in results if r.code not in (0, 66, 83)])


CLEAR = (65, 66, 74, 75, 77, 78, 81, 82, 83)

# What may happen to a file between two commands, and how it is said.
CHANGES = ["delete", "truncate", "cut", "flip", "older", "another's", "folder"]


def tampered(state, older, other, path, change):
    """A wrong PIN was spent; one file is changed; no more tries happen than were left.

    Returns the problems, or None where there is nothing to change."""
    home, before = state["now"].copy(), state["left"]
    source = {"older": older, "another's": other}.get(change)
    if not alter(home.home / path, change, source and source.home / path):
        return None
    status, problems = home.status(), []
    name, left = status["keystore"], status["attemptsLeft"]
    if left is not None and left > before:
        problems.append(f"{left} attempts left, before {before}")
    tries = 0
    for _ in range(before + 2):
        was_there = home.exists()
        result = home.run(*SHOW, lines=[WRONG_PIN])
        tries += result.code == 77 or (result.code == 83 and was_there and not home.exists())
        if result.code != 77:
            break
    if tries > before:
        problems.append(f"{tries} tries happened, {before} were left ({name})")
    if result.code not in CLEAR or len(result.errors) != 1:
        problems.append(f"unclear: {result}")
    wanted = named(path, change)
    if wanted and name not in wanted:
        problems.append(f"status says {name}, not {wanted}")
    home.drop()
    return problems


def alter(target, change, source):
    """Changes a file; False where there is nothing to change."""
    if change == "delete":
        if not target.exists():
            return False
        target.unlink()
    elif change in ("older", "another's"):
        if not source.exists() or (target.exists() and target.read_bytes() == source.read_bytes()):
            return False
        shutil.copy2(source, target)
    elif change == "folder":
        if target.exists():
            target.unlink()
        target.mkdir(mode=0o700)
    else:
        content = target.read_bytes() if target.exists() else b""
        if not content:
            return False
        middle = len(content) // 2
        target.write_bytes({"truncate": b"", "cut": content[:-1],
                            "flip": content[:middle] + bytes([content[middle] ^ 1])
                            + content[middle + 1:]}[change])
    return True


def named(path, change):
    """How status names it; None where nothing is to be said."""
    name = path.rsplit("/", 1)[-1]
    is_broken = change in ("truncate", "cut", "flip")
    if name == "keystore":
        if is_broken:
            return ("damaged",)
        return {"delete": ("none",), "another's": ("foreign",), "folder": ("refused", "damaged")
                }.get(change)
    if name == "device-key":
        return ("damaged", "foreign") if is_broken else {
            "delete": ("foreign",), "another's": ("foreign",), "folder": ("refused",)}.get(change)
    if name == "device-share":
        return ("refused",) if change == "folder" else ("damaged",)
    return None


def files(score, homes, bounded):
    """Every file of both folders, changed in every way, after one wrong PIN."""
    older = homes.two.copy()
    now = homes.two.copy()
    now.run(*SHOW, lines=[WRONG_PIN])
    now.must("device", "forbid", foreign_record(), lines=[PIN])
    now.run(*SHOW, lines=[WRONG_PIN])
    other = Homes(limit=3).two
    state = {"now": now, "left": now.attempts()["left"]}
    names = [str(path.relative_to(now.home)) for path in now.paths()]
    chosen = [(name, change) for name in names for change in CHANGES]
    if bounded:
        chosen = chosen[::4]
    counted = collections.Counter()

    def job(path, change):
        def body():
            problems = tampered(state, older, other, path, change)
            if problems is not None:
                counted[change] += 1
                score.check(f"{path} {change}", problems)
        return lambda: guarded(score, f"{path} {change}", body)

    in_parallel([job(*entry) for entry in chosen])
    print(f"  files changed: {dict(counted)}")
    both_attempts(score, state, other)


def guarded(score, name, body):
    try:
        body()
    except Exception as error:  # noqa: BLE001
        score.check(name, [f"{type(error).__name__}: {error}"])


def both_attempts(score, state, other):
    """Both attempt records at once, and the swap of the two."""
    names = [".local/share/softtoken/attempts", ".local/state/softtoken/attempts"]
    for change in ("delete", "truncate", "flip", "another's"):
        home = state["now"].copy()
        for name in names:
            alter(home.home / name, change, other.home / name)
        result = home.run(*SHOW, lines=[PIN])
        score.equal(f"both attempt records {change}: no attempt is left", result.code, 83)
        score.true(f"both attempt records {change}: the keystore stays", home.exists())
    home = state["now"].copy()
    first, second = (home.home / name for name in names)
    first_bytes = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(first_bytes)
    left = home.status()["attemptsLeft"]
    score.true("attempt records swapped", left <= state["left"], f"{left}")


def lock_games(score, homes, change):
    """The lock file goes while a command waits for it: the command ends, or takes the new one; no
    more tries happen than are allowed."""
    home = homes.two.copy()
    lock = home.state / "lock"
    holder = open(lock, "r+")
    fcntl.flock(holder, fcntl.LOCK_EX)
    waiting = [home.start(*SHOW, lines=[WRONG_PIN]) for _ in range(3)]
    time.sleep(2)
    if change == "delete":
        lock.unlink()
    elif change == "replace":
        new = home.state / "lock-2"
        new.touch(mode=0o600)
        os.replace(new, lock)
    else:
        lock.unlink()
        lock.symlink_to("/dev/null")
    after = [home.start(*SHOW, lines=[WRONG_PIN]) for _ in range(3)]
    time.sleep(1)
    holder.close()
    results = [finished(process) for process in waiting + after]
    codes = sorted(result.code for result in results)
    rejected = sum(entry["event"] == "unlock" for entry in log_entries(home))
    score.true(f"lock {change} while others wait: at most three tries", rejected <= 3,
               f"{rejected}, {codes}")
    score.check(f"lock {change} while others wait: clear",
                [str(r) for r in results if r.code not in (74, 75, 77, 78, 83)])
    print(f"  lock {change}: {codes}, {rejected} tries")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bounded", action="store_true")
    options = parser.parse_args()
    score, homes = Score(), Homes()
    wrong_pins(score, homes, 30 if options.bounded else 100)
    right_among_wrong(score, homes)
    writers(score, homes, 8 if options.bounded else 20)
    first_activations(score, homes)
    resets_and_shows(score, homes)
    for change in ("delete", "replace", "symlink"):
        lock_games(score, homes, change)
    files(score, homes, options.bounded)
    score.end()


if __name__ == "__main__":
    main()
