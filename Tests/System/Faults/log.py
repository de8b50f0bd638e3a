#!/usr/bin/python3
"""The audit log: every change is found, no power cut is called one, and no command is stopped."""
import json
import struct

from bench import HOTP_SEED, PIN, WRONG_PIN, Homes, Score, activate, otpauth
from reader import hash_of, log_entries, subkey
from sweep import ERRORS, injection, strace, traced

SHOW = ["show", "Clinic", "--once"]
# A command that asks for nothing and leaves one entry: a refused remote login.
REMOTE = ("env", "SSH_CONNECTION=192.0.2.1 1 192.0.2.2 2")


def lines(home):
    return (home.state / "log").read_bytes().split(b"\n")[:-1]


def write(home, entries):
    (home.state / "log").write_bytes(b"".join(entry + b"\n" for entry in entries))


def delete(name):
    return lambda home: (home.state / name).unlink()


def flip(name, at):
    def body(home):
        content = bytearray((home.state / name).read_bytes())
        content[at] ^= 1
        (home.state / name).write_bytes(content)
    return body


def both(*bodies):
    def body(home):
        for part in bodies:
            part(home)
    return body


def edited(home):
    entries = lines(home)
    write(home, entries[:2] + [entries[2].replace(b'"ok"', b'"no"')] + entries[3:])


