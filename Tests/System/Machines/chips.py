"""A computer's chip behind the kernel's own resource manager: DESIGN §5. The chip is a software TPM that
QEMU's machine has as its own; a power cut takes it along.
"""

import powercut
from chip import Chip
from delays import SUSPENDED, WRONG_PIN
from separation import ATTESTED, PIN, SECOND, activate, link

NEW_PIN = "6947"
SHOW = ("show", "--once")


def boot(run, system, chip, log=None):
    """The kernel as Debian packs it: started otherwise it has no ACPI, and finds no chip. It is not to
    give up over an emulated timer that a busy host keeps waiting, nor is who waits for it."""
    return run.boot(SECOND, system, "no_timer_check", chip=chip, log=log,
                    kernel=run.emulator.wrapped_kernel, seconds=400)


def permit(machine):
    """There is no udev: the group that may use the chip is ann's own."""
    machine.shell("chown 0:1000 /dev/tpmrm0; chmod 660 /dev/tpmrm0")
    return machine


def indices(chip):
    """What the chip holds, of a machine that is off."""
    other = chip.copy()
    found = other.indices()
    other.drop()
    return found


def left(machine):
    """How many sessions and objects the kernel's resource manager finds in the chip, asked by a command
    of our own (GetCapability), as root and past the resource manager."""
    script = "".join(
        f"exec 4<>/dev/tpm0; printf '\\200\\001\\000\\000\\000\\026\\000\\000\\001\\172"
        f"\\000\\000\\000\\001\\{kind}\\000\\000\\000\\000\\000\\000\\376' >&4;"
        " head -c 19 <&4 | tail -c 4 | od -An -tx1; exec 4>&-;"
        for kind in ("002", "003", "200"))
    return machine.shell(script).out.split()


def chip(score, run):
    """Activation, use, a reboot, a suspension, a clearing."""
    system, own = run.install(), Chip(is_on=False)
    machine = boot(run, system, own)
    result = activate(machine, link(), ATTESTED, "--protector", "tpm2")
    score.equal("the kernel keeps ann from the chip at first: 69", result.code, 69)
    permit(machine)
    result = activate(machine, link(policy={"attempts": 3}), ATTESTED, "--protector", "tpm2")
    score.equal("a token is activated into the chip", result.code, 0)
    status = machine.json("status")
    score.equal("status says so", status["protector"], "tpm2")
    codes = [machine.run(*SHOW, lines=[pin]).code for pin in (PIN, WRONG_PIN, PIN, WRONG_PIN)]
    score.equal("right and wrong PINs are told", codes, [0, 77, 0, 77])
    result = machine.shell("for n in 1 2 3 4 5; do (echo " + PIN + " | su ann -c 'softtoken show --once'"
                           " >/run/show-$n 2>&1; echo $? >>/run/codes) & done; wait; cat /run/codes")
    score.equal("five at once show", result.out.split(), ["0"] * 5)
    score.equal("no session and no object is left in the chip", set(left(machine)), {"00"})
    result = machine.run("pin", lines=[PIN, NEW_PIN])
    score.equal("the PIN is changed", result.code, 0)
    score.equal("a wrong PIN is counted", machine.run(*SHOW, lines=[WRONG_PIN]).code, 77)
    machine.off()
    score.equal("the chip holds one pair", len(indices(own)), 2)

    machine = permit(boot(run, system, own))
    score.equal("after a reboot two attempts are left", machine.json("status")["attemptsLeft"], 2)
    score.equal("... and the PIN opens", machine.run(*SHOW, lines=[NEW_PIN]).code, 0)
    slept = machine.shell(f"echo +{SUSPENDED} >/sys/class/rtc/rtc0/wakealarm"
                          " && echo mem >/sys/power/state && echo awake")
    score.true("the machine was suspended", "awake" in slept.out, slept)
    score.equal("after a suspension the PIN opens", machine.run(*SHOW, lines=[NEW_PIN]).code, 0)
    machine.cut()
    cleared(score, run, system, own)


def cleared(score, run, system, own):
    own.off()
    other = own.copy()
    score.equal("the owner clears the chip", other.tool("tpm2_clear"), 0)
    other.off()
    machine = permit(boot(run, system, other))
    result = machine.run(*SHOW)
    score.equal("a cleared chip is told before the PIN: 82", result.code, 82)
    score.equal("... and resetting makes way for a new link", machine.run("reset", "--yes").code, 0)
    score.equal("a new link goes into the chip again",
                activate(machine, link(), ATTESTED, "--protector", "tpm2").code, 0)
    machine.cut()
    other.drop()
    own.drop()


def cuts(score, run, count):
    """Power cuts while a keystore in a chip is used: one PIN opens, and one pair is left."""
    own = Chip(is_on=False)
    powercut.cuts(score, run, "chip", count, lambda system, log=None: permit(boot(run, system, own, log)))
    score.equal("after the power cuts the chip holds one pair", len(indices(own)), 2)
    own.drop()
