// A software TPM (swtpm) of this test process's own, and the way to it: a socket, where the kernel's
// device would be opened. It serves one connection at a time. Bound by DESIGN §5.
import Foundation
import Glibc

@testable import Keystore
@testable import Linux

/// A running swtpm, with its state in a folder that goes with it.
final class SoftwareChip: @unchecked Sendable {
    private let folder: URL
    private var process: pid_t = 0
    private var path: String { folder.appendingPathComponent("sock").path }

    init() throws {
        // A wire that breaks off is an error, not the end of this process.
        signal(SIGPIPE, SIG_IGN)
        folder = URL(fileURLWithPath: "/tmp/softtoken-chip-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try start()
    }

    deinit {
        end()
        try? FileManager.default.removeItem(at: folder)
    }

    private func start() throws {
        let words = [
            "swtpm", "socket", "--tpm2", "--tpmstate", "dir=\(folder.path)", "--server",
            "type=unixio,path=\(path)", "--flags", "not-need-init,startup-clear",
        ]
        var arguments = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        let status = posix_spawnp(&process, "swtpm", nil, nil, &arguments, environ)
        guard status == 0 else { throw POSIXError(POSIXErrorCode(rawValue: status) ?? .ENOENT) }
        for _ in 0..<250 where access(path, F_OK) != 0 { usleep(20_000) }
    }

    /// A power cut: no TPM2_Shutdown, and what is not in its memory is gone.
    func cutPower() throws {
        end()
        unlink(path)
        try start()
    }

    private func end() {
        kill(process, SIGKILL)
        waitpid(process, nil, 0)
    }

    /// A connection, as the device would be opened.
    func connection() throws -> Descriptor {
        let number = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        for _ in 0..<100 {
            let status = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(number, $0, size) }
            }
            if status == 0 { return Descriptor(owning: number, path: "/dev/tpmrm0") }
            usleep(20_000)
        }
        throw POSIXError(.ECONNREFUSED)
    }

    func open() throws -> CountingChip { try CountingChip(Chip(try connection())) }

    /// The way to it that a keystore takes, which breaks off after so many commands.
    func device(commands: Int? = nil) -> ChipDevice {
        ChipDevice { [self] () throws(SystemError) in
            guard let wire = try? connection() else { throw SystemError(.open, "chip", code: EIO) }
            guard let commands else { return wire }
            return CountingWire(to: wire, commands: commands).descriptor()
        }
    }

    /// How many indices of a keystore's are in it.
    func indexCount() throws -> Int {
        // GetCapability: handles, from the first on, 32 at most.
        let chip = Chip(try connection())
        let answer = try chip.exchange(
            [
                0x80, 0x01, 0, 0, 0, 22, 0, 0, 0x01, 0x7a, 0, 0, 0, 1, 0x01, 0x80, 0, 0, 0, 0, 0,
                32,
            ])
        return Int(answer.body[8])
    }
}
