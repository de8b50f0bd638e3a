// The marker of a prescribing device: its own prescribing record in a file that root alone writes.
// Bound by DESIGN §6 (`device register`) and FORMAT.md §5: reading it fails closed.
internal import Glibc
internal import Linux

/// What stands at /etc/softtoken/prescribing-device.
package enum PrescribingMarker: Equatable, Sendable {
    case absent
    /// This device's record.
    case record(PrescribingRecord)
    /// Something that can't be trusted or parsed: still the mark of a prescribing device.
    case damaged

    package static let path = "\(folder)/\(name)"
    private static let folder = "/etc/softtoken"
    private static let name = "prescribing-device"
    /// A record's text and CRLF.
    private static let byteLimit = PrescribingRecord.textByteLimit + 2

    package static func read() -> PrescribingMarker { read(folder: folder, owner: 0) }

    /// Whether anything stands there. The file sandbox, inside of which the marker can't be read,
    /// leaves this look: root may register the device while a prompt waits.
    package static var isThere: Bool { !isSystemPathAbsent(path) }

    /// Reads a marker; another folder and owner than root's in tests only.
    static func read(folder: String, owner: UInt32) -> PrescribingMarker {
        // Whatever stands there and isn't a whole record of root's is a damaged marker, so that
        // spoiling the file doesn't lift the rule.
        do throws(FileProblem) {
            let path = "\(folder)/\(name)"
            guard let bytes = try readAdministratorFile(path, limit: byteLimit, owner: owner)
            else { return .absent }
            return (try? PrescribingRecord(parsingFile: bytes)).map { .record($0) } ?? .damaged
        } catch {
            return .damaged
        }
    }
}

extension PrescribingMarker {
    /// Registers this device as one that sends prescriptions: writes the marker, unless a whole
    /// one stands there. A damaged one is replaced.
    ///
    /// - Returns: the record that stands there now, and whether it did before.
    /// - Throws: `DeviceError`; the marker is then what it was.
    package static func register(
        label: String
    ) throws(DeviceError) -> (record: PrescribingRecord, wasThere: Bool) {
        guard geteuid() == 0 else { throw .notRoot }
        let identity: DeviceIdentity
        do throws(SystemError) { identity = try DeviceIdentity.read() } catch {
            throw .file(.system(error))
        }
        return try register(identity, label: label, folder: folder, owner: 0)
    }

    /// Removes the marker, whatever state it is in.
    ///
    /// - Returns: false if there was none.
    /// - Throws: `DeviceError`.
    package static func unregister() throws(DeviceError) -> Bool {
        guard geteuid() == 0 else { throw .notRoot }
        return try unregister(folder: folder, owner: 0)
    }

    static func register(
        _ identity: DeviceIdentity, label: String, folder: String, owner: UInt32
    ) throws(DeviceError) -> (record: PrescribingRecord, wasThere: Bool) {
        if case .record(let record) = read(folder: folder, owner: owner) { return (record, true) }
        let record = try PrescribingRecord.make(of: identity, label: label)
        do throws(FileProblem) {
            try replaceAdministratorFile(
                name, in: folder, bytes: Array("\(record.text)\n".utf8), owner: owner)
        } catch { throw .file(error) }
        return (record, false)
    }

    static func unregister(folder: String, owner: UInt32) throws(DeviceError) -> Bool {
        do throws(FileProblem) {
            return try removeAdministratorFile(name, in: folder, owner: owner)
        } catch { throw .file(error) }
    }
}
