// What the file system at `/` lies on: its UUID, its partition's, its disk's serial. Read from
// links and short files that everybody may read; udev and the kernel make them, whatever mounted
// the root. Bound by Device/FORMAT.md §3 and §8.

extension SystemTree {
    /// The UUID of the file system at `/`, as /dev/disk/by-uuid spells it; nil where no disk of this
    /// machine holds it (overlay, a network, ZFS).
    package var rootUUID: String? { rootStorage.flatMap { uuid(of: $0) } }

    func uuid(of storage: RootStorage) -> String? {
        // A file system on several disks has one link, to whichever disk udev saw last.
        storage.isBtrfs
            ? btrfs(on: storage.device)
            : udevProperty("ID_FS_UUID_ENC", of: storage.device)
                ?? name(in: "/dev/disk/by-uuid", linkingTo: storage.device)
    }

    /// What udev's record of a block device says, from which it also makes the links: where a clone
    /// of the disk is plugged in, these lead to whichever came last.
    private func udevProperty(_ name: String, of device: String) -> String? {
        let number = line("/sys/class/block/\(device)/dev")
        guard !number.isEmpty, let record = bytes("/run/udev/data/b\(number)", limit: 65_536)
        else { return nil }
        let mark = "E:\(name)="
        let lines = String(decoding: record, as: UTF8.self).split(separator: "\n")
        return lines.first { $0.hasPrefix(mark) }.map { String($0.dropFirst(mark.count)) }
    }

    private func btrfs(on device: String) -> String? {
        names("/sys/fs/btrfs").first { isPresent("/sys/fs/btrfs/\($0)/devices/\(device)") }
    }

    /// The partition that holds the root alone: beneath encryption and volumes of one disk. nil where
    /// it lies on several, or on an array, whose members come and go.
    func partition(beneath storage: RootStorage) -> String? {
        if storage.isBtrfs, let uuid = btrfs(on: storage.device),
            names("/sys/fs/btrfs/\(uuid)/devices").count > 1
        {
            return nil
        }
        var device = storage.device
        // 8: deeper than volumes and encryption are stacked; a bound, should /sys answer nonsense.
        for _ in 0..<8 {
            guard !device.hasPrefix("md") else { return nil }
            let lower = names("/sys/class/block/\(device)/slaves")
            guard let only = lower.first else { return device }
            guard lower.count == 1 else { return nil }
            device = only
        }
        return nil
    }

    /// The UUID of a partition, as /dev/disk/by-partuuid spells it.
    func partitionUUID(of partition: String) -> String? {
        udevProperty("ID_PART_ENTRY_UUID", of: partition)
            ?? name(in: "/dev/disk/by-partuuid", linkingTo: partition)
    }

    /// The serial of the disk that a partition lies on, as the kernel tells it.
    func diskSerial(beneath partition: String) -> FileReading {
        guard let link = link("/sys/class/block/\(partition)") else { return .absent }
        let parts = link.split(separator: "/")
        if let controller = parts.first(where: { isNumbered($0, "nvme") }) {
            return contents("/sys/class/nvme/\(controller)/serial", 256)
        }
        let isPartition = isPresent("/sys/class/block/\(partition)/partition")
        guard let disk = (isPartition ? parts.dropLast() : parts[...]).last else { return .absent }
        if disk.hasPrefix("mmcblk") { return contents("/sys/class/block/\(disk)/device/cid", 256) }
        guard disk.hasPrefix("sd") else { return .absent }
        let page = contents("/sys/class/block/\(disk)/device/vpd_pg80", 256)
        guard case .bytes(let bytes) = page else { return page }
        return unitSerialNumber(bytes).map { .bytes($0) } ?? .absent
    }

    /// What the system's own file system came from; nil if it is no block device of this machine.
    /// An image-based system (ostree) has it at /sysroot: what stands at `/` has changed there from
    /// one version to the next.
    var rootStorage: RootStorage? {
        guard let mounts = bytes("/proc/self/mountinfo", limit: 65_536),
            let mount = lastMount(at: "/sysroot", in: mounts) ?? lastMount(at: "/", in: mounts)
        else { return nil }
        if let link = link("/sys/dev/block/\(mount.device)") {
            return RootStorage(device: lastComponent(link), isBtrfs: false)
        }
        // btrfs has device numbers of its own, and names one of its disks.
        guard mount.type == "btrfs", mount.source.hasPrefix("/dev/") else { return nil }
        let source = link(mount.source) ?? mount.source
        return RootStorage(device: lastComponent(source), isBtrfs: true)
    }
}

/// The block device that the root lies on.
struct RootStorage {
    /// As the kernel names it: "nvme0n1p2", "dm-0".
    let device: String
    let isBtrfs: Bool
}

/// What a line of /proc/self/mountinfo tells of a mount (proc_pid_mountinfo(5)).
package struct Mount: Equatable {
    /// "major:minor"
    package let device: String
    /// "ext4"
    package let type: String
    package let source: String
}

/// The last mount at a folder: the one that is seen.
package func lastMount(at folder: String, in mountinfo: [UInt8]) -> Mount? {
    let space = UInt8(ascii: " ")
    let folder = Array(folder.utf8)[...]
    var found: Mount?
    var rest = mountinfo[...]
    while !rest.isEmpty {
        let line = rest.prefix { $0 != UInt8(ascii: "\n") }
        rest = rest[line.endIndex...].dropFirst()
        // Most lines are of other mounts: these are not taken apart.
        guard folder == field(4, of: line) else { continue }
        let fields = line.split(separator: space)
        guard fields.count >= 10,
            let dash = fields[6...].firstIndex(where: { $0 == [UInt8(ascii: "-")] }),
            dash + 2 < fields.count
        else { continue }
        let text = [2, dash + 1, dash + 2].map { String(decoding: fields[$0], as: UTF8.self) }
        found = Mount(device: text[0], type: text[1], source: text[2])
    }
    return found
}

/// What stands behind so many spaces, until the next one; nothing where there are fewer.
private func field(_ number: Int, of line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var rest = line
    for _ in 0..<number { rest = rest.drop { $0 != UInt8(ascii: " ") }.dropFirst() }
    return rest.prefix { $0 != UInt8(ascii: " ") }
}

/// The serial in SCSI's unit serial number page (SPC-4 §7.8.18): type, 0x80, length, serial.
package func unitSerialNumber(_ page: [UInt8]) -> [UInt8]? {
    guard page.count > 4, page[1] == 0x80 else { return nil }
    let count = Int(page[2]) << 8 | Int(page[3])
    guard count <= page.count - 4 else { return nil }
    return Array(page[4..<4 + count])
}

/// Whether nothing but a number stands behind a prefix: `nvme0` and not `nvme0n1`.
package func isNumbered(_ part: Substring, _ prefix: String) -> Bool {
    part.hasPrefix(prefix) && part.count > prefix.count
        && part.dropFirst(prefix.count).allSatisfy(\.isNumber)
}
