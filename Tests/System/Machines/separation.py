"""The separate device on whole machines: DESIGN §6, Sources/Device/FORMAT.md §7.

The machines: `FRONT_DESK` is registered for prescribing; `SECOND` is the prescriber's other one.
Both have an NVMe disk of one serial that says QEMU: an emulated disk must prove nothing.
"""
import json

import links
from emulator import Hardware

PIN, CODE = "8531", links.CODE
ISSUER = links.Issuer()
ATTESTED = "--not-prescribing-device"
STRICT = '{"separation":"strict"}'
USERS = ("root", "ann")

FRONT_DESK = Hardware(
    "LENOVO", "21CB", "4c4c4544-0042-3510-804a-b4c04f4d3232", "PF3XK9Q1", "L1HF2AB00QX",
    "PF3XK9Q2", "S3Z8NB0K123456", "SAMSUNG-MZ7LN256", ("54:e1:ad:12:34:56",), "S4EWNX0M777777")
SECOND = Hardware(
    "HP", "ProBook", "9d2c1f60-77aa-4e1b-b0c3-5f0e2d1c4b3a", "5CG1234XYZ", "PKRTB0E8JDK01A",
    "5CG1234XYW", "WD-WXE1A90N4R2T", "WDC-WD5000LPCX", ("f4:39:09:65:43:21",), "S4EWNX0M777777")


def link(*records, policy=None, **statement):
    statement = {"prescribing": list(records), **({"policy": policy} if policy else {}),
                 **statement}
    return ISSUER.link(st=statement)


def activate(machine, text, *options, user="ann", name="Clinic"):
    return machine.run("activate", text, "--trust-issuer", ISSUER.fingerprint, "--name", name,
                       *options, lines=[CODE, PIN], user=user)


def register(machine):
    return machine.run("device", "register", "--label", "Front desk", user="root").out.strip()


def front_desk_record(run):
    """The record that another system of the front desk's prints."""
    machine = run.boot(FRONT_DESK, run.install())
    record = register(machine)
    machine.off()
    return record


def verdict(machine, user):
    """What `device check` says, with its exit code."""
    result = machine.run("device", "check", "--json", user=user)
    found = json.loads(result.out)
    return found["separation"], set(found["evidence"]), found["reason"], result.code


def refused(score, machine, name, user, commands):
    """Each ends with 80, with nothing asked and nothing printed."""
    for command in commands:
        result = machine.run(*command, user=user)
        score.equal(f"{name}: {command[0]} {command[1][:6] if len(command) > 1 else ''} "
                    f"is refused for {user}", (result.code, result.out), (80, ""))


def opening(record):
    return [["activate", link(), ATTESTED], ["activate", link(record)], ["show"],
            ["show", "--once", ATTESTED], ["list"], ["pin"], ["rename", "Clinic", "Other"],
            ["remove", "Clinic", "--yes"], ["device", "forbid", record]]


def front_desk(score, run):
    """The machine that is registered: itself, after a reboot, reinstalled, and its disk's clone."""
    system = run.install()
    machine = run.boot(FRONT_DESK, system)
    name = "the registered machine"
    before = activate(machine, link(), ATTESTED)
    score.equal("a machine that nobody registered activates once attested", before.code, 0)
    record = register(machine)
    score.equal("register prints a record of every kind that the machine has",
                links.kinds(record), [1, 2, 4, 5, 6, 7, 8, 9, 11])
    for user in USERS:
        refused(score, machine, name, user, opening(record))
    hardware = {"product-uuid", "product-serial", "board-serial", "chassis-serial"}
    everyone = {"machine-id", "marker", "disk-serial", "root-uuid", "mac"}
    machine.off()
    copy = system.cloned(run.path("clone"))

    machine = run.boot(FRONT_DESK, system)
    for user, evidence in (("root", everyone | hardware), ("ann", everyone)):
        found = verdict(machine, user)
        score.equal(f"{name} knows itself after a reboot, as {user}",
                    (found[0], found[1], found[3]), ("same", evidence, 80))
    machine.off()
    reinstalled(score, run, record)
    cloned(score, run, record, copy)


