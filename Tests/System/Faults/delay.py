#!/usr/bin/python3
"""A delay end to end, in boot time: time namespaces with a shifted boottime, wall clock unused.

The record of five wrong PINs is written by the reader: making it takes no five unlocks. Needs root.
"""
import subprocess
import time

from bench import PIN, PROGRAM, WRONG_PIN, Homes, Score

SHOW = ["show", "Clinic", "--once"]


def shifted(seconds):
    """`unshare` into a time namespace whose boot time is shifted."""
    return ["unshare", "-T", "--boottime", str(seconds)]


def delayed(homes, count=5, ago=0):
    home = homes.two.copy()
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        boot = bytes.fromhex(file.read().strip().replace("-", ""))
    start = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - int(ago * 1e9)
    home.write_attempts(count=count, limit=10, delay=1, boot=boot, start=start, offset=0)
    return home


def main():
    score = Score()
    homes = Homes(limit=10)
    home = delayed(homes)
    result = home.run(*SHOW, lines=[PIN])
    score.equal("right after the fifth: try later", result.code, 75)
    score.equal("right after the fifth: nothing is counted", home.attempts()["count"], 5)
    score.equal("status says so", home.status()["keystore"], "delayed")

    home = delayed(homes, ago=31)
    score.equal("31 s later: the right PIN opens", home.run(*SHOW, lines=[PIN]).code, 0)
    score.equal("31 s later: the count is 0", home.attempts()["count"], 0)

    home = delayed(homes, ago=27)
    score.equal("27 s later: not yet", home.run(*SHOW, lines=[PIN]).code, 75)
    time.sleep(3.2)
    result = home.run(*SHOW, lines=[WRONG_PIN])
    score.equal("30 s later: the sixth try happens", result.code, 77)
    score.equal("30 s later: it is counted", home.attempts()["count"], 6)
    result = home.run(*SHOW, lines=[PIN])
    score.equal("after the sixth: a delay again", result.code, 75)
    left = home.status()["retryAt"] - time.time()
    score.true("after the sixth: 60 s", 50 < left <= 61, f"{left}")

    for shift in (3_600, 86_400, -600):
        home = delayed(homes)
        result = home.run(*SHOW, lines=[PIN], around=shifted(shift))
        score.equal(f"boot time shifted by {shift} s: try later", result.code, 75)
        score.equal(f"boot time shifted by {shift} s: nothing counted", home.attempts()["count"], 5)
        # Recorded anew in the shifted namespace; outside it the full delay holds once more.
        score.equal(f"boot time shifted by {shift} s, then not: try later",
                    home.run(*SHOW, lines=[PIN]).code, 75)

    home = delayed(homes, ago=31)
    result = home.run(*SHOW, lines=[PIN], around=shifted(3_600))
    score.equal("over outside, but shifted inside: the full delay again", result.code, 75)

    wall_clock(score, homes)
    other_boot(score, homes)
    score.end()


def wall_clock(score, homes):
    """The program never reads the wall clock for a delay: a faked clock_gettime would be needed,
    and the static program takes none; so the trace shows which clock is compared."""
    home = delayed(homes)
    record = home.attempts()
    moved = dict(record)
    home.run(*SHOW, lines=[PIN])
    after = home.attempts()
    for name in ("start", "count", "boot"):
        score.equal(f"a refused try leaves the record's {name}", after[name], moved[name])
    boot = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    home = delayed(homes, ago=31)
    home.must(*SHOW, lines=[PIN])
    home.run(*SHOW, lines=[WRONG_PIN])
    home.write_attempts(count=4, delay=0, boot=bytes(16), start=0)
    home.run(*SHOW, lines=[WRONG_PIN])
    start = home.attempts()["start"]
    score.true("a delay starts at boot time", boot < start < boot + 60 * 10**9, f"{start}, {boot}")


def other_boot(score, homes):
    """A reboot: another boot_id; the delay is over when the machine has been up for it."""
    home = delayed(homes)
    up = time.clock_gettime(time.CLOCK_BOOTTIME)
    home.write_attempts(boot=bytes(range(16)))
    result = home.run(*SHOW, lines=[PIN])
    score.equal("another boot, up for longer than the delay", result.code, 0 if up >= 30 else 75)
    home = delayed(homes, count=9)
    home.write_attempts(boot=bytes(range(16)))
    result = home.run(*SHOW, lines=[PIN])
    score.equal("another boot, a delay of 480 s", result.code, 0 if up >= 480 else 75)


if __name__ == "__main__":
    main()
