// A made-up system: paths with contents, links and files that this user can't read. Folders are
// what the paths imply. Answers the four questions of SystemTree.
@testable import Device
@testable import Linux

struct MadeUpSystem: Sendable {
    var files: [String: [UInt8]] = [:]
    var links: [String: String] = [:]
    var unreadable: Set<String> = []
    var isFiltered: Bool? = false
    /// What the kernel tells; a kind that is missing is one that nothing tells.
    var namespaces: [NamespaceKind: NamespaceReading] = [:]

    subscript(path: String) -> String? {
        get { files[path].map { String(decoding: $0, as: UTF8.self) } }
        set { files[path] = newValue.map { Array($0.utf8) } }
    }

    var tree: SystemTree {
        let system = self
        return SystemTree(
            contents: { path, limit in
                if system.unreadable.contains(path) { return .unreadable }
                return system.files[path].map { .bytes(Array($0.prefix(limit))) } ?? .absent
            },
            listing: { folder in
                if system.unreadable.contains(folder) { return nil }
                let paths = Array(system.files.keys) + Array(system.links.keys)
                let inside = paths.filter { $0.hasPrefix(folder + "/") }
                return Set(
                    inside.map { path in
                        String(path.dropFirst(folder.count + 1).prefix { $0 != "/" })
                    }
                ).sorted()
            },
            link: { system.links[$0] },
            isPresent: { path in
                system.files[path] != nil || system.links[path] != nil
                    || system.unreadable.contains(path)
                    || system.files.keys.contains { $0.hasPrefix(path + "/") }
            },
            namespace: { system.namespaces[$0] ?? .unknown }, isFiltered: { system.isFiltered })
    }

    var identity: DeviceIdentity { DeviceIdentity(tree: tree) }
    var environment: DeviceEnvironment { DeviceEnvironment(tree: tree) }

    /// Values of one kind that this system's identity has.
    func identifiers(_ kind: IdentifierKind) -> [String] {
        identity.identifiers.filter { $0.kind == kind }
            .map { String(decoding: $0.bytes, as: UTF8.self) }
    }
}

extension MadeUpSystem {
    /// A laptop as root sees it: firmware, one NVMe disk behind device mapper, two network cards.
    static func laptop(
        serial: String = "PF3XK9Q1", machineID: String = "0123456789abcdeffedcba9876543210",
        rootUUID: String = "3f1b5c6e-8e3d-4f2a-9c1b-7d6e5f4a3b2c",
        disk: String = "S6XNNF0T123456", mac: String = "a4:4c:c8:11:22:33",
        boot: String = "87448fb7-a04c-4056-bc4f-c2bebab924fb"
    ) -> MadeUpSystem {
        var system = MadeUpSystem()
        system.addKernel(boot: boot)
        system["/etc/machine-id"] = machineID + "\n"
        system.addFirmware(serial: serial)
        system.addNVMe("nvme0", serial: disk)
        system.addRoot(uuid: rootUUID)
        system.addCard("enp0s31f6", mac: mac, at: "pci0000:00/0000:00:1f.6")
        return system
    }

    /// The same machine without root: firmware serials can't be read.
    var withoutRoot: MadeUpSystem {
        var system = self
        for name in ["product_uuid", "product_serial", "board_serial", "chassis_serial"] {
            system.unreadable.insert("/sys/class/dmi/id/\(name)")
        }
        return system
    }

    /// The same machine after a restart.
    func rebooted(_ boot: String = "0f0e0d0c-0b0a-4908-8706-050403020100") -> MadeUpSystem {
        var system = self
        system["/proc/sys/kernel/random/boot_id"] = boot + "\n"
        return system
    }

    private mutating func addKernel(boot: String) {
        self["/proc/sys/kernel/random/boot_id"] = boot + "\n"
        self["/proc/sys/kernel/osrelease"] = "6.12.9-amd64\n"

        self["/sys/devices/system/cpu/modalias"] = "cpu:type:x86,ven0000fam0006:feature:,0000,009E"
        namespaces = [.user: .initial, .pid: .initial, .time: .initial]
    }

    private mutating func addFirmware(serial: String) {
        let digits = serial.utf8.map { String($0, radix: 16) }.joined()
        self["/sys/class/dmi/id/sys_vendor"] = "LENOVO\n"
        self["/sys/class/dmi/id/product_name"] = "21CBCTO1WW\n"
        self["/sys/class/dmi/id/product_uuid"] =
            "\(digits.prefix(8))-2351-11ee-8e2d-\(digits.prefix(12))\n"
        self["/sys/class/dmi/id/product_serial"] = serial + "\n"
        self["/sys/class/dmi/id/board_serial"] = "L1HF\(serial)\n"
        self["/sys/class/dmi/id/chassis_serial"] = serial + "\n"
    }

    mutating func addNVMe(_ name: String, serial: String, port: String = "fixed") {
        let function = "devices/pci0000:00/0000:00:06.0/0000:04:00.0"
        links["/sys/class/nvme/\(name)"] = "../../\(function)/nvme/\(name)"
        self["/sys/class/nvme/\(name)/transport"] = "pcie\n"
        self["/sys/class/nvme/\(name)/model"] = "Samsung SSD 980 PRO 1TB                 \n"
        self["/sys/class/nvme/\(name)/serial"] = serial + "      \n"
        self["/sys/\(function)/removable"] = port + "\n"
    }

    mutating func addRoot(uuid: String) {
        self["/proc/self/mountinfo"] = """
            22 27 0:21 / /proc rw,nosuid shared:12 - proc proc rw
            27 1 254:1 / / rw,relatime shared:1 - ext4 /dev/mapper/vg-root rw,errors=remount-ro
            30 27 259:2 / /boot rw,relatime shared:5 - ext4 /dev/nvme0n1p2 rw

            """
        links["/sys/dev/block/254:1"] = "../../devices/virtual/block/dm-1"
        links["/dev/disk/by-uuid/0000-AAAA"] = "../../nvme0n1p1"
        links["/dev/disk/by-uuid/\(uuid)"] = "../../dm-1"
    }

    mutating func addCard(_ name: String, mac: String, at path: String) {
        links["/sys/class/net/\(name)"] = "../../devices/\(path)/net/\(name)"
        self["/sys/class/net/\(name)/addr_assign_type"] = "0\n"
        self["/sys/class/net/\(name)/address"] = mac + "\n"
    }

    mutating func addDisk(
        _ name: String, serial: String, at path: String, removable: String = "0",
        model: String = "WDC WD10SPZX-24Z"
    ) {
        let page = [0, 0x80, 0, UInt8(serial.utf8.count)] + Array(serial.utf8)
        links["/sys/block/\(name)"] = "../devices/\(path)/block/\(name)"
        self["/sys/block/\(name)/removable"] = removable + "\n"
        self["/sys/block/\(name)/device/model"] = model + "\n"
        files["/sys/block/\(name)/device/vpd_pg80"] = page
    }
}