def reinstalled(score, run, record):
    machine = run.boot(FRONT_DESK, run.install())
    name = "the registered machine with a new system"
    for user in USERS:
        score.equal(f"{name} does not know itself without the record, as {user}",
                    verdict(machine, user)[0], "unverified")
        refused(score, machine, name, user, [["activate", link(record)],
                ["activate", link(record), ATTESTED], ["device", "forbid", record]])
        words = machine.run("activate", link(record), user=user).err
        score.true(f"{name} is told by its disk, as {user}", "disk's serial" in words, words)
        score.true(f"{name} says whose record it is, as {user}", '"Front desk"' in words, words)
        score.true(f"{name} is not told by its system, as {user}", "machine-id" not in words, words)
    machine.off()


def cloned(score, run, record, system):
    """The registered machine's disk image on the second machine's hardware."""
    machine = run.boot(SECOND, system)
    name = "a clone on other hardware"
    for user in USERS:
        found = verdict(machine, user)
        score.equal(f"{name} is marked as long as the mark is there, as {user}",
                    (found[0], found[1], found[3]),
                    ("same", {"machine-id", "marker", "root-uuid"}, 80))
    machine.run("device", "unregister", user="root")
    result = machine.run("activate", link(record), "--trust-issuer", ISSUER.fingerprint,
                         user="root")
    score.true(f"{name} is told to renew its machine-id, as root: 81",
               result.code == 81 and "cloned" in result.err and "machine-id" in result.err, result)
    result = machine.run("activate", link(record), ATTESTED)
    score.true(f"{name} is the same for ann, who can compare one disk only: 80",
               result.code == 80 and "machine-id" in result.err, result)
    machine.shell("head -c 16 /dev/urandom | xxd -p >/etc/machine-id")
    machine.off()
    system.renew_uuid()
    machine = run.boot(SECOND, system)
    result = machine.run("show", "--once", lines=[PIN])
    score.equal(f"{name} can't open the keystore that was copied along: 82", result.code, 82)
    machine.run("reset", "--yes")
    result = activate(machine, link(record, policy={"separation": "strict"}))
    score.equal(f"{name} is separate once machine-id and UUID are renewed", result.code, 0)
    machine.off()


def second(score, run):
    """The prescriber's own machine: separate, and what can keep it from being so."""
    record = front_desk_record(run)
    system = run.install()
    machine = run.boot(SECOND, system)
    standing(score, machine)
    for user in USERS:
        found = verdict(machine, user)
        score.equal(f"without a record nothing is separate, as {user}",
                    (found[0], found[3]), ("unverified", 0))
    machine.shell(f"mkdir -p /etc/softtoken; echo '{STRICT}' >/etc/softtoken/policy.json")
    score.equal("strict policy refuses a link without a record, whatever is attested",
                activate(machine, link(), ATTESTED).code, 81)
    by_link(score, machine, record)
    by_forbid(score, machine, record)
    machine.off()
    changed(score, run, system)


def by_link(score, machine, record):
    result = activate(machine, link(record))
    score.equal("the second machine activates a link with the record, unasked, under strict policy",
                result.code, 0)
    is_separate(score, machine, "ann", "by the record of its link")
    events = [json.loads(line)["event"] for line in
              machine.run("log", "--json").out.splitlines()]
    score.true("nothing was attested", "attest" not in events, events)


def by_forbid(score, machine, record):
    """root's own keystore, made before the record was known."""
    machine.shell("rm /etc/softtoken/policy.json")
    score.equal("without the record root attests", activate(
        machine, link(), ATTESTED, user="root").code, 0)
    result = machine.run("device", "forbid", record, lines=[PIN], user="root")
    score.equal("forbid keeps the record of the front desk", result.code, 0)
    machine.shell(f"echo '{STRICT}' >/etc/softtoken/policy.json")
    is_separate(score, machine, "root", "by a record that was forbidden")
    machine.shell("rm /etc/softtoken/policy.json")


