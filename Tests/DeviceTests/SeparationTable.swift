// Made-up machines and what must be said of them: DESIGN §6 as a table. Each row is a device, what is
// registered, and the verdict with its evidence, its reason and what the user is told to do.
@testable import Device

struct SeparationRow: Sendable, CustomStringConvertible {
    let description: String
    let device: MadeUpSystem
    var registered: [MadeUpSystem] = [.laptop()]
    var marker = PrescribingMarker.absent
    let verdict: String
    var evidence: [String] = []
    let reason: String
    let advice: String?
}

private let ask =
    "use another device for the soft token; if this computer no longer sends "
    + "prescriptions, ask your EPCS administrator for a link without its record"
private let copied =
    "use another device for the soft token; if this is a copy of that computer's "
    + "system, have its machine-id and its file system's UUID renewed"
private let unmark =
    "use another device for the soft token; if this computer does not send "
    + "prescriptions, run softtoken device unregister as root"
private let differs = "this device differs from each registered prescribing computer"
private let desk = "this is \"desk 0\": "
private let firmware =
    "the machine's hardware number matches, the machine's serial number "
    + "matches, the main board's serial number matches"

/// Another laptop, bought and installed by itself.
let otherLaptop = MadeUpSystem.laptop(
    serial: "MJ0B7T42", machineID: "ffeeddccbbaa99887766554433221100",
    rootUUID: "99999999-aaaa-4bbb-8ccc-dddddddddddd", disk: "2204E5F0AA11",
    mac: "3c:7c:3f:44:55:66", boot: "0a0b0c0d-0e0f-4011-9213-141516171819")

/// The registered laptop after a restart, with another system on it.
private let reinstalled = MadeUpSystem.laptop(
    machineID: "00112233445566778899aabbccddeeff",
    rootUUID: "11112222-3333-4444-8555-666677778888"
).rebooted()

private let newDisk = MadeUpSystem.laptop(
    machineID: "00112233445566778899aabbccddeeff",
    rootUUID: "11112222-3333-4444-8555-666677778888", disk: "21A9NN77"
).rebooted()

/// The registered laptop's image on the other laptop's hardware.
private let clone = MadeUpSystem.laptop(
    serial: "MJ0B7T42", disk: "2204E5F0AA11", mac: "3c:7c:3f:44:55:66"
).rebooted()

private func docked(_ system: MadeUpSystem) -> MadeUpSystem {
    var system = system
    let port = "pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0"
    system.addCard("enx0050b6aabbcc", mac: "00:50:b6:aa:bb:cc", at: port)
    return system
}

private func bare(_ system: MadeUpSystem, keeping kept: [String]) -> MadeUpSystem {
    var system = system
    let always = ["/proc/sys/"] + kept
    system.files = system.files.filter { file in always.contains { file.key.hasPrefix($0) } }
    system.links = [:]
    return system
}

/// A container: a machine-id of its own, no disks, no cards, the kernel of what it runs on.
private func container(on system: MadeUpSystem) -> MadeUpSystem {
    var system = bare(system, keeping: [])
    system["/etc/machine-id"] = "aaaabbbbccccddddeeeeffff00001111\n"
    system["/run/.containerenv"] = ""
    system.namespaces[.pid] = .other
    return system
}

private func changed(
    _ system: MadeUpSystem, _ change: (inout MadeUpSystem) -> Void
) -> MadeUpSystem {
    var system = system
    change(&system)
    return system
}

/// Two desktops of a maker that fills in nothing, one image not shared.
private func unlabelled(_ system: MadeUpSystem) -> MadeUpSystem {
    changed(system) {
        for name in ["product_serial", "board_serial", "chassis_serial"] {
            $0["/sys/class/dmi/id/\(name)"] = "To be filled by O.E.M.\n"
        }
        $0["/sys/class/dmi/id/product_uuid"] = "03000200-0400-0500-0006-000700080009\n"
    }
}

private func surrounded(_ system: MadeUpSystem, by path: String, _ text: String) -> MadeUpSystem {
    changed(system) { $0[path] = text }
}

