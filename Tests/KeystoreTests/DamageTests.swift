// Every strict prefix and every flipped bit of every file is judged as FORMAT.md says, without a PIN,
// without a crash and without an attempt.
import Foundation
import Linux
import Testing

@testable import Keystore

@Suite("Damage")
struct DamageTests {
    struct File: Sendable {
        let path: String
        let expected: Judgement
    }

    static let files = [
        File(path: "data/keystore", expected: .damagedKeystore),
        File(path: "data/attempts", expected: .locked(attemptsLeft: 1)),
        File(path: "state/attempts", expected: .locked(attemptsLeft: 1)),
        File(path: "state/device-key", expected: .failed(.damaged(.deviceKey))),
        File(path: "state/device-share", expected: .failed(.damaged(.deviceShare))),
        // What doesn't count changes nothing.
        File(path: "state/attestation", expected: .locked(attemptsLeft: 10)),
        File(path: "state/log-key", expected: .locked(attemptsLeft: 10)),
        File(path: "state/request", expected: .locked(attemptsLeft: 10)),
        File(path: "state/erased", expected: .locked(attemptsLeft: 10)),
    ]

    @Test("Every strict prefix, and a byte more", arguments: files.indices)
    func everyPrefix(index: Int) throws {
        let file = DamageTests.files[index]
        let workspace = try damageable()
        let bytes = try workspace.bytes(file.path)
        let folders = try workspace.folders()
        try workspace.replace(file.path, bytes + [0])
        #expect(try judgement(folders) == file.expected, "a byte more")
        let number = open(workspace.root.appending(path: file.path).path, O_WRONLY)
        defer { close(number) }
        var wrong: [Int] = []
        for count in bytes.indices.reversed() {
            guard ftruncate(number, off_t(count)) == 0 else { throw UnexpectedCondition() }
            if try judgement(folders) != file.expected { wrong.append(count) }
        }
        #expect(wrong == [], "lengths")
        try workspace.replace(file.path, bytes)
        #expect(try judgement(folders) == .locked(attemptsLeft: 10))
    }

    @Test("Every flipped bit", arguments: files.indices)
    func everyFlippedBit(index: Int) throws {
        let file = DamageTests.files[index]
        let workspace = try damageable()
        let bytes = try workspace.bytes(file.path)
        let folders = try workspace.folders()
        let number = open(workspace.root.appending(path: file.path).path, O_WRONLY)
        defer { close(number) }
        var wrong: [Int] = []
        for bit in 0..<bytes.count * 8 {
            var flipped = bytes[bit / 8] ^ (1 << UInt8(bit % 8))
            pwrite(number, &flipped, 1, off_t(bit / 8))
            if try judgement(folders) != file.expected { wrong.append(bit) }
            flipped = bytes[bit / 8]
            pwrite(number, &flipped, 1, off_t(bit / 8))
        }
        #expect(wrong == [], "bits")
        #expect(try judgement(folders) == .locked(attemptsLeft: 10))
    }

    @Test(
        "An altered attestation, log key, tombstone or request is as none", arguments: [80, 56, 64])
    func whatDoesNotCount(byteCount: Int) throws {
        let workspace = try damageable()
        let path =
            [80: "state/attestation", 56: "state/log-key", 64: "state/request"][byteCount]!
        let bytes = try workspace.bytes(path)
        #expect(bytes.count == byteCount)
        #expect(try counts(workspace, path))
        for bit in 0..<byteCount * 8 {
            var flipped = bytes
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            try workspace.replace(path, flipped)
            #expect(try !counts(workspace, path), "bit \(bit)")
        }
        for prefix in 0..<byteCount {
            try workspace.replace(path, Array(bytes.prefix(prefix)))
            #expect(try !counts(workspace, path), "\(prefix) bytes")
        }
        for more in [1, 5_000] {
            try workspace.replace(path, bytes + [UInt8](repeating: 0, count: more))
            #expect(try !counts(workspace, path), "\(more) bytes more")
        }
    }

    @Test("A tombstone counts whole or not at all, and never stops a command")
    func tombstone() throws {
        let workspace = try damageable()
        for name in ["data/keystore", "data/attempts", "state/attempts", "state/device-key"] {
            try workspace.remove(name)
        }
        try workspace.remove("state/device-share")
        #expect(try workspace.judge() == .erased(atUnixSeconds: 77))
        let bytes = try workspace.bytes("state/erased")
        for bit in 0..<64 * 8 {
            var flipped = bytes
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            try workspace.replace("state/erased", flipped)
            #expect(try workspace.judge() == .missing, "bit \(bit)")
        }
        for count in Array(0..<64) + [65, 5_000] {
            let cut = bytes + [UInt8](repeating: 0, count: 5_000)
            try workspace.replace("state/erased", Array(cut.prefix(count)))
            #expect(try workspace.judge() == .missing, "\(count) bytes")
        }
    }

    @Test("A log key that is damaged is replaced, one that can't be read is not")
    func logKey() throws {
        let workspace = try SharedKeystore.copy()
        let folders = try workspace.folders()
        let bytes = try workspace.bytes("state/log-key")
        _ = try LogKey.readOrCreate(folders.state)
        #expect(try workspace.bytes("state/log-key") == bytes)
        chmod(workspace.root.appending(path: "state/log-key").path, 0o640)
        #expect(throws: KeystoreError.self) { _ = try LogKey.readOrCreate(folders.state) }
        #expect(try workspace.bytes("state/log-key") == bytes)
        try workspace.replace("state/log-key", Array(bytes.dropLast()))
        _ = try LogKey.readOrCreate(folders.state) { _ in Issue.record("it is no new log's key") }
        let replaced = try workspace.bytes("state/log-key")
        #expect(replaced.count == bytes.count && replaced != bytes)
        try workspace.remove("state/log-key")
        var isNew = false
        _ = try LogKey.readOrCreate(folders.state) { _ in isNew = true }
        #expect(try isNew && workspace.bytes("state/log-key") != replaced)
    }

