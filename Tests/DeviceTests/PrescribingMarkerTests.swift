// The marker in a folder of the test's own: what is written, and that reading fails closed.
// Bound by FORMAT.md §5. The product's folder and owner are constants; tests pass theirs.
import Foundation
import Glibc
import Linux
import Testing

@testable import Device

@Suite(.serialized) struct PrescribingMarkerTests {
    private let folder = NSTemporaryDirectory() + "softtoken-marker-" + UUID().uuidString
    private let owner = geteuid()
    private var path: String { folder + "/prescribing-device" }

    private func cleanUp() { try? FileManager.default.removeItem(atPath: folder) }

    private func registered(_ label: String = "front desk") throws -> (
        record: PrescribingRecord, wasThere: Bool
    ) {
        try PrescribingMarker.register(
            MadeUpSystem.laptop().identity, label: label, folder: folder, owner: owner)
    }

    private func read() -> PrescribingMarker {
        PrescribingMarker.read(folder: folder, owner: owner)
    }

    @Test("Registering writes the record and a line feed, for everybody to read")
    func register() throws {
        defer { cleanUp() }
        #expect(read() == .absent)
        let mask = umask(0o077)
        defer { umask(mask) }
        let (record, wasThere) = try registered()
        #expect(!wasThere)
        #expect(record.label == "front desk")
        #expect(try String(contentsOfFile: path, encoding: .utf8) == record.text + "\n")
        #expect(read() == .record(record))
        #expect(mode(path) == 0o100644)
        #expect(mode(folder) == 0o040755)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 1)
    }

    @Test("Registering again changes nothing and tells the record that stands")
    func registerAgain() throws {
        defer { cleanUp() }
        let first = try registered().record
        #expect(try registered("another label") == (first, true))
    }

    @Test("A damaged marker is replaced by registering")
    func repair() throws {
        defer { cleanUp() }
        _ = try registered()
        try Data("x".utf8).write(to: URL(filePath: path))
        #expect(read() == .damaged)
        let record = try registered().record
        #expect(read() == .record(record))
    }

    @Test("Unregistering removes the marker, whole or damaged, and says whether there was one")
    func unregister() throws {
        defer { cleanUp() }
        let remove = { try PrescribingMarker.unregister(folder: folder, owner: owner) }
        #expect(try remove() == false)
        _ = try registered()
        #expect(try remove() == true)
        #expect(read() == .absent)
        #expect(try remove() == false)
        #expect(symlink("/nowhere", path) == 0)
        #expect(try remove() == true)
    }

    @Test(
        "A marker that can't be trusted or parsed still marks the device",
        arguments: [
            "empty", "cut", "long", "two", "writable", "link", "dangling", "folder", "pipe",
        ])
    func damaged(how: String) throws {
        defer { cleanUp() }
        let text = try registered().record.text + "\n"
        try spoil(how, text: text)
        #expect(read() == .damaged)
    }

    @Test("Another user's marker still marks the device")
    func otherOwner() throws {
        defer { cleanUp() }
        _ = try registered()
        #expect(PrescribingMarker.read(folder: folder, owner: owner + 1) == .damaged)
    }

    @Test("A folder that is a link, another's or open to others is not written to")
    func folders() throws {
        defer { cleanUp() }
        let identity = MadeUpSystem.laptop().identity
        #expect(throws: DeviceError.file(.wrongOwner(path: "/proc"))) {
            try PrescribingMarker.register(identity, label: "", folder: "/proc", owner: 65_533)
        }
        #expect(mkdir(folder, 0o755) == 0)
        #expect(chmod(folder, 0o777) == 0)
        #expect(throws: DeviceError.file(.writableByOthers(path: folder))) {
            try PrescribingMarker.register(identity, label: "", folder: folder, owner: owner)
        }
        #expect(symlink("/tmp", folder + "/link") == 0)
        #expect(throws: DeviceError.file(.notPlain(path: folder + "/link"))) {
            try PrescribingMarker.register(
                identity, label: "", folder: folder + "/link", owner: owner)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["link"])
    }

    @Test("A device that shows nothing is not registered, and nothing is written")
    func nothing() {
        defer { cleanUp() }
        #expect(throws: DeviceError.nothingToRecogniseBy) {
            try PrescribingMarker.register(
                DeviceIdentity([]), label: "", folder: folder, owner: owner)
        }
        #expect(!FileManager.default.fileExists(atPath: folder))
    }

    @Test("The product's marker stands where the administrator's files stand")
    func place() { #expect(PrescribingMarker.path == "/etc/softtoken/prescribing-device") }

    private func mode(_ path: String) -> UInt32 {
        var info = stat()
        return lstat(path, &info) == 0 ? info.st_mode : 0
    }

    private func spoil(_ how: String, text: String) throws {
        let url = URL(filePath: path)
        switch how {
        case "empty": try Data().write(to: url)
        case "cut": try Data(text.utf8.dropLast(2)).write(to: url)
        case "long": try Data((text + String(repeating: "\n", count: 2048)).utf8).write(to: url)
        case "two": try Data((text + text).utf8).write(to: url)
        case "writable": #expect(chmod(path, 0o664) == 0)
        case "link":
            #expect(rename(path, path + ".real") == 0)
            #expect(symlink(path + ".real", path) == 0)
        default:
            #expect(unlink(path) == 0)
            let made =
                switch how {
                case "dangling": symlink("/nowhere", path)
                case "folder": mkdir(path, 0o755)
                default: mkfifo(path, 0o644)
                }
            #expect(made == 0)
        }
    }
}
