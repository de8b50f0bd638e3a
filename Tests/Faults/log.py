#!/usr/bin/python3
"""The audit log: every change is found, no power cut is called one, and no command is stopped."""
import json

from bench import HOTP_SEED, PIN, WRONG_PIN, Homes, Score, activate, otpauth
from reader import log_entries

SHOW = ["show", "Clinic", "--once"]


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

UNNOTICED = ("an entry is edited", "two entries change places")


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
    survives(score, homes)
    quiet(score, homes)
    score.end()


if __name__ == "__main__":
    main()
