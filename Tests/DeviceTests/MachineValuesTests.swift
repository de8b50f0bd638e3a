// What a keystore is bound to, from made-up /proc, /sys, /dev and /etc. Bound by FORMAT.md §8.
import Testing

@testable import Device
@testable import Linux

@Suite("Values of this machine") struct MachineValuesTests {
    private static let uuid = "3f1b5c6e-8e3d-4f2a-9c1b-7d6e5f4a3b2c"
    private static let partitionUUID = "0c0ffee0-1111-4222-8333-444455556666"
    private static let nvme = "devices/pci0000:00/0000:00:06.0/0000:04:00.0/nvme/nvme0/nvme0n1"

    /// A laptop whose root lies on an encrypted volume of its NVMe disk's third partition.
    private static func laptop() -> MadeUpSystem {
        var system = MadeUpSystem.laptop()
        system.addPartition("nvme0n1p3", at: "\(nvme)/nvme0n1p3", uuid: partitionUUID)
        system.links["/sys/class/block/dm-1/slaves/dm-0"] = "../../dm-0"
        system.links["/sys/class/block/dm-0/slaves/nvme0n1p3"] = "../../../\(nvme)/nvme0n1p3"
        return system
    }

    private func value(_ text: String) -> FileReading { .bytes(Array(text.utf8)) }

    @Test("An encrypted laptop has all four, through volumes and encryption")
    func laptop() {
        let values = MachineValues(tree: Self.laptop().tree)
        #expect(values[.machineID] == value("0123456789abcdeffedcba9876543210"))
        #expect(values[.rootUUID] == value(Self.uuid))
        #expect(values[.partitionUUID] == value(Self.partitionUUID))
        #expect(values[.diskSerial] == value("S6XNNF0T123456"))
    }

    @Test("A restart, another kernel, other device numbers and no root privilege change nothing")
    func stable() {
        let values = MachineValues(tree: Self.laptop().tree)
        var system = Self.laptop().rebooted().withoutRoot
        system["/proc/sys/kernel/osrelease"] = "7.0.1-amd64\n"
        #expect(MachineValues(tree: system.tree) == values)
        // The volume is dm-5 now, its encryption dm-3, its source is spelled otherwise.
        system.links = system.links.filter { !$0.key.contains("dm-") && !$0.value.contains("dm-") }
        system["/proc/self/mountinfo"] = "1 0 253:5 / / rw - ext4 /dev/dm-5 rw\n"
        system.links["/sys/dev/block/253:5"] = "../../devices/virtual/block/dm-5"
        system.links["/dev/disk/by-uuid/\(Self.uuid)"] = "../../dm-5"
        system.links["/sys/class/block/dm-5/slaves/dm-3"] = "../../dm-3"
        system.links["/sys/class/block/dm-3/slaves/nvme0n1p3"] = "x"
        #expect(MachineValues(tree: system.tree) == values)
    }

    @Test("A clone of the disk that is plugged in, and takes the links, changes nothing")
    func cloned() {
        var system = Self.laptop()
        system.links["/dev/disk/by-uuid/\(Self.uuid)"] = "../../sdb2"
        system.links["/dev/disk/by-partuuid/\(Self.partitionUUID)"] = "../../sdb3"
        for (device, number, property) in [
            ("dm-1", "254:1", "ID_FS_UUID_ENC=\(Self.uuid)"),
            ("nvme0n1p3", "259:3", "ID_PART_ENTRY_UUID=\(Self.partitionUUID)"),
        ] {
            system["/sys/class/block/\(device)/dev"] = number + "\n"
            system["/run/udev/data/b\(number)"] = "S:disk/by-id/x\nE:ID_X=1\nE:\(property)\n"
        }
        #expect(MachineValues(tree: system.tree) == MachineValues(tree: Self.laptop().tree))
    }

    @Test("A SATA disk and a memory card tell their serials, a USB disk none")
    func disks() {
        var system = Self.laptop()
        func serial(_ partition: String, at path: String) -> FileReading {
            system.links["/sys/dev/block/254:1"] = "../../\(path)"
            system.addPartition(partition, at: path, uuid: "1-1")
            return MachineValues(tree: system.tree)[.diskSerial]
        }
        let ata = "devices/pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/block/sda/sda2"
        #expect(serial("sda2", at: ata) == .absent)
        system.files["/sys/class/block/sda/device/vpd_pg80"] =
            [0, 0x80, 0, 12] + Array("  wd-wx21a  ".utf8)
        #expect(serial("sda2", at: ata) == value("WD-WX21A"))
        system.unreadable.insert("/sys/class/block/sda/device/vpd_pg80")
        #expect(serial("sda2", at: ata) == .unreadable)
        system["/sys/class/block/mmcblk0/device/cid"] = "150100424a54443452089d3ff5e2c6b1\n"
        let card = "devices/platform/mmc_host/mmc0/mmc0:0001/block/mmcblk0/mmcblk0p2"
        #expect(serial("mmcblk0p2", at: card) == value("150100424A54443452089D3FF5E2C6B1"))
        #expect(serial("vda1", at: "devices/pci0000:00/virtio1/block/vda/vda1") == .absent)
    }

