// The two ends of a wire: a chip whose answers are written down beforehand, for what a real one doesn't
// do on demand.
import Glibc

@testable import Keystore
@testable import Linux

final class PairedWire {
    private var ends: [Int32] = [-1, -1]

    /// - Parameter answers: pieces of answers, which lie ready.
    init(answers: [[UInt8]]) throws(SystemError) {
        guard socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue), 0, &ends) == 0 else {
            throw SystemError(.open, "wire", code: errno)
        }
        for answer in answers { _ = write(ends[1], answer, answer.count) }
    }

    deinit { close(ends[1]) }

    func chip() -> Chip { Chip(Descriptor(owning: ends[0], path: "/dev/tpmrm0")) }

    /// No more answers follow.
    func end() { shutdown(ends[1], Int32(SHUT_WR)) }

    func received(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let received = read(ends[1], &bytes, count)
        return Array(bytes.prefix(max(0, received)))
    }
}

/// Stands between a chip and who uses it: breaks the wire off after some commands, or alters one answer.
final class CountingWire: @unchecked Sendable {
    private let chipEnd: Descriptor
    private var ends: [Int32] = [-1, -1]
    private let limit: Int
    private let altered: Int?
    private var thread: pthread_t = 0

    init(to chip: consuming Descriptor, commands: Int = .max, altersAnswer: Int? = nil) {
        chipEnd = chip
        limit = commands
        altered = altersAnswer
        socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends)
        let this = Unmanaged.passRetained(self).toOpaque()
        pthread_create(
            &thread, nil,
            { pointer in
                Unmanaged<CountingWire>.fromOpaque(pointer!).takeRetainedValue().relay()
                return nil
            }, this)
        pthread_detach(thread)
    }

    func chip() -> Chip { Chip(descriptor()) }
    func descriptor() -> Descriptor { Descriptor(owning: ends[0], path: "/dev/tpmrm0") }
    /// How many commands have passed.
    var count: Int { commands }
    private var commands = 0

    private func relay() {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = Glibc.read(ends[1], &buffer, buffer.count)
            guard count > 0, commands < limit else { break }
            commands += 1
            _ = Glibc.write(chipEnd.number, buffer, count)
            let answered = Glibc.read(chipEnd.number, &buffer, buffer.count)
            guard answered > 0 else { break }
            // The last byte of an answer is its MAC's.
            if commands == altered { buffer[answered - 1] ^= 1 }
            _ = Glibc.write(ends[1], buffer, answered)
        }
        // It serves one at a time.
        shutdown(chipEnd.number, Int32(SHUT_RDWR))
        close(ends[1])
    }
}
