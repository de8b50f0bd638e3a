// Signals as events of a poll loop (signalfd), not as handlers: while a queue lives, Ctrl-C, Ctrl-Z,
// hang-up and the like wait for the loop, which puts the terminal in order first. Outside of a
// queue their handlers in terminal.c restore the terminal. Bound by DESIGN §8.
internal import CLinux
internal import Glibc

/// The signals that a prompt and the display answer.
public enum Signal: Equatable, Sendable, CaseIterable {
    case interrupt, quit, terminate, hangUp, suspend, resume, resize

    public var number: Int32 {
        switch self {
        case .interrupt: SIGINT
        case .quit: SIGQUIT
        case .terminate: SIGTERM
        case .hangUp: SIGHUP
        case .suspend: SIGTSTP
        case .resume: SIGCONT
        case .resize: SIGWINCH
        }
    }

    /// The exit code of a command that a signal ended: 130 for Ctrl-C.
    public var exitCode: Int32 { 128 + number }
}

/// Holds the signals back and hands them out one by one. Its end lets them through again; what
/// arrived and was not taken then does what it does by default.
@safe public struct SignalQueue: ~Copyable {
    public let descriptor: Descriptor
    private let formerMask: sigset_t

    /// - Throws: `SystemError` (`open`).
    public init() throws(SystemError) {
        var mask = sigset_t()
        var former = sigset_t()
        unsafe sigemptyset(&mask)
        for signal in Signal.allCases { unsafe sigaddset(&mask, signal.number) }
        let number = unsafe signalfd(-1, &mask, Int32(SFD_CLOEXEC | SFD_NONBLOCK))
        guard number >= 0 else { throw .last(.open, "signal queue") }
        unsafe pthread_sigmask(SIG_BLOCK, &mask, &former)
        descriptor = Descriptor(owning: number, path: "signal queue")
        formerMask = former
    }

    deinit {
        var mask = formerMask
        unsafe pthread_sigmask(SIG_SETMASK, &mask, nil)
    }

    /// The next signal that has arrived, or nil.
    public borrowing func next() -> Signal? {
        var info = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        guard unsafe read(descriptor.number, &info, size) == size else { return nil }
        return Signal.allCases.first { $0.number == Int32(info.ssi_signo) }
    }
}
