// One wait for everything that a prompt or the display answers: a key, a signal, a tick. poll(2) on
// one thread: one wake-up a second (DESIGN §8).
internal import Glibc

/// What a wait ended with; signals come before input, so that Ctrl-C is never overtaken.
public enum TerminalEvent: Equatable, Sendable {
    case signal, input, tick, timeout
    /// The terminal, or the other end of the pipe, has gone.
    case closed
}

extension TerminalDevice {
    /// Waits for the next event.
    ///
    /// - Parameter milliseconds: how long at most; nil waits for ever.
    public borrowing func wait(
        _ signals: borrowing SignalQueue, milliseconds: Int32? = nil
    ) -> TerminalEvent {
        waitForEvents(
            input: descriptor.number, signals: signals.descriptor.number,
            milliseconds: milliseconds ?? -1)
    }

    /// Waits for a signal alone; what is typed meanwhile stays where it is.
    public borrowing func waitForSignal(
        _ signals: borrowing SignalQueue, milliseconds: Int32
    ) -> TerminalEvent {
        waitForEvents(signals: signals.descriptor.number, milliseconds: milliseconds)
    }
}

/// poll(2) over the three, for ever unless a time is given; a negative descriptor is left out.
func waitForEvents(
    input: Int32 = -1, signals: Int32 = -1, timer: Int32 = -1, milliseconds: Int32 = -1
) -> TerminalEvent {
    let wanted = Int16(POLLIN)
    var polled: InlineArray<3, pollfd> = [
        pollfd(fd: input, events: wanted, revents: 0),
        pollfd(fd: signals, events: wanted, revents: 0),
        pollfd(fd: timer, events: wanted, revents: 0),
    ]
    while true {
        var span = polled.mutableSpan
        let ready = unsafe span.withUnsafeMutableBufferPointer { buffer in
            unsafe poll(buffer.baseAddress, nfds_t(buffer.count), milliseconds)
        }
        if ready == 0 { return .timeout }
        if ready < 0 {
            if errno == EINTR || errno == EAGAIN { continue }
            return .closed
        }
        if polled[1].revents != 0 { return .signal }
        if polled[0].revents & wanted != 0 { return .input }
        if polled[0].revents != 0 { return .closed }
        return .tick
    }
}