FOUND = {
    "the tail is cut": lambda home: write(home, lines(home)[:-1]),
    "half is cut": lambda home: write(home, lines(home)[:len(lines(home)) // 2]),
    "an entry is edited": edited,
    "two entries change places": lambda home: write(
        home, [lines(home)[1], lines(home)[0], *lines(home)[2:]]),
    "an entry is deleted": lambda home: write(home, lines(home)[:1] + lines(home)[2:]),
    "the first is deleted": lambda home: write(home, lines(home)[1:]),
    "an entry is doubled": lambda home: write(home, lines(home)[:2] + lines(home)[1:]),
    "an entry is made up at the end": lambda home: write(
        home, lines(home) + [lines(home)[-1].replace(b'"seq":', b'"seq":1')]),
    "the last MAC is altered": flip("log", -10),
    "the head is deleted": delete("log-head"),
    "the head is altered": flip("log-head", 60),
    "the key is deleted": delete("log-key"),
    "the key is altered": flip("log-key", 20),
    "the log is deleted": delete("log"),
    "log and head are deleted": both(delete("log"), delete("log-head")),
    "the log is emptied, the head deleted": both(
        lambda home: (home.state / "log").write_bytes(b""), delete("log-head")),
    "the tail is cut and the head deleted": both(
        lambda home: write(home, lines(home)[:-1]), delete("log-head")),
}

UNNOTICED = ("an entry is edited",)


def found(score, home, name, change):
    changed = home.copy()
    change(changed)
    verified = changed.run("log", "--verify")
    score.equal(f"{name}: log --verify", verified.code, 65)
    score.true(f"{name}: says what", len(verified.errors) == 1, str(verified))
    shown = changed.run(*SHOW, lines=[PIN])
    score.equal(f"{name}: show goes on", shown.code, 0)
    again = changed.run(*SHOW, lines=[PIN])
    score.equal(f"{name}: and again", again.code, 0)
    tampers = sum(entry["event"] == "tamper" for entry in log_entries(changed))
    # What lies before an end that fits the head is verified by `log --verify` alone.
    score.equal(f"{name}: tamper entries", tampers, 0 if name in UNNOTICED else 1)
    (changed.home / "link").write_text(otpauth("totp", HOTP_SEED))
    activated = changed.run(*activate("Late", changed), lines=[PIN])
    score.equal(f"{name}: activate goes on", activated.code, 0)


def cuts(score, home):
    """What a power cut leaves is no tampering."""
    before = home.copy()
    after = home.copy()
    after.must(*SHOW, lines=[PIN])
    beyond = after.copy()
    (beyond.state / "log-head").write_bytes((before.state / "log-head").read_bytes())
    score.equal("an entry beyond the head: whole", beyond.run("log", "--verify").code, 0)
    beyond.must(*SHOW, lines=[PIN])
    score.equal("an entry beyond the head: goes on", beyond.run("log", "--verify").code, 0)
    no_tamper(score, "an entry beyond the head", beyond)
    for size in (1, 50, -1):
        torn = after.copy()
        (torn.state / "log-head").write_bytes((before.state / "log-head").read_bytes())
        last = lines(torn)[-1]
        content = (torn.state / "log").read_bytes()
        (torn.state / "log").write_bytes(content[:-len(last) - 1] + last[:size])
        name = f"an incomplete last line of {len(last[:size])} bytes"
        score.equal(f"{name}: whole", torn.run("log", "--verify").code, 0)
        torn.must(*SHOW, lines=[PIN])
        entry = log_entries(torn)[-1]
        score.true(f"{name}: noted", "incomplete" in entry["detail"], json.dumps(entry))
        score.equal(f"{name}: whole afterwards", torn.run("log", "--verify").code, 0)
        no_tamper(score, name, torn)


def aged(home, count):
    """A copy whose first entries are of 2001, with as many of today behind them as it takes to have
    the clock believed: macs and head anew, with the home's own log key."""
    home = home.copy()
    home.run(*SHOW, around=REMOTE)
    told = lines(home)
    key = home.key("log-key", b"ST-LKEY1")
    mac, written = bytes(32), []
    # The refusal, which the program tells once, 32 times.
    for number, line in enumerate(told + 31 * told[-1:]):
        content = b'{"seq":%d,' % (number + 1) + line[:-74].partition(b",")[2]
        if number < count:
            before, _, after = content.partition(b'"time":"')
            content = before + b'"time":"2001-01-01T00:00:00Z' + after[20:]
        mac = hash_of(32, mac, content, key=subkey(key, 1, b"stlogkey"))
        written.append(content + b',"mac":"' + mac.hex().encode() + b'"}')
    write(home, written)
    head = b"ST-HEAD2" + struct.pack(
        ">Q32sQQ32sQ", 0, bytes(32), 0, len(written), mac, (home.state / "log").stat().st_size)
    head += (home.state / "log-head").read_bytes()[104:128]
    (home.state / "log-head").write_bytes(
        head + hash_of(32, head, key=subkey(key, 2, b"stlogkey")))
    return home


def prunings(score, home):
    """The release program killed, and failed once, at each call of an append that prunes."""
    count = len(lines(home)) - 2
    old = aged(home, count)
    kept = [entry["seq"] for entry in log_entries(old)[count:]]
    score.equal("an aged log: whole", old.run("log", "--verify").code, 0)
    unfailed = old.copy()
    score.equal("pruning: wrong as ever", unfailed.run(*SHOW, lines=[WRONG_PIN]).code, 77)
    score.equal("pruning: refused as ever", unfailed.run(*SHOW, around=REMOTE).code, 87)
    score.equal("pruning: without a PIN nothing goes", len(log_entries(unfailed)),
                len(log_entries(old)) + 2)
    unfailed = old.copy()
    done, calls = traced(unfailed, SHOW, [PIN])
    score.equal("pruning: shown as ever", done.code, 0)
    # From where the entry is written.
    calls = calls[next(call.index for call in calls if call.name == "write" and "softtoken/log>" in call.text):]
    score.equal("pruning: what stays", [entry["seq"] for entry in log_entries(unfailed)],
                [*kept, kept[-1] + 1])
    durable = [("fsync" if call.name == "fsync" else call.text.split('"')[3])
               for call in calls if call.name in ("fsync", "renameat")]
    score.equal("pruning: each step is on the disk before the next", durable, [
        "fsync", "fsync", "log-head", "fsync", "fsync", "log", "fsync", "fsync", "log-head",
        "fsync"])
    for call in calls:
        is_reading = call.name == "openat" and "O_CREAT" not in call.text
        faults = [] if is_reading else ["kill"]
        faults += [] if call.text[0] in "12" else ERRORS.get(call.name, ["EIO"])
        for fault in faults:
            name = f"pruning, {fault} at {call.name}:{call.ordinal} {call.text[:60]}"
            score.attempt(name, lambda: pruning(old.copy(), call, fault, kept))


def pruning(home, call, fault, kept):
    problems = []
    done = home.run(*SHOW, lines=[PIN], around=[
        *strace(fault), "-o", "/dev/null", "-e", "trace=" + call.name,
        "-e", injection(call, fault)])
    if fault == "kill" and done.code not in (-9, 137):
        problems.append(f"was not killed: {done}")
    for after in ("the fault", "the next entry"):
        verified = home.run("log", "--verify")
        if verified.code != 0:
            problems.append(f"after {after}: {verified}")
        if home.status()["log"] != "whole":
            problems.append(f"after {after}: status says it is altered")
        if after == "the fault" and home.run(*SHOW, lines=[PIN]).code != 0:
            problems.append("the next command")
    found = [entry["seq"] for entry in log_entries(home)]
    if found[:len(kept)] != kept or not 1 <= len(found) - len(kept) <= 2:
        problems.append(f"entries {found}, kept {kept}")
    if any(entry["event"] == "tamper" for entry in log_entries(home)):
        problems.append("a tamper entry")
    if home.leftovers():
        problems.append(f"left for good: {home.leftovers()}")
    home.drop()
    return problems


def too_long(score, home):
    """A log of more than `log` reads is told as such, and stops nothing else."""
    home = home.copy()
    with open(home.state / "log", "r+b") as file:
        file.truncate(140 << 20)
    for arguments in (["log"], ["log", "--verify"]):
        told = home.run(*arguments)
        score.true(f"a log of 140 MiB: {arguments}", told.code == 65 and "64 MiB" in told.err,
                   str(told))
    score.equal("a log of 140 MiB: show goes on", home.run(*SHOW, lines=[PIN]).code, 0)
    (home.state / "log").rename(home.home / "aside")
    score.equal("a log of 140 MiB, aside: show goes on", home.run(*SHOW, lines=[PIN]).code, 0)
    score.true("a log of 140 MiB, aside: a new chain",
               [entry["event"] for entry in log_entries(home)] == ["tamper", "otp"],
               f"{log_entries(home)}")


def no_tamper(score, name, home):
    score.true(f"{name}: no tamper entry",
               all(entry["event"] != "tamper" for entry in log_entries(home)))


def survives(score, homes):
    """Reset and erasure leave the log, and it goes on."""
    home = homes.two.copy()
    count = len(lines(home))
    home.must("reset", "--yes")
    score.true("reset: the log stays", len(lines(home)) > count)
    score.equal("reset: the log is whole", home.run("log", "--verify").code, 0)
    (home.home / "link").write_text(otpauth("totp", HOTP_SEED))
    home.must(*activate("Again", home), lines=[PIN])
    score.equal("reset, then activated: whole", home.run("log", "--verify").code, 0)
    home = homes.two.copy()
    home.write_attempts(count=2)
    erased = home.run(*SHOW, lines=[WRONG_PIN])
    score.equal("erased", erased.code, 83)
    score.equal("erased: the log is whole", home.run("log", "--verify").code, 0)
    events = [entry["event"] for entry in log_entries(home)]
    score.true("erased: in the log", events[-2:] == ["unlock", "erase"], f"{events}")


def quiet(score, homes):
    """No name, issuer, account, serial, PIN or OTP in the log."""
    home = homes.two.copy()
    shown = home.must(*SHOW, lines=[PIN]).out.strip()
    home.run(*SHOW, lines=[WRONG_PIN])
    # The times, ids and MACs hold digits of their own.
    text = json.dumps([[entry["event"], entry["outcome"], entry["detail"]]
                       for entry in log_entries(home)])
    said = [word for word in ("Clinic", "Counter", "Vendor", "alice", "Example", PIN, WRONG_PIN,
                              shown) if word in text]
    score.check("the log names nobody", said)


def main():
    score, homes = Score(), Homes()
    homes.two.must(*SHOW, lines=[PIN])
    for name, change in FOUND.items():
        try:
            found(score, homes.two, name, change)
        except Exception as error:  # noqa: BLE001
            score.check(name, [f"{type(error).__name__}: {error}"])
    cuts(score, homes.two)
    prunings(score, homes.two)
    too_long(score, homes.two)
    survives(score, homes)
    quiet(score, homes)
    score.end()


if __name__ == "__main__":
    main()
