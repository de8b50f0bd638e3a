// Reads what this device can be recognised by. A few dozen small files, under a millisecond; each
// that is missing or can't be read is one identifier less, never an error.
// Bound by FORMAT.md §1 (the table) and §3.
internal import Linux

extension DeviceIdentity {
    /// Reads this device and what surrounds the program.
    package static func read() -> (identity: DeviceIdentity, environment: DeviceEnvironment) {
        (DeviceIdentity(tree: .real), DeviceEnvironment(tree: .real))
    }

    init(tree: SystemTree) {
        var found: [Identifier] = []
        var unreadable: [IdentifierKind] = []
        func add(_ kind: IdentifierKind, _ bytes: [UInt8]?) {
            if let bytes { found.append(Identifier(kind, bytes)) }
        }
        add(.machineID, tree.machineID)
        add(.bootID, tree.bytes("/proc/sys/kernel/random/boot_id").flatMap(normalUUID))
        for (kind, name, form) in firmwareFiles {
            let reading = tree.contents("/sys/class/dmi/id/\(name)", 256)
            if reading == .unreadable { unreadable.append(kind) }
            add(kind, reading.bytes.flatMap(form))
        }
        if !tree.isPresent("/sys/class/dmi/id") {
            let serial = tree.bytes("/sys/firmware/devicetree/base/serial-number")
            add(.productSerial, serial.flatMap(normalSerial))
        }
        for serial in tree.diskSerials() { add(.diskSerial, serial) }
        add(.rootUUID, tree.rootUUID)
        for address in tree.permanentMACs() { add(.macAddress, address) }
        self.init(found, unreadableKinds: unreadable)
    }
}

/// The files of /sys/class/dmi/id with their normal forms; root alone reads them.
private let firmwareFiles: [(IdentifierKind, String, @Sendable ([UInt8]) -> [UInt8]?)] = [
    (.productUUID, "product_uuid", normalUUID), (.productSerial, "product_serial", normalSerial),
    (.boardSerial, "board_serial", normalSerial), (.chassisSerial, "chassis_serial", normalSerial),
]

extension SystemTree {
    /// The machine-id that outlasts this boot.
    fileprivate var machineID: [UInt8]? {
        guard let text = bytes("/etc/machine-id") else { return nil }
        let judged = MachineID(text: text, transient: bytes("/run/machine-id"))
        guard case .digits(let digits) = judged else { return nil }
        return bytesFromHexadecimal(digits)
    }

    /// MAC addresses that the maker gave to a card that is there.
    fileprivate func permanentMACs() -> [[UInt8]] {
        names("/sys/class/net").prefix(256).compactMap { name in
            let card = "/sys/class/net/\(name)"
            guard let link = link(card), !link.holds("devices/virtual/"),
                line("\(card)/addr_assign_type") == "0"
            else { return nil }
            return bytes("\(card)/address").flatMap(normalMAC)
        }
    }

    /// The UUID of the file system at `/`.
    fileprivate var rootUUID: [UInt8]? {
        guard let mounts = bytes("/proc/self/mountinfo", limit: 65_536),
            let mount = lastMountAtRoot(in: mounts), let device = blockDevice(of: mount)
        else { return nil }
        let folder = "/dev/disk/by-uuid"
        let name = names(folder).first { name in
            link("\(folder)/\(name)").map { lastComponent($0) } == device
        }
        return name.flatMap(normalUUIDText)
    }

    /// The kernel's name of the block device that a mount came from: "nvme0n1p2", "dm-0".
    private func blockDevice(of mount: Mount) -> String? {
        guard mount.source.hasPrefix("/dev/") else { return nil }
        if mount.source == "/dev/root" {
            return link("/sys/dev/block/\(mount.device)").map { lastComponent($0) }
        }
        return lastComponent(link(mount.source) ?? mount.source)
    }
}

/// What a line of /proc/self/mountinfo tells of a mount (proc_pid_mountinfo(5)).
struct Mount: Equatable {
    /// "major:minor"
    let device: String
    let source: String
}

/// The last mount at `/`: the one that is seen.
func lastMountAtRoot(in mountinfo: [UInt8]) -> Mount? {
    var found: Mount?
    for line in mountinfo.split(separator: UInt8(ascii: "\n")) {
        let fields = line.split(separator: UInt8(ascii: " "))
        guard fields.count >= 10, fields[4].elementsEqual([UInt8(ascii: "/")]),
            let dash = fields[6...].firstIndex(where: { $0.elementsEqual([UInt8(ascii: "-")]) }),
            dash + 2 < fields.count
        else { continue }
        found = Mount(
            device: String(decoding: fields[2], as: UTF8.self),
            source: String(decoding: fields[dash + 2], as: UTF8.self))
    }
    return found
}

func lastComponent(_ path: String) -> String {
    path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
}