def is_separate(score, machine, user, how):
    found = verdict(machine, user)
    score.equal(f"the second machine is separate {how}, as {user}",
                (found[0], found[1], found[3]), ("separate", set(), 0))
    status = machine.json("status", user=user)
    score.equal(f"status says so, as {user}", status["device"]["separation"], "separate")
    result = machine.run("show", "--once", lines=[PIN], user=user)
    score.true(f"show asks no attestation under strict policy, as {user}",
               result.code == 0 and len(result.out.strip()) == 6, result)


def changed(score, run, system):
    """The second machine once its parts change."""
    dock = SECOND.but(macs=SECOND.macs + FRONT_DESK.macs)
    disk = SECOND.but(disk="WD-WXNEWDISK123", disk_model="WDC-WD10SPZX")
    # (what changed, hardware, verdict of each user, evidence)
    changes = [
        ("its disk was exchanged and the system copied over", disk, "separate", set()),
        ("it got the registered machine's disk", SECOND.but(
            disk=FRONT_DESK.disk, disk_model=FRONT_DESK.disk_model), "same", {"disk-serial"}),
        ("a hypervisor got under it", SECOND.but(processor="max"), "unverified", set()),
    ]
    for what, hardware, wanted, evidence in changes:
        machine = run.boot(hardware, system)
        for user in USERS:
            found = verdict(machine, user)
            score.equal(f"the second machine after {what} is {wanted}, as {user}",
                        (found[0], found[1], found[3]),
                        (wanted, evidence, 80 if wanted == "same" else 0))
            if wanted == "same":
                refused(score, machine, "with that disk", user, [["show"], ["show", ATTESTED],
                        ["list"], ["pin"]])
        machine.off()
    attestations(score, run, system, dock)


def attestations(score, run, system, dock):
    """Separate until now, and no longer: attestation is asked, each time anew."""
    machine = run.boot(dock, system)
    for user in USERS:
        found = verdict(machine, user)
        score.equal(f"a dock with the registered machine's card makes it unverified, as {user}",
                    (found[0], found[1], found[3]), ("unverified", {"mac"}, 0))
    result = machine.run("show", "--once", lines=[PIN])
    score.true("in that dock show asks for an attestation: 81",
               result.code == 81 and "network card" in result.err, result)
    result = machine.run("show", "--once", ATTESTED, lines=[PIN])
    score.equal("and shows once it is attested", result.code, 0)
    machine.off()
    machine = run.boot(SECOND, system)
    score.equal("out of the dock it is separate again", verdict(machine, "ann")[0], "separate")
    result = machine.run("show", "--once", lines=[PIN])
    score.equal("and shows unasked", result.code, 0)
    machine.off()
    # What ann can compare goes down to the machine-id: no serial, no name of the file system.
    machine = run.boot(SECOND.but(disk=""), system, "nouuid")
    found = verdict(machine, "ann")
    score.true("with its identifiers gone it is unverified for ann",
               found[0] == "unverified" and "too little" in found[2], found)
    score.equal("but not for root, who reads the firmware's", verdict(machine, "root")[0],
                "separate")
    result = machine.run("show", "--once", lines=[PIN])
    score.equal("what was attested before it was separate is asked again: 81", result.code, 81)
    machine.off()


def standing(score, machine):
    """What `status` says on a kernel of Debian's."""
    status = machine.json("status")
    score.equal("on Debian's kernel memory is locked and never dumped", status["memory"],
                {"locked": True, "coreDumps": False})
    score.equal("on Debian's kernel the network is blocked and files are confined",
                (status["network"], status["files"]), ("blocked", "confined"))
    score.equal("at the machine's own console nobody is remote", status["remote"], False)


def without_landlock(score, run):
    """A kernel that was told to leave Landlock out."""
    machine = run.boot(SECOND, run.install(), "lsm=yama,apparmor")
    status = machine.json("status")
    score.equal("without Landlock status says that files are open",
                (status["network"], status["files"]), ("blocked", "open"))
    words = machine.run("status").out
    score.true("and why", "this kernel has no Landlock" in words, words)
    result = machine.shell("su ann -c 'ulimit -l 64; softtoken status --json'")
    score.equal("64 KiB of lockable memory are enough for status",
                json.loads(result.out)["memory"]["locked"], True)
    machine.off()
