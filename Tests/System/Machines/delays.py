"""Delays after wrong PINs over a real reboot and a real suspension: DESIGN §4."""
import links
from emulator import Hardware
from separation import ATTESTED, PIN, activate, link

WRONG_PIN = "5068"
SUSPENDED = 45  # seconds
# Its only disk is an NVMe one, which QEMU names after itself.
THIRD = Hardware(
    "Dell Inc.", "Latitude", "4c4c4544-0051-4a10-8050-cac04f4e3933", "GQJPN93", "CN0XYZ12345",
    "GQJPN94", "", "", ("8c:04:ba:0a:0b:0c",), "S4EWNX0M888888", boots_nvme=True)


def delays(score, run):
    """Five wrong PINs; then a reboot, then a suspension that outlasts the delay."""
    system = run.install()
    machine = run.boot(THIRD, system)
    record = machine.run("device", "register", user="root").out.strip()
    score.equal("an NVMe disk that says QEMU is none, its file system's UUID counts",
                links.kinds(record), [1, 2, 4, 5, 6, 7, 9, 11])
    machine.run("device", "unregister", user="root")
    score.equal("a token is activated", activate(machine, link(), ATTESTED).code, 0)
    codes = [machine.run("show", "--once", lines=[WRONG_PIN]).code for _ in range(5)]
    score.equal("five wrong PINs are told", codes, [77] * 5)
    refused(score, machine, "right after the fifth")
    machine.off()

    machine = run.boot(THIRD, system, kernel=run.emulator.wrapped_kernel)
    up = float(machine.shell("cat /proc/uptime").out.split()[0])
    if up < 20:
        refused(score, machine, "after a reboot")
    else:
        print(f"  not shown: the delay after a reboot, which took {up} s", flush=True)
    result = machine.shell(
        f"echo +{SUSPENDED} >/sys/class/rtc/rtc0/wakealarm && echo mem >/sys/power/state"
        " && cat /proc/uptime")
    slept = result.code == 0 and float(result.out.split()[0]) > up + SUSPENDED - 5
    score.true("the machine was suspended, and its boot time went on", slept, result)
    score.equal("after the suspension the delay is over", machine.json("status")["keystore"],
                "locked")
    score.equal("and five attempts are left", machine.json("status")["attemptsLeft"], 5)
    result = machine.run("show", "--once", lines=[PIN])
    score.equal("the right PIN shows", result.code, 0)
    score.equal("and gives the attempts back", machine.json("status")["attemptsLeft"], 10)
    machine.cut()  # QEMU doesn't switch off a machine that has slept


def refused(score, machine, when):
    result = machine.run("show", "--once", lines=[PIN])
    score.equal(f"{when} the right PIN has to wait: 75", result.code, 75)
    status = machine.json("status")
    score.equal(f"{when} status says so", (status["keystore"], status["attemptsLeft"]),
                ("delayed", 5))