let sameRows: [SeparationRow] = [
    SeparationRow(
        description: "the same machine, as root", device: .laptop(), verdict: "same",
        evidence: [
            "machine-id", "boot-id", "product-uuid", "product-serial", "board-serial",
            "chassis-serial", "disk-serial", "root-uuid", "mac",
        ],
        reason: desk + "the installed system is the same (machine-id), it is the same running "
            + "system, \(firmware), the case's serial number matches, a built-in disk's serial "
            + "number matches, the system's file system is the same and a network card's "
            + "address matches", advice: ask),
    SeparationRow(
        description: "the same machine after a restart, without root",
        device: .laptop().rebooted().withoutRoot, verdict: "same",
        evidence: ["machine-id", "disk-serial", "root-uuid", "mac"],
        reason: desk + "the installed system is the same (machine-id), a built-in disk's serial "
            + "number matches, the system's file system is the same and a network card's "
            + "address matches", advice: ask),
    SeparationRow(
        description: "the same machine after reinstalling the system, without root",
        device: reinstalled.withoutRoot, verdict: "same", evidence: ["disk-serial", "mac"],
        reason: desk + "a built-in disk's serial number matches and a network card's address "
            + "matches", advice: ask),
    SeparationRow(
        description: "the same machine with a new disk, installed anew, as root",
        device: newDisk, verdict: "same",
        evidence: ["product-uuid", "product-serial", "board-serial", "chassis-serial", "mac"],
        reason: desk + firmware + ", the case's serial number matches and a network card's "
            + "address matches", advice: ask),
    SeparationRow(
        description: "the same machine with its system copied to a new disk, without root",
        device: MadeUpSystem.laptop(disk: "21A9NN77").rebooted().withoutRoot, verdict: "same",
        evidence: ["machine-id", "root-uuid", "mac"],
        reason: desk + "the installed system is the same (machine-id), the system's file system "
            + "is the same and a network card's address matches", advice: copied),
    SeparationRow(
        description: "the same machine with a new network card, without root",
        device: MadeUpSystem.laptop(mac: "70:b5:e8:01:02:03").rebooted().withoutRoot,
        verdict: "same", evidence: ["machine-id", "disk-serial", "root-uuid"],
        reason: desk + "the installed system is the same (machine-id), a built-in disk's serial "
            + "number matches and the system's file system is the same", advice: ask),
    SeparationRow(
        description: "the other system of a dual boot, without root",
        device: reinstalled.withoutRoot, verdict: "same", evidence: ["disk-serial", "mac"],
        reason: desk + "a built-in disk's serial number matches and a network card's address "
            + "matches", advice: ask),
    SeparationRow(
        description: "a clone of the image on another laptop, without root",
        device: clone.withoutRoot, verdict: "same", evidence: ["machine-id", "root-uuid"],
        reason: desk + "the installed system is the same (machine-id) and the system's file "
            + "system is the same", advice: copied),
    SeparationRow(
        description: "a container on the registered machine, with a machine-id of its own",
        device: container(on: .laptop()), verdict: "same", evidence: ["boot-id"],
        reason: desk + "it is the same running system", advice: ask),
    SeparationRow(
        description: "a virtual machine that is registered itself",
        device: surrounded(.laptop(), by: "/sys/hypervisor/type", "xen\n").rebooted().withoutRoot,
        verdict: "same", evidence: ["machine-id", "disk-serial", "root-uuid", "mac"],
        reason: desk + "the installed system is the same (machine-id), a built-in disk's serial "
            + "number matches, the system's file system is the same and a network card's "
            + "address matches", advice: ask),
    SeparationRow(
        description: "the second of two registered machines",
        device: reinstalled.withoutRoot, registered: [otherLaptop, .laptop()], verdict: "same",
        evidence: ["disk-serial", "mac"],
        reason: "this is \"desk 1\": a built-in disk's serial number matches and a network "
            + "card's address matches", advice: ask),
    SeparationRow(
        description: "a damaged marker", device: otherLaptop, registered: [], marker: .damaged,
        verdict: "same", evidence: ["marker"],
        reason: "this is a computer that sends prescriptions: it bears the mark",
        advice: unmark),
]

