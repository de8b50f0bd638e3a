// Reads what this device can be recognised by. A few dozen small files, under a millisecond; each
// that is missing is one identifier less, never an error. What can't be read though everyone may is
// told, so that nobody hides an identifier from this process (a file sandbox of the caller's own).
// Bound by FORMAT.md §1 (the table) and §3.
internal import Glibc
package import Linux

extension DeviceIdentity {
    /// Reads this device, once a process: call it first before the file sandbox closes.
    ///
    /// - Throws: `SystemError` (`EACCES`) for a first call inside of a file sandbox: nothing would be
    ///   found there, and a prescribing device be taken for another one.
    package static func read() throws(SystemError) -> DeviceIdentity { try own.get() }

    private static let own = Result { () throws(SystemError) in
        guard !Sandbox.areFilesConfined else { throw SystemError(.read, "/sys", code: EACCES) }
        return DeviceIdentity(tree: .real)
    }

    init(tree system: SystemTree) {
        let flaw = ReadingFlaw()
        let tree = flaw.noted(in: system)
        var found: [Identifier] = []
        func add(_ kind: IdentifierKind, _ bytes: [UInt8]?) {
            if let bytes { found.append(Identifier(kind, bytes)) }
        }
        add(.machineID, tree.machineID.bytes.flatMap { TextAlphabet.hexadecimal.bytes($0) })
        add(.bootID, tree.bootID)
        for (kind, name, form) in firmwareFiles {
            // Root's alone to read: not noted.
            add(kind, system.bytes("/sys/class/dmi/id/\(name)").flatMap(form))
        }
        if !tree.isPresent("/sys/class/dmi/id") {
            let serial = tree.bytes("/sys/firmware/devicetree/base/serial-number")
            add(.productSerial, serial.flatMap(normalSerial))
        }
        for serial in tree.diskSerials() { add(.diskSerial, serial) }
        add(.rootUUID, tree.rootUUID.flatMap(normalUUIDText))
        for address in tree.permanentMACs() { add(.macAddress, address) }
        self.init(found, isUnreadable: flaw.isNoted)
    }
}

/// The files of /sys/class/dmi/id with their normal forms; root alone reads them.
private let firmwareFiles: [(IdentifierKind, String, @Sendable ([UInt8]) -> [UInt8]?)] = [
    (.productUUID, "product_uuid", normalUUID), (.productSerial, "product_serial", normalSerial),
    (.boardSerial, "board_serial", normalSerial), (.chassisSerial, "chassis_serial", normalSerial),
]

extension SystemTree {
    var bootID: [UInt8]? { bytes("/proc/sys/kernel/random/boot_id").flatMap(normalUUID) }

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
}
