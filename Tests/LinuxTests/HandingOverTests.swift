// What one process hands to another: pipes with and without a name, programs that go on by
// themselves. Binds DESIGN §8 ("What must spawn").
import Foundation
import Glibc
import Testing

@testable import Linux

@Suite("Handing over")
struct HandingOverTests {
    private func withFolder(mode: mode_t = 0o700, _ body: (String) throws -> Void) throws {
        let folder = NSTemporaryDirectory() + "softtoken-pipe-\(UInt64.random(in: .min ... .max))"
        #expect(mkdir(folder, mode) == 0 && chmod(folder, mode) == 0)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    private func files(_ folder: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? ["no folder"]
    }

    private func problem(_ folder: String) -> SystemError? {
        do throws(SystemError) {
            _ = try NamedPipe("p", in: folder)
            return nil
        } catch { return error }
    }

    @Test("The one who reads gets the bytes, and the name is gone")
    func handed() throws {
        try withFolder { folder in
            var pipe = try NamedPipe("p", in: folder)
            let path = pipe.path
            var info = stat()
            #expect(lstat(path, &info) == 0 && info.st_mode == S_IFIFO | 0o600)
            guard let reader = try ChildProcess.start("cat", arguments: [path]) else {
                Issue.record("cat is not installed")
                return
            }
            let bytes = Array("the link".utf8)
            let isHanded = try pipe.hand(bytes.span, patienceSeconds: 30) { true }
            #expect(isHanded && files(folder).isEmpty)
            let read = try reader.output.nextBytes(limit: 100)
            #expect(String(decoding: read, as: UTF8.self) == "the link")
            // Waited for: Swift Testing's exit tests wait for ever where another child is left.
            let hasSucceeded = reader.succeeded()
            #expect(hasSucceeded)
        }
    }

    @Test("Where nobody comes, or nobody can come any more, the name is gone too")
    func nobody() throws {
        try withFolder { folder in
            func tried(_ patience: Int, _ isAwaited: Bool) throws -> Bool {
                var pipe = try NamedPipe("p", in: folder)
                let bytes: [UInt8] = [1]
                let isHanded = try pipe.hand(bytes.span, patienceSeconds: patience) { isAwaited }
                return isHanded
            }
            let began = Date()
            let isRead = try tried(60, false)
            #expect(!isRead)
            #expect(Date().timeIntervalSince(began) < 10)
            let isReadLater = try tried(1, true)
            #expect(!isReadLater)
            #expect(files(folder).isEmpty)
        }
    }

    @Test("A folder that others may enter, and a name that is taken, are refused")
    func refused() throws {
        for mode: mode_t in [0o755, 0o710, 0o701] {
            try withFolder(mode: mode) { folder in
                #expect(problem(folder) == SystemError(.create, folder + "/p", code: EACCES))
            }
        }
        try withFolder { folder in
            _ = FileManager.default.createFile(atPath: folder + "/p", contents: nil)
            #expect(problem(folder) == SystemError(.create, folder + "/p", code: EEXIST))
            #expect(files(folder) == ["p"])
        }
    }

    @Test("A child reads what a filled pipe holds, and then its end")
    func filled() throws {
        let text = String(repeating: "x", count: 1 << 16)
        let input = try filledPipe(Array(text.utf8).span)
        guard let child = try ChildProcess.start("wc", arguments: ["-c"], input: input) else {
            Issue.record("wc is not installed")
            return
        }
        let output = try child.output.nextBytes(limit: 100)
        #expect(String(decoding: output, as: UTF8.self) == "65536\n")
        let hasSucceeded = child.succeeded()
        #expect(hasSucceeded)
    }

    @Test("A program in the background that fails is noticed, one that ends well is not")
    func background() throws {
        for (name, hasFailed) in [("false", true), ("true", false)] {
            guard let process = try BackgroundProcess.start(name, arguments: []) else {
                Issue.record("\(name) is not installed")
                return
            }
            var found = false
            for _ in 0..<100 where !found {
                found = process.hasFailed()
                usleep(10_000)
            }
            #expect(found == hasFailed)
        }
        let isThere = try BackgroundProcess.start("no-such-program", arguments: []) != nil
        #expect(!isThere)
    }
}