let unverifiedRows: [SeparationRow] = [
    SeparationRow(
        description: "the same machine with a new disk, installed anew, without root",
        device: newDisk.withoutRoot, verdict: "unverified", evidence: ["mac"],
        reason: "this device has a network card of \"desk 0\"",
        advice: "take off docks and adapters that the prescribing computer uses, then try again"),
    SeparationRow(
        description: "another laptop with the registered one's dock", device: docked(otherLaptop),
        registered: [docked(.laptop())], verdict: "unverified", evidence: ["mac"],
        reason: "this device has a network card of \"desk 0\"",
        advice: "take off docks and adapters that the prescribing computer uses, then try again"),
    SeparationRow(
        description: "a clone of the image on another laptop, as root", device: clone,
        verdict: "unverified", evidence: ["machine-id", "root-uuid"],
        reason: "this device seems cloned from the same image as \"desk 0\"",
        advice: "have its machine-id and its file system's UUID renewed, then activate"),
    SeparationRow(
        description: "a clone with the registered machine's dock, in a virtual machine",
        device: surrounded(docked(clone), by: "/sys/hypervisor/type", "xen\n"),
        registered: [docked(.laptop())], verdict: "unverified",
        evidence: ["machine-id", "root-uuid", "mac"],
        reason: "this device seems cloned from the same image as \"desk 0\"",
        advice: "have its machine-id and its file system's UUID renewed, then activate"),
    SeparationRow(
        description: "a container on the registered machine after its restart",
        device: container(on: MadeUpSystem.laptop().rebooted()), verdict: "unverified",
        reason: "this is a container, which hides the computer it runs on",
        advice: "run softtoken outside of the container"),
    SeparationRow(
        description: "a virtual machine",
        device: surrounded(
            otherLaptop, by: "/sys/devices/system/cpu/modalias", "cpu:feature:,0001,009F,00C0\n"),
        verdict: "unverified",
        reason: "this is a virtual machine, which hides the computer it runs on",
        advice: "run softtoken on a device of its own, not inside of another"),
    SeparationRow(
        description: "WSL, a virtual machine too",
        device: surrounded(
            surrounded(
                otherLaptop, by: "/proc/sys/kernel/osrelease",
                "5.15.153.1-microsoft-standard-WSL2\n"),
            by: "/sys/hypervisor/type", "hyperv\n"), verdict: "unverified",
        reason: "this is Linux inside of Windows (WSL), which hides the computer it runs on",
        advice: "use a Linux device of its own, apart from the Windows computer"),
    SeparationRow(
        description: "a user namespace",
        device: changed(otherLaptop) { $0.namespaces[.user] = .other },
        verdict: "unverified",
        reason: "this is a user namespace, where any device can be made up",
        advice: "run softtoken from an ordinary terminal"),
    SeparationRow(
        description: "a time namespace",
        device: changed(otherLaptop) { $0.namespaces[.time] = .other },
        verdict: "unverified",
        reason: "this is a time namespace, where the clocks are not the device's",
        advice: "run softtoken from an ordinary terminal"),
    SeparationRow(
        description: "no record", device: otherLaptop, registered: [], verdict: "unverified",
        reason: "no prescribing computer is registered to compare this device with",
        advice: "on the computer you send prescriptions from, run softtoken device register"),
    SeparationRow(
        description: "no identifiers", device: bare(otherLaptop, keeping: []),
        verdict: "unverified",
        reason: "this device shows nothing that it could be recognised by",
        advice: "have a machine-id made for this device (systemd-machine-id-setup)"),
    SeparationRow(
        description: "a machine-id and nothing else that can be read",
        device: bare(otherLaptop, keeping: ["/etc/machine-id", "/sys/class/dmi"]).withoutRoot,
        verdict: "unverified",
        reason: "this device has too little in common with the record of \"desk 0\" to be "
            + "compared",
        advice: "attest that this is another device, or have that computer registered again"),
    SeparationRow(
        description: "one record that differs and one of a machine that shows next to nothing",
        device: otherLaptop,
        registered: [.laptop(), bare(.laptop(), keeping: ["/etc/machine-id"])],
        verdict: "unverified",
        reason: "this device has too little in common with the record of \"desk 1\" to be "
            + "compared",
        advice: "attest that this is another device, or have that computer registered again"),
    SeparationRow(
        description: "no /proc",
        device: changed(otherLaptop) {
            $0["/proc/sys/kernel/random/boot_id"] = nil
        }, verdict: "unverified",
        reason: "this device can't be told: files that everyone may read can't be read here",
        advice: "run softtoken from an ordinary terminal, with /proc mounted"),
]

let separateRows: [SeparationRow] = [
    SeparationRow(
        description: "another laptop, as root", device: otherLaptop, verdict: "separate",
        reason: differs, advice: nil),
    SeparationRow(
        description: "another laptop, without root", device: otherLaptop.withoutRoot,
        verdict: "separate", reason: differs, advice: nil),
    SeparationRow(
        description: "another laptop, two records",
        device: otherLaptop,
        registered: [
            .laptop(),
            .laptop(
                serial: "PF4AAAA1", machineID: "01234567000000000000000000000002",
                rootUUID: "77777777-aaaa-4bbb-8ccc-dddddddddddd", disk: "ZZZZ0001",
                mac: "a4:4c:c8:00:00:09"),
        ],
        verdict: "separate", reason: differs, advice: nil),
    SeparationRow(
        description: "two machines whose maker filled in placeholders",
        device: unlabelled(otherLaptop), registered: [unlabelled(.laptop())],
        verdict: "separate", reason: differs, advice: nil),
]