    /// With a tombstone of another device beside.
    private func damageable() throws -> Workspace {
        let workspace = try SharedKeystore.copy()
        try workspace.withLocked { locked, folders in
            try Tombstone(deviceName: [UInt8](repeating: 9, count: 16), unixSeconds: 77).write(
                folders.state, binding: locked.deviceKey.binding,
                key: LogKey.readOrCreate(folders.state))
        }
        return workspace
    }

    private func judgement(_ folders: KeystoreFolders) throws -> Judgement {
        do throws(KeystoreError) { return try Judgement(folders, Workspace.machineID) } catch {
            return .failed(error)
        }
    }

    private func counts(_ workspace: Workspace, _ path: String) throws -> Bool {
        let folders = try workspace.folders()
        switch path {
        case "state/attestation":
            return try workspace.withLocked { locked, folders in
                try Attestation.read(folders, of: locked) == 1_750_000_000
            }
        case "state/log-key":
            let key = try LogKey.read(folders.state)
            return key != nil
        default:
            let key = try RequestFile.read(
                folders.state, unixSeconds: SharedKeystore.requestUnixSeconds + 60)
            return key != nil
        }
    }
}

@Suite("Modes, owners and links")
struct FileProblemTests {
    static let files = [
        "data/keystore", "data/attempts", "state/attempts", "state/device-key",
        "state/device-share",
    ]

    @Test(
        "A file that others may read or write is refused with what it should be", arguments: files)
    func modes(path: String) throws {
        let workspace = try SharedKeystore.copy()
        let full = workspace.root.appending(path: path).path
        for mode in [0o640, 0o604, 0o660, 0o606, 0o601, 0o666] as [mode_t] {
            chmod(full, mode)
            #expect(
                try workspace.judge()
                    == .failed(.problem(.openToOthers(path: full, mode: 0o600))))
        }
        chmod(full, 0o600)
        #expect(try workspace.judge() == .locked(attemptsLeft: 10))
    }

    @Test("A symbolic link, a folder, a pipe and a socket are refused", arguments: files)
    func notPlain(path: String) throws {
        let workspace = try SharedKeystore.copy()
        let full = workspace.root.appending(path: path).path
        let problem = Judgement.failed(.problem(.notPlain(path: full)))
        let moved = workspace.root.appending(path: "moved").path
        #expect(rename(full, moved) == 0)
        #expect(symlink(moved, full) == 0)
        #expect(try workspace.judge() == problem)
        unlink(full)
        symlink("/nowhere", full)
        #expect(try workspace.judge() == problem)
        unlink(full)
        mkdir(full, 0o700)
        #expect(try workspace.judge() == problem)
        rmdir(full)
        mkfifo(full, 0o600)
        #expect(try workspace.judge() == problem)
        unlink(full)
        #expect(mknod(full, S_IFSOCK | 0o600, 0) == 0)
        #expect(try workspace.judge() == problem)
    }

    @Test("Another user's file or folder is refused", .enabled(if: geteuid() == 0))
    func owners() throws {
        for path in FileProblemTests.files + ["data", "state"] {
            let workspace = try SharedKeystore.copy()
            let full = workspace.root.appending(path: path).path
            chown(full, 65534, 65534)
            #expect(try workspace.judge() == .failed(.problem(.wrongOwner(path: full))))
        }
    }

    @Test(
        "A folder that others may search, or that is a link, is refused",
        arguments: ["data", "state"])
    func folders(name: String) throws {
        let workspace = try SharedKeystore.copy()
        let full = workspace.root.appending(path: name).path
        chmod(full, 0o701)
        #expect(
            try workspace.judge() == .failed(.problem(.openToOthers(path: full, mode: 0o700))))
        chmod(full, 0o700)
        rename(full, full + "2")
        symlink(full + "2", full)
        #expect(try workspace.judge() == .failed(.problem(.notPlain(path: full))))
    }

    @Test("A lock that is a link or open to others is refused, and never replaced")
    func lock() throws {
        let workspace = try SharedKeystore.copy()
        let full = workspace.root.appending(path: "state/lock").path
        chmod(full, 0o666)
        #expect(try takeLock(workspace) == .problem(.openToOthers(path: full, mode: 0o600)))
        unlink(full)
        symlink("/tmp/elsewhere", full)
        #expect(try takeLock(workspace) == .problem(.notPlain(path: full)))
        unlink(full)
        #expect(try takeLock(workspace) == nil)
    }

    @Test("Taking the lock clears away what a killed writer left, and nothing else")
    func leftovers() throws {
        let workspace = try SharedKeystore.copy()
        let names = try workspace.names()
        for path in names {
            for suffix in [".new", ".reserved"] { try workspace.replace(path + suffix, [1]) }
        }
        try workspace.replace("data/mine.txt", [1])
        // A folder would keep the next writer from writing.
        for path in ["data/keystore.new", "state/log-head.new", "state/attempts.reserved"] {
            let folder = workspace.root.appending(path: path).path
            unlink(folder)
            #expect(mkdir(folder, 0o700) == 0)
        }
        // A decision that only the tokens can settle (FORMAT.md §11).
        try workspace.replace("state/used-links.new", [1])
        #expect(try takeLock(workspace) == nil)
        let mine = ["data/mine.txt", "state/used-links.new"]
        #expect(try workspace.names() == (names + mine).sorted())
    }

    private func takeLock(_ workspace: Workspace) throws -> KeystoreError? {
        try keystoreError {
            let folders = try workspace.folders()
            _ = try KeystoreLock.take(folders)
        }
    }
}
