// Prescribing records, and the files of /etc, /proc and /sys that name a device.
// Bound by Sources/Device/FORMAT.md §3, §4.
import Keystore

@testable import Device
@testable import Linux

let recordTargets = [
    FuzzTarget(name: "record") { bytes in
        attemptRecord(bytes)
        // With the right checksum: what stands behind it is met too.
        let whole = bytes + blake2b(bytes, byteCount: 32)[0..<4]
        attemptRecord(Array((PrescribingRecord.prefix + TextAlphabet.base64URL.text(whole)).utf8))
    },
    FuzzTarget(name: "system") { bytes in
        var input = InputReader(bytes)
        let transient = input.byte() & 1 == 1 ? input.bytes(33) : nil
        let text = Array(input.rest)
        if case .bytes(let digits) = machineID(text, transient) {
            require(digits.count == 32 && Set(digits).count > 1, "a machine-id has 32 digits")
            require(machineID(digits, nil) == .bytes(digits), "it reads back")
        }
        _ = lastMount(at: "/", in: text)
        _ = LoginGroup(cgroup: String(decoding: text, as: UTF8.self))
        if let status = ProcessStatus(stat: text) {
            require(status.parent >= 0, "a parent has a number")
        }
        for form in [normalUUID, normalSerial, normalMAC] {
            guard let normal = form(text) else { continue }
            require(!normal.isEmpty, "what identifies isn't empty")
        }
    },
]

/// The machine-id of a system that has these two files and no other.
private func machineID(_ text: [UInt8], _ transient: [UInt8]?) -> FileReading {
    SystemTree(
        contents: { path, _ in
            path == "/etc/machine-id" ? .bytes(text) : transient.map { .bytes($0) } ?? .absent
        },
        listing: { _ in [] }, link: { _ in nil }, isPresent: { _ in false },
        namespace: { _ in .initial }, isFiltered: { false }
    ).machineID
}

private func attemptRecord(_ text: [UInt8]) {
    guard let record = try? PrescribingRecord(parsing: text) else { return }
    require(text.count <= PrescribingRecord.textByteLimit, "a record has 2 KiB at most")
    require(Array(record.text.utf8) == text, "a record has one spelling")
    require(PrescribingRecord.isAcceptableLabel(record.label), "a label can be shown")
    let encoded = PrescribingRecord.encode(
        label: record.label, salt: record.salt, entries: record.entries)
    // Entries of unknown kinds stay in the record's own bytes alone.
    let isKnown = encoded.count == record.encoded.count
    require(!isKnown || encoded == record.encoded, "a record encodes to its own bytes")
    require(encoded.count <= record.encoded.count, "nothing is added to a record")
    require((try? PrescribingRecord(parsingFile: text + [0x0D, 0x0A])) == record, "a file's end")
}
