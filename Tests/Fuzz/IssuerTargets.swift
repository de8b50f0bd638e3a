// What a vendor or an office sends to softtoken-issuer: PSKC files and tables. Bound by RFC 6030,
// RFC 4180 and Sources/softtoken-issuer/RECORDS.md.
import Glibc
import Keystore
import Linux
import OTP

@testable import IssuerReaders

let issuerTargets = [
    FuzzTarget(name: "pskc") { bytes in
        var edits: [(serial: String, edit: RecordEdit)] = []
        var states: [[RecordEdit]] = []
        guard
            let outline = readContainer(
                bytes,
                { package in
                    check(package)
                    if let edit = package.edit(toAccount: boundAccount) {
                        edits.append((package.id, edit))
                    }
                    if let state = state(package) { states.append(package.edits(to: state)) }
                })
        else { return }
        require(outline.insertionOffset <= bytes.count, "a new package goes into the file")
        for edit in edits.map(\.edit) + states.joined() {
            require(edit.range.upperBound <= bytes.count, "an edit lies in the file")
        }
        // A file that was bound or verified once must be read the next time.
        if let first = edits.first {
            var accounts: [String?] = []
            let bound = readContainer(applied([first.edit], bytes)) {
                accounts.append($0.account)
            }
            require(bound?.packageCount == outline.packageCount, "a bound file can be read")
            require(accounts.contains(boundAccount), "a bound token has its account")
        }
        if let first = states.first {
            let verified = readContainer(applied(first, bytes)) { _ in }
            require(verified?.packageCount == outline.packageCount, "a new state can be read")
        }
    },
    FuzzTarget(name: "csv") { bytes in
        let rows = readRows(bytes)
        let written = rows.map { row in row.map(csvField).joined(separator: ",") + "\r\n" }
        // The mark of its own keeps a field that begins with one whole.
        let again = readRows(Array(("\u{FEFF}" + written.joined()).utf8))
        require(again == rows.map { $0.map(withoutFormula) }, "a table reads back")
    },
]

private let boundAccount = "dr.fuzz, \"a\" <b>"

private func check(_ package: PSKCKeyPackage) {
    let keyring = PSKCKeyring()
    if let parameters = try? package.parameters(keyring) {
        require((6...8).contains(parameters.digits.value), "6 to 8 digits")
        switch parameters.factor {
        case .counter(let counter): require(counter < 1 << 53, "a counter that JSON carries")
        case .time(let seconds): require((1...3600).contains(seconds), "a step within limits")
        }
    }
    do throws(Failure) {
        let seed = try package.seed(keyring)
        require((1...64).contains(seed.byteCount), "1 to 64 bytes")
    } catch {}
    for purpose in [KeyPurpose.link, .verifying] {
        _ = try? package.policy.check(for: purpose, at: 1_750_000_000)
    }
    _ = package.account
}

/// What a verification would remember; nil for what it can't use.
private func state(_ package: PSKCKeyPackage) -> VerifierState? {
    guard var parameters = try? package.parameters(PSKCKeyring()) else { return nil }
    guard case .counter = parameters.factor else {
        return VerifierState(parameters: parameters, lastStep: 58_333_333, driftSteps: -1)
    }
    parameters.factor = .counter(7)
    return VerifierState(parameters: parameters)
}

private func readContainer(
    _ bytes: [UInt8], _ body: (PSKCKeyPackage) -> Void
) -> PSKCOutline? {
    try? readKeys(scratch.file(bytes)) { package, protection in
        body(package)
        // A file may ask for ten million rounds: that is slow, and meant.
        if case .derived(let parameters, _) = protection.encryptionKey,
            parameters.iterationCount > 100
        {
            return
        }
        guard let keyring = try? PSKCKeyring(protection, unlockedWith: scratch.secret) else {
            return
        }
        _ = try? package.parameters(keyring)
        do throws(Failure) { _ = try package.seed(keyring) } catch {}
    }
}

private func applied(_ edits: [RecordEdit], _ bytes: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var position = 0
    for edit in edits.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
        result += bytes[position..<edit.range.lowerBound] + edit.bytes
        position = edit.range.upperBound
    }
    return result + bytes[position...]
}

private func readRows(_ bytes: [UInt8]) -> [[String]] {
    var reader = CSVReader(scratch.file(bytes))
    var rows: [[String]] = []
    do throws(Failure) {
        while let row = try reader.next() {
            guard let fields = try? row.fields.get() else { continue }
            require(row.line > 0 && !fields.isEmpty, "a row has a line and a field")
            rows.append(fields)
        }
    } catch { fatalError("the file failed") }
    return rows
}

/// One file in memory that holds what is read.
private final class Scratch: Sendable {
    let secret: SecureBytes
    private let path: String

    init() throws(KeystoreError) {
        secret = try SecureBytes(copying: Array("00112233445566778899aabbccddeeff".utf8).span)
        path = "/dev/shm/softtoken-fuzz-\(getpid()).tmp"
        atexit { scratch.remove() }
    }

    func remove() { unlink(path) }

    func file(_ bytes: [UInt8]) -> Descriptor {
        let number = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        let file = Descriptor(owning: number, path: path)
        do throws(SystemError) {
            try file.write(bytes.span)
            try file.rewind()
        } catch { fatalError("/dev/shm can't be written") }
        return file
    }
}

private let scratch: Scratch = {
    do throws(KeystoreError) { return try Scratch() } catch {
        fatalError("no guarded memory")
    }
}()
