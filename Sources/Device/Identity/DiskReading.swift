// Serials of the disks that are built in: never of one that travels between devices, nor of one
// that a hypervisor made up. Bound by FORMAT.md §3 (disks).
internal import Linux

extension SystemTree {
    /// Serials of built-in disks, in their normal form.
    func diskSerials() -> [[UInt8]] {
        let controllers = names("/sys/class/nvme").prefix(32).compactMap(nvmeSerial)
        let disks = names("/sys/block").prefix(256).compactMap { name in
            if name.hasPrefix("sd") { return scsiSerial(name) }
            // Not its partitions and boot areas.
            return isNumbered(name[...], "mmcblk") ? embeddedSerial(name) : nil
        }
        return controllers + disks
    }

    private func nvmeSerial(_ name: String) -> [UInt8]? {
        let controller = "/sys/class/nvme/\(name)"
        guard line("\(controller)/transport") == "pcie", let link = link(controller),
            !isBehindRemovablePort(link), !isEmulated(line("\(controller)/model"))
        else { return nil }
        return diskSerial(bytes("\(controller)/serial"))
    }

    private func scsiSerial(_ name: String) -> [UInt8]? {
        let disk = "/sys/block/\(name)"
        guard let link = link(disk), isSATAOrSAS(link), line("\(disk)/removable") == "0",
            !isBehindRemovablePort(link), !isEmulated(line("\(disk)/device/model"))
        else { return nil }
        return diskSerial(bytes("\(disk)/device/vpd_pg80").flatMap(unitSerialNumber))
    }

    private func embeddedSerial(_ name: String) -> [UInt8]? {
        let card = "/sys/block/\(name)/device"
        // An SD card says SD and travels; what is soldered in says MMC.
        guard line("\(card)/type") == "MMC" else { return nil }
        return diskSerial(bytes("\(card)/cid"))
    }

    /// Whether the disk's PCI function lies beyond a port that leads out of the case.
    private func isBehindRemovablePort(_ link: String) -> Bool {
        guard let function = pciFunction(in: link) else { return false }
        return line("\(function)/removable") == "removable"
    }
}

/// The folder of the last PCI function in a link such as
/// `../devices/pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/block/sda`.
func pciFunction(in link: String) -> String? {
    let parts = link.split(separator: "/")
    guard let start = parts.firstIndex(of: "devices"),
        let last = parts.lastIndex(where: isPCIAddress), last > start
    else { return nil }
    return "/sys/" + parts[start...last].joined(separator: "/")
}

/// `0000:00:17.0`: domain of four digits or more, bus, slot, function.
private func isPCIAddress(_ part: Substring) -> Bool {
    let fields = part.split(separator: ":", omittingEmptySubsequences: false)
    guard fields.count == 3, fields[0].count >= 4, fields[1].count == 2 else { return false }
    return fields[2].count == 4 && fields[2].dropFirst(2).first == "."
}

private func isSATAOrSAS(_ link: String) -> Bool {
    link.split(separator: "/").contains { part in
        part.hasPrefix("end_device-") || isNumbered(part, "ata")
    }
}

private func diskSerial(_ bytes: [UInt8]?) -> [UInt8]? {
    guard let serial = bytes.flatMap(normalSerial), !serial.starts(with: "QM0000".utf8) else {
        return nil
    }
    return serial
}

private func isEmulated(_ model: String) -> Bool {
    let name = model.uppercased()
    return emulatedModels.contains { name.holds($0) }
}

private let emulatedModels = [
    "QEMU", "VBOX", "VMWARE", "VIRTUAL", "AMAZON", "GOOGLE", "NVME_CARD", "MSFT",
]
