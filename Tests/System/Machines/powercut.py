"""The power is cut while a keystore is used: DESIGN §1.5, §1.8, §4.

The machine's page cache is lost with QEMU (SIGKILL). The disk loses more than that: of what was
written and not flushed, each 4 KiB is kept or lost by chance. Then the machine starts again.
"""
import json
import random
import time

import links
from delays import WRONG_PIN
from reader import otp
from separation import ATTESTED, PIN, SECOND, activate, link
from system import HERE, copy_image
from writelog import WriteLog

NEW_PIN = "6947"
LIMIT = 10
ENTRIES = 200  # writes and flushes in a round of guest/load, about
SECONDS = 60  # a cut comes after this at the latest


class Broken(Exception):
    """Something that must never happen, said by the program itself."""


class Known:
    """What a person at the machine knows of the keystore: PINs that may open it, the last counter
    that was shown, and wrong PINs in a row."""

    def __init__(self):
        self.pins, self.counter, self.wrong, self.may_be_reset = [PIN], -1, 0, False
        self.step, self.pin = None, None

    def hear(self, line):
        """Takes in a line of guest/load's, or of the program's."""
        told = json.loads(line)
        if "begin" in told:
            self.step, self.pin = told["begin"], told["pin"]
            if self.step == "change":
                self.pins = [*self.pins, self.pin]
            self.may_be_reset = self.step != "wrong"
        elif "otp" in told:
            self.show(told)
        elif "code" in told:
            self.end(told["code"])

    def show(self, told):
        if told["counter"] <= self.counter:
            raise Broken(f"counter {told['counter']} after {self.counter}")
        self.counter = told["counter"]

    def end(self, code):
        if code != (77 if self.step == "wrong" else 0):
            raise Broken(f"{self.step} ended with {code}")
        if self.step == "change":
            self.pins = [self.pin]
        self.wrong = self.wrong + 1 if self.step == "wrong" else 0
        self.step, self.may_be_reset = None, False

    def attempts_left(self):
        """The range that attemptsLeft must lie in: a step that was cut costs one at most."""
        most = LIMIT if self.may_be_reset else LIMIT - self.wrong
        return range(LIMIT - self.wrong - (self.step is not None), most + 1)

    def opened(self, pin, told):
        """After a cut: of the PINs, all of which were tried, this one opened, and showed this."""
        self.show(told)
        self.wrong = len(self.pins) - 1 - self.pins.index(pin)
        self.pins, self.step, self.may_be_reset = [pin], None, False


def cuts(score, run, chain, count, boot=None):
    """One system, cut again and again. `boot(system, log)` starts the machine, if it isn't SECOND."""
    chance = random.Random(f"{run.seed}-{chain}")
    boot = boot or (lambda system, log=None: run.boot(SECOND, system, log=log))
    system, known = run.install(), Known()
    machine = boot(system)
    result = activate(machine, link(type="hotp"), ATTESTED, name="Counter")
    score.equal("a HOTP token is activated", result.code, 0)
    machine.off()
    for number in range(count):
        name = f"power cut {chain}.{number + 1}"
        problems = one_cut(name, run, boot, system, known, chance)
        score.check(name, problems)
        if problems:
            return
    machine = boot(system)
    score.check("after the last power cut all is whole", problems_after(machine, known))
    machine.off()


def one_cut(name, run, boot, system, known, chance):
    """Looks at what the last cut left, uses it, and cuts. Returns what is wrong."""
    before, log = run.path("before"), WriteLog(run.path("log"))
    copy_image(system.image, before)
    machine = boot(system, log.path)
    try:
        problems = problems_after(machine, known)
        if not problems:
            start_load(machine, known.pins[0])
            moment = log.read_on() + chance.randint(1, ENTRIES), chance.randint(1, 4)
            use_until(moment, machine, log, known)
    except Broken as error:
        problems = [error]
    finally:
        machine.cut()
    before.replace(system.image)
    lost, pieces = log.apply(system.image, chance)
    print(f"  {name}: during {known.step or 'no'} step, after {log.entries} writes and flushes, "
          f"{lost} of {pieces} pieces in flight lost, counter {known.counter}", flush=True)
    log.close()
    return problems


def start_load(machine, pin):
    load = (HERE / "guest/load").read_text()
    other = NEW_PIN if pin == PIN else PIN
    machine.send(f"cat >/run/load <<'END'\npin={pin} other={other} wrong={WRONG_PIN}\n{load}END\n"
                 "chmod 755 /run; su ann -c 'sh /run/load'")


def use_until(moment, machine, log, known):
    """Hears what the machine tells until the disk was told so much: the moment is drawn among
    writes and flushes, because most of the time goes by in Argon2id without any. A line that comes
    while the last of them are told may come after the moment, and is not heard."""
    deadline, lines = time.monotonic() + SECONDS, []
    while not log.reaches(*moment) and time.monotonic() < deadline:
        for line in lines:
            known.hear(line)
        lines = machine.lines_until(time.monotonic() + 0.0005)


def problems_after(machine, known):
    """What the machine says after a cut, against what is known; opens the keystore once."""
    status = machine.json("status")
    if status["keystore"] != "locked":
        return [f"the keystore is {status['keystore']}"]
    problems = []
    if status["attemptsLeft"] not in known.attempts_left():
        problems.append(f"{status['attemptsLeft']} attempts left, not {known.attempts_left()}")
    verified = machine.run("log", "--verify")
    if verified.code != 0 or status["log"] != "whole":
        problems.append(f"the log: {verified}")
    if "tamper" in machine.run("log", "--json").out:
        problems.append("a tamper entry")
    results = {pin: machine.run("show", "Counter", "--json", lines=[pin]) for pin in known.pins}
    opening = [pin for pin, result in results.items() if result.code == 0]
    if len(opening) != 1 or any(result.code not in (0, 77) for result in results.values()):
        return [*problems, f"PINs that open it: {results}"]
    told = json.loads(results[opening[0]].out)
    if told["otp"] != otp(links.SEED, told["counter"]):
        problems.append(f"{told} is not this seed's")
    known.opened(opening[0], told)
    return problems
