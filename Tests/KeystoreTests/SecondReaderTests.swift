// The reader in Python, written from FORMAT.md alone, opens what Swift wrote: Tests/System/SecondReader.
import Foundation
import Linux
import Testing

@testable import Keystore

@Suite("The second reader", .enabled(if: SecondReader.isThere))
struct SecondReaderTests {
    @Test("It opens a keystore that was written here, with the same codes")
    func readsWhatSwiftWrote() throws {
        let workspace = try SharedKeystore.original()
        let (status, text) = try SecondReader.read(workspace, pin: Workspace.pin)
        #expect(status == 0)
        let fifth = try fifth
        #expect(
            text.split(separator: "\n") == [
                "layer: opens", "attempts-left: 10", "attested: 1750000000",
                "token: Pharmacy|totp|SHA1|6|30|081804", "token: Clinic|hotp|SHA256|6|5|\(fifth)",
            ], "\(text)")
        if let folder = ProcessInfo.processInfo.environment["SOFTTOKEN_KEEP"] {
            // For opens-written-by-softtoken: make_vectors.py --pack.
            try FileManager.default.copyItem(at: workspace.root, to: URL(filePath: folder))
        }
    }

    @Test("It rejects a wrong PIN and another machine")
    func rejects() throws {
        let workspace = try SharedKeystore.original()
        let wrong = try SecondReader.read(workspace, pin: "8207")
        #expect(wrong.text.hasPrefix("layer: wrong-pin\n"), "\(wrong.text)")
        let foreign = try SecondReader.read(
            workspace, pin: Workspace.pin, machineID: Workspace.otherMachineID)
        #expect(foreign.text.contains("layer: foreign\n"), "\(foreign.text)")
    }

    @Test("It judges every vector as the vector says, and each must-reject has one")
    func judgesTheVectors() throws {
        let (status, text) = try run([
            "/usr/bin/python3", "-m", "unittest", "discover", "-s", SecondReader.folder.path,
        ])
        #expect(status == 0, "\(text)")
        #expect(text.contains("\nRan 5 tests"))
    }

    /// HOTP-SHA-256 of RFC 6238's 32 byte seed at counter 5, six digits.
    private var fifth: String {
        get throws {
            var generator = try CodeGenerator(
                seed: publishedSeed(byteCount: 32), algorithm: .sha256)
            let truncated = generator.truncatedMACs(first: 5, count: 1)[0]
            return String(String(truncated).suffix(6))
        }
    }
}

private enum SecondReader {
    static let folder = packageRoot.appending(path: "Tests/System/SecondReader")

    static let isThere: Bool = {
        let isThere = (try? run(["/usr/bin/python3", "-c", "import nacl"]))?.status == 0
        if !isThere { print("no python3 with PyNaCl (python3-nacl): the second reader is skipped") }
        return isThere
    }()

    static func read(
        _ workspace: Workspace, pin: String, machineID: MachineValues = Workspace.machineID
    ) throws -> (status: Int32, text: String) {
        guard case .bytes(let digits) = machineID[.machineID] else { throw UnexpectedCondition() }
        return try run([
            "/usr/bin/python3", folder.appending(path: "read.py").path, workspace.data.path,
            workspace.state.path, "--machine-id", String(decoding: digits, as: UTF8.self), "--pin",
            pin, "--now", "1750000000",
        ])
    }
}