    @Test("What lies on several disks, or on an array, is bound to no partition and no disk")
    func severalDisks() {
        var system = Self.laptop()
        system.links["/sys/class/block/dm-1/slaves/sdb1"] = "x"
        expectOnlyUUID(system)
        system = Self.laptop()
        system.links["/sys/class/block/dm-0/slaves/nvme0n1p3"] = nil
        system.links["/sys/class/block/dm-0/slaves/md127"] = "x"
        system.links["/sys/class/block/md127/slaves/nvme0n1p3"] = "x"
        expectOnlyUUID(system)
        // A loop among them ends.
        system.links["/sys/class/block/dm-0/slaves/md127"] = nil
        system.links["/sys/class/block/dm-0/slaves/dm-1"] = "x"
        expectOnlyUUID(system)
    }

    @Test("btrfs is told by its own folder, whichever of its disks stands in the mount")
    func btrfs() {
        var system = Self.laptop()
        let other = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
        system["/sys/fs/btrfs/features/no_holes"] = "0\n"
        system.links["/sys/fs/btrfs/\(other)/devices/nvme0n1p3"] = "x"
        system["/proc/self/mountinfo"] = "1 0 0:26 /@ / rw - btrfs /dev/nvme0n1p3 rw\n"
        var values = MachineValues(tree: system.tree)
        #expect(values[.rootUUID] == value(other))
        #expect(values[.partitionUUID] == value(Self.partitionUUID))
        // A second disk joins: the UUID stays, what is beneath is no longer one thing.
        system.links["/sys/fs/btrfs/\(other)/devices/sdb1"] = "x"
        for source in ["/dev/nvme0n1p3", "/dev/sdb1"] {
            system["/proc/self/mountinfo"] = "1 0 0:26 /@ / rw - btrfs \(source) rw\n"
            values = MachineValues(tree: system.tree)
            #expect(values[.rootUUID] == value(other))
            #expect(values[.partitionUUID] == .absent)
            #expect(values[.diskSerial] == .absent)
        }
    }

    @Test("An image-based system is told by its disk, whatever its version mounts at /")
    func imageBased() {
        let values = MachineValues(tree: Self.laptop().tree)
        var system = Self.laptop()
        for root in ["254:1 / / rw - ext4 /dev/dm-1", "0:30 / / ro - overlay composefs"] {
            system["/proc/self/mountinfo"] = """
                27 1 \(root) rw
                28 27 254:1 / /sysroot ro - ext4 /dev/dm-1 rw

                """
            #expect(MachineValues(tree: system.tree) == values)
        }
    }

    @Test("In a container nothing is told but a machine-id", arguments: ["overlay", "zfs", "nfs4"])
    func container(type: String) {
        var system = Self.laptop()
        system["/proc/self/mountinfo"] = "1 0 0:30 / / rw - \(type) \(type) rw\n"
        let values = MachineValues(tree: system.tree)
        #expect(values[.machineID] != .absent)
        for kind in [MachineValues.Kind.rootUUID, .partitionUUID, .diskSerial] {
            #expect(values[kind] == .absent)
        }
    }

    @Test("A machine-id that can't be read is told apart from one that isn't there")
    func unreadableMachineID() {
        var system = Self.laptop()
        system.unreadable.insert("/etc/machine-id")
        #expect(MachineValues(tree: system.tree)[.machineID] == .unreadable)
        system = Self.laptop()
        system["/etc/machine-id"] = nil
        #expect(MachineValues(tree: system.tree)[.machineID] == .absent)
    }

    private func expectOnlyUUID(_ system: MadeUpSystem) {
        let values = MachineValues(tree: system.tree)
        #expect(values[.rootUUID] == value(Self.uuid))
        #expect(values[.partitionUUID] == .absent)
        #expect(values[.diskSerial] == .absent)
    }
}

extension MadeUpSystem {
    fileprivate mutating func addPartition(_ name: String, at path: String, uuid: String) {
        links["/sys/class/block/\(name)"] = "../../\(path)"
        self["/sys/class/block/\(name)/partition"] = "2\n"
        links["/dev/disk/by-partuuid/\(uuid)"] = "../../\(name)"
    }
}
