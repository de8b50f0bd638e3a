// A user on a made-up machine: folders of its own, a clock that tests set. One unlock costs
// Argon2id's half second, so that tests share a keystore by copying its files.
import Activation
import Device
import Foundation
import Keystore
import Linux
import OTP
import Synchronization

@testable import SoftTokenCore

/// A clock that a test sets.
final class MadeUpClock: Sendable {
    private let seconds: Mutex<Int64>
    private let synchronized: Mutex<Bool?>

    init(_ unixSeconds: Int64, isSynchronized: Bool? = true) {
        seconds = Mutex(unixSeconds)
        synchronized = Mutex(isSynchronized)
    }

    func set(_ unixSeconds: Int64, isSynchronized: Bool? = true) {
        seconds.withLock { $0 = unixSeconds }
        synchronized.withLock { $0 = isSynchronized }
    }

    func reading() -> ClockReading {
        let now = seconds.withLock { $0 }
        return ClockReading(
            unixSeconds: now,
            boot: BootTime(
                bootID: [UInt8](repeating: 7, count: 16),
                nanoseconds: UInt64(now) * 1_000_000_000),
            isSynchronized: synchronized.withLock { $0 })
    }
}

/// A folder that is removed when the test ends.
final class MadeUpHome: Sendable {
    let path: String

    init() {
        path = NSTemporaryDirectory() + "softtoken-core-" + UUID().uuidString
        try? FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var place: Place { Place(dataPath: path + "/data", statePath: path + "/state") }
}

extension DeviceFacts {
    /// An ordinary laptop that nobody registered.
    static var ordinary: DeviceFacts {
        DeviceFacts(
            identity: {
                DeviceIdentity([
                    Identifier(.machineID, Array("machine".utf8)),
                    Identifier(.productUUID, Array("uuid-of-laptop".utf8)),
                    Identifier(.diskSerial, Array("disk-1".utf8)),
                ])
            },
            environment: DeviceEnvironment(), marker: .absent,
            machineID: {
                MachineValues([
                    .machineID: .bytes(Array("0123456789abcdef0123456789abcdef".utf8))
                ])
            }, login: .atDevice,
            isMarkerThere: { false })
    }

    /// The record of a computer that is another one.
    static var recordOfAnother: PrescribingRecord {
        get throws {
            try PrescribingRecord.make(
                of: DeviceIdentity([
                    Identifier(.machineID, Array("front-desk".utf8)),
                    Identifier(.productUUID, Array("uuid-of-front-desk".utf8)),
                    Identifier(.diskSerial, Array("disk-of-front-desk".utf8)),
                ]), label: "front desk")
        }
    }

    /// The record of this very laptop.
    static var recordOfItself: PrescribingRecord {
        get throws { try PrescribingRecord.make(of: ordinary.identity(), label: "laptop") }
    }
}

/// A PIN in guarded memory.
func madeUpPIN(_ digits: String) throws -> PINDigits {
    guard let pin = try PINDigits(Array(digits.utf8).span) else { throw MadeUpError.malformed }
    return pin
}

enum MadeUpError: Error { case malformed }

extension Flow {
    /// Keeps a record as `Unlocked.forbid` does, without its check.
    func forbid(_ session: inout Session, _ record: PrescribingRecord) throws(AuthenticatorError) {
        let entry = AuditEntry(.device, .ok, detail: "a prescribing record was added")
        try change(&session, logging: entry) { (keystore) throws(KeystoreError) in
            try keystore.add(prescribingRecord: record.text)
        }
    }
}

// So that an expectation reads as it would for an enum.
extension AuthenticatorError {
    static func sameDevice(_ evidence: SeparationEvidence) -> Self { Self(.sameDevice(evidence)) }
    static func attestationMissing(_ reason: UnverifiedReason) -> Self {
        Self(.attestationMissing(reason))
    }
    static func clockUnconfirmed(_ doubt: ClockDoubt) -> Self { Self(.clockUnconfirmed(doubt)) }
}
