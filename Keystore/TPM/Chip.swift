// The way to a chip: one command out, one answer back, as bytes. Bound by DESIGN §5.
internal import Glibc
internal import Linux

/// What keeps a chip from doing what it is asked.
enum ChipFault: Error, Equatable, Sendable {
    /// It answered with a code.
    case answered(ChipCode)
    /// It was busy for two seconds.
    case busy
    /// An answer that no chip gives, or one whose MAC is wrong: somebody sits in between.
    case notTheChips
    /// The device can't be written or read.
    case system(SystemError)
    /// It can't be opened.
    case notOpened(SystemError)
    /// The primary's Name, or an index's, is not what it must be: cleared, or another chip.
    case otherChip
    /// The probe failed.
    case doesNotCount
    /// The gate was read with the wrong key: a try is gone.
    case wrongPIN
    /// The gate has closed: no PIN is tried any more.
    case closed
    /// The gate opened, and the share's authorization is wrong: damage.
    case shareLost
    /// The PIN was right, and the gate could not be armed again: the next right PIN arms it.
    case notArmed
    /// No guarded memory, or a file that can't be written.
    case ours(KeystoreError)
}

/// An open TPM. One at a time uses it; it closes itself.
struct Chip: ~Copyable {
    private static let pauseNanoseconds = 50_000_000
    private static let repetitions = 40

    private let device: Descriptor

    init(_ device: consuming Descriptor) { self.device = device }

    /// Sends a command, again for about two seconds while the chip asks for that.
    ///
    /// - Throws: `ChipFault.answered` for a code that isn't success, `.busy`, `.notTheChips`,
    ///   `.system`.
    borrowing func exchange(_ command: [UInt8]) throws(ChipFault) -> ChipResponse {
        for _ in 0...Chip.repetitions {
            do throws(SystemError) { try device.write(command.span) } catch {
                throw .system(error)
            }
            guard let response = ChipResponse(try readResponse()) else { throw .notTheChips }
            if response.code == .success { return response }
            guard response.code.asksAgain else { throw .answered(response.code) }
            var pause = timespec(tv_sec: 0, tv_nsec: Chip.pauseNanoseconds)
            unsafe nanosleep(&pause, nil)
        }
        throw .busy
    }

    /// Flushes an object or a session. That it is gone already is no fault.
    borrowing func flush(_ handle: UInt32) {
        _ = try? exchange(ChipCommand.flushBytes(handle))
    }

    /// Reads a whole answer, with as many reads as the device likes. Of kernels before 5.0 a second
    /// read gives nothing, so that the first takes all.
    private borrowing func readResponse() throws(ChipFault) -> [UInt8] {
        var bytes: [UInt8] = []
        var wanted = ChipResponse.headByteCount
        while bytes.count < wanted {
            let piece = try readPiece(atMost: ChipCommand.maximumByteCount - bytes.count)
            guard !piece.isEmpty else { throw .notTheChips }
            bytes += piece
            guard bytes.count >= ChipResponse.headByteCount else { continue }
            guard let count = ChipResponse.byteCount(head: bytes) else { throw .notTheChips }
            wanted = count
        }
        return bytes
    }

    private borrowing func readPiece(atMost count: Int) throws(ChipFault) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: count)
        while true {
            let read = unsafe Glibc.read(device.number, &buffer, count)
            if read >= 0 { return Array(buffer.prefix(read)) }
            if errno != EINTR { throw .system(SystemError(.read, device.path, code: errno)) }
        }
    }
}

/// Works in guarded memory, in the chip's error.
func inGuardedMemory<R: ~Copyable>(
    _ body: () throws(KeystoreError) -> R
) throws(ChipFault) -> R {
    do throws(KeystoreError) { return try body() } catch { throw .ours(error) }
}

/// The same of one expression.
func inGuardedMemory<R: ~Copyable>(
    _ step: @autoclosure () throws(KeystoreError) -> R
) throws(ChipFault) -> R {
    try inGuardedMemory { () throws(KeystoreError) in try step() }
}
