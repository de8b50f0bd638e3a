// Reading a device from made-up /proc, /sys, /dev and /etc. Bound by FORMAT.md §1 and §3.
import Foundation
import Testing

@testable import Device
@testable import Linux

@Suite struct IdentityReadingTests {
    @Test("Root reads every kind of a laptop but the TPM's")
    func laptop() {
        let identity = MadeUpSystem.laptop().identity
        #expect(
            Set(identity.identifiers.map(\.kind))
                == Set(IdentifierKind.allCases).subtracting([.tpmEndorsementKey]))
    }

    @Test("Without root the firmware's serials are not among them")
    func withoutRoot() {
        let identity = MadeUpSystem.laptop().withoutRoot.identity
        #expect(
            identity.identifiers.map(\.kind) == [
                .machineID, .bootID, .diskSerial, .rootUUID, .macAddress,
            ])
    }

    @Test(
        "What everyone may read and this process can't is told",
        arguments: [
            "/etc/machine-id", "/proc/self/mountinfo", "/proc/sys/kernel/random/boot_id",
            "/sys/class/nvme", "/sys/class/nvme/nvme0/serial", "/sys/class/nvme/nvme0/transport",
            "/sys/block", "/sys/class/net", "/sys/class/net/enp0s31f6/address",
            "/dev/disk/by-uuid",
        ])
    func hidden(path: String) {
        var system = MadeUpSystem.laptop().withoutRoot
        #expect(!system.identity.isUnreadable)
        system.unreadable.insert(path)
        #expect(system.identity.isUnreadable)
        let verdict = separationVerdict(
            of: system.identity, records: [], marker: .absent, environment: .init())
        #expect(verdict == .unverified(.environment(.unreadable)))
    }

    @Test(
        "What is no machine-id of this device is none",
        arguments: [
            "", "\n", "uninitialized\n", "00000000000000000000000000000000\n",
            "0123456789abcdeffedcba987654321\n", "0123456789abcdeffedcba98765432100\n",
            "0123456789abcdeffedcba987654321g\n",
        ])
    func machineIDs(text: String) {
        var system = MadeUpSystem.laptop()
        system["/etc/machine-id"] = text
        #expect(!system.identity.identifiers.contains { $0.kind == .machineID })
    }

    @Test("A machine-id of this boot only is none")
    func transientMachineID() {
        var system = MadeUpSystem.laptop()
        system["/run/machine-id"] = system["/etc/machine-id"]
        #expect(!system.identity.identifiers.contains { $0.kind == .machineID })
        system["/run/machine-id"] = "ffffffffffffffffffffffffffff0000\n"
        #expect(system.identity.identifiers.contains { $0.kind == .machineID })
    }

    @Test("Disks that travel, are far away or are made up have no serial")
    func otherDisks() {
        var system = MadeUpSystem.laptop()
        let ata = "pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0"
        system.addDisk("sda", serial: "WD-WX21A1234567", at: ata)
        system.addDisk("sdb", serial: "HOTPLUG1", at: ata, removable: "1")
        system.addDisk(
            "sdc", serial: "USBSTICK1",
            at: "pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/host3/target3:0:0/3:0:0:0")
        system.addDisk("sdd", serial: "ISCSI001", at: "platform/host4/session1/target4:0:0/4:0:0:1")
        system.addDisk("sde", serial: "QM00001", at: ata, model: "SOLID STATE")
        system.addDisk("sdf", serial: "VB1234ABCD", at: ata, model: "VBOX HARDDISK")
        system.addDisk("vda", serial: "VIRTIO01", at: "pci0000:00/0000:00:02.0/virtio1")
        system.addDisk("loop0", serial: "LOOP0001", at: "virtual")
        let sas = "pci0000:00/0000:03:00.0/host5/port-5:0/end_device-5:0/target5:0:0/5:0:0:0"
        system.addDisk("sdg", serial: "SAS7K2000", at: sas)
        #expect(
            system.identifiers(.diskSerial) == ["S6XNNF0T123456", "SAS7K2000", "WD-WX21A1234567"])
    }

    @Test("An NVMe disk counts only where it is built in")
    func nvme() {
        var system = MadeUpSystem.laptop()
        system["/sys/devices/pci0000:00/0000:00:06.0/0000:04:00.0/removable"] = "removable\n"
        #expect(system.identifiers(.diskSerial) == [])
        system = .laptop()
        system["/sys/class/nvme/nvme0/transport"] = "tcp\n"
        #expect(system.identifiers(.diskSerial) == [])
        system = .laptop()
        system["/sys/class/nvme/nvme0/model"] = "Amazon Elastic Block Store\n"
        #expect(system.identifiers(.diskSerial) == [])
    }

    @Test("Soldered memory counts, a memory card doesn't")
    func embedded() {
        var system = MadeUpSystem()
        system["/sys/block/mmcblk0/device/type"] = "MMC\n"
        system["/sys/block/mmcblk0/device/cid"] = "150100424a54443452089d3ff5e2c6b1\n"
        system["/sys/block/mmcblk0boot0/device/type"] = "MMC\n"
        system["/sys/block/mmcblk0boot0/device/cid"] = "250100424a54443452089d3ff5e2c6b1\n"
        system["/sys/block/mmcblk1/device/type"] = "SD\n"
        system["/sys/block/mmcblk1/device/cid"] = "03534453433634478026a1b2c3014b00\n"
        #expect(system.identifiers(.diskSerial) == ["150100424A54443452089D3FF5E2C6B1"])
    }

    @Test("A unit serial number page that lies about its length is none")
    func serialPages() {
        #expect(unitSerialNumber([0, 0x80, 0, 4, 65, 66, 67, 68]) == [65, 66, 67, 68])
        #expect(unitSerialNumber([0, 0x80, 0, 5, 65, 66, 67, 68]) == nil)
        #expect(unitSerialNumber([0, 0x83, 0, 4, 65, 66, 67, 68]) == nil)
        #expect(unitSerialNumber([0, 0x80, 0, 0]) == nil)
    }

    @Test(
        "The file system at / is found by its device number, whatever its source is called",
        arguments: ["/dev/mapper/vg-root", "/dev/nvme0n1p3", "/dev/root", "none"])
    func rootUUIDs(source: String) {
        var system = MadeUpSystem.laptop()
        let uuid = "5d6c7b8a-0000-4111-8222-333344445555"
        system.links["/sys/dev/block/254:1"] = "../../devices/pci0000:00/ata1/block/sda/sda2"
        system.links = system.links.filter { !$0.key.hasPrefix("/dev/disk/") }
        system.links["/dev/disk/by-uuid/\(uuid)"] = "../../sda2"
        system["/proc/self/mountinfo"] = "27 1 254:1 / / rw shared:1 - ext4 \(source) rw\n"
        #expect(system.identifiers(.rootUUID) == [uuid])
    }

    @Test(
        "A root that no disk of this device holds has no UUID",
        arguments: [
            "27 1 0:30 / / rw - overlay overlay rw", "27 1 0:40 / / rw - zfs rpool/ROOT rw",
            "27 1 0:50 / / rw - nfs4 server:/ rw", "27 1 0:51 / / rw - btrfs /dev/dm-1 rw",
            "27 1 254:1 / /home rw - ext4 /dev/dm-1 rw", "",
            "- - -",
        ])
    func otherRoots(line: String) {
        var system = MadeUpSystem.laptop()
        system["/proc/self/mountinfo"] = line + "\n"
        #expect(system.identifiers(.rootUUID) == [])
    }

    @Test("Of two mounts at / the one that is seen counts")
    func overmounted() {
        let lines = """
            1 0 0:2 / / rw - rootfs rootfs rw
            27 1 254:1 / / rw,relatime shared:1 master:2 - ext4 /dev/dm-1 rw

            """
        #expect(
            lastMount(at: "/", in: Array(lines.utf8))
                == Mount(device: "254:1", type: "ext4", source: "/dev/dm-1"))
    }

    @Test("Cards without a permanent address, and bridges, have no MAC")
    func cards() {
        var system = MadeUpSystem.laptop()
        system.addCard("wlan0", mac: "70:b5:e8:01:02:03", at: "pci0000:00/0000:00:14.3")
        system["/sys/class/net/wlan0/addr_assign_type"] = "3\n"
        system.addCard("docker0", mac: "70:b5:e8:01:02:04", at: "virtual")
        system.addCard("usb0", mac: "72:b5:e8:01:02:05", at: "pci0000:00/0000:00:14.0/usb1")
        #expect(
            system.identity.identifiers.filter { $0.kind == .macAddress }
                == [Identifier(.macAddress, [0xA4, 0x4C, 0xC8, 0x11, 0x22, 0x33])])
    }

    @Test("Without DMI the device tree's serial is the product's")
    func deviceTree() {
        var system = MadeUpSystem()
        system["/sys/firmware/devicetree/base/serial-number"] = "100000003d1b5c6e\0"
        #expect(system.identifiers(.productSerial) == ["100000003D1B5C6E"])
        system["/sys/class/dmi/id/sys_vendor"] = "LENOVO\n"
        #expect(system.identifiers(.productSerial) == [])
    }

    @Test("This device reads the same twice, with the boot-id that the kernel tells")
    func thisDevice() throws {
        let identity = try DeviceIdentity.read()
        #expect(identity == DeviceIdentity(tree: .real))
        #expect(DeviceEnvironment.read() == DeviceEnvironment.read())
        let boot = try String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
        let bytes = TextAlphabet.hexadecimal.bytes(Array(boot.utf8.filter { $0 != 45 && $0 != 10 }))
        #expect(identity.identifiers.contains(Identifier(.bootID, try #require(bytes))))
    }

    @Test("Inside of a file sandbox no first reading succeeds, and a former one stands")
    func insideSandbox() async {
        await #expect(processExitsWith: .success) {
            try Sandbox.confineFiles(to: [])
            do throws(SystemError) {
                _ = try DeviceIdentity.read()
                preconditionFailure("an identity was read")
            } catch { precondition(error.code == EACCES) }
        }
        await #expect(processExitsWith: .success) {
            let before = try DeviceIdentity.read()
            try Sandbox.confineFiles(to: [])
            let after = try DeviceIdentity.read()
            precondition(after == before)
        }
    }
}
