// A tick at each full second of the wall clock, and at once when somebody sets that clock: the
// display's only reason to wake up. timerfd(2). Bound by DESIGN §8 ("one wake-up a second or fewer").
internal import CLinux
internal import Glibc

/// Ticks once a second while it lives.
@safe public struct SecondTimer: ~Copyable {
    public let descriptor: Descriptor

    /// - Throws: `SystemError` (`open`).
    public init() throws(SystemError) {
        let flags = Int32(TFD_CLOEXEC) | Int32(TFD_NONBLOCK)
        let number = timerfd_create(CLOCK_REALTIME, flags)
        guard number >= 0 else { throw .last(.open, "timer") }
        descriptor = Descriptor(owning: number, path: "timer")
        arm()
    }

    /// Takes the ticks that have come; after the clock was set, counts from its new time.
    public borrowing func acknowledge() {
        var ticks: UInt64 = 0
        let count = unsafe read(descriptor.number, &ticks, MemoryLayout<UInt64>.size)
        if count < 0, errno == ECANCELED { arm() }
    }

    /// Waits for the next tick, and takes it.
    public borrowing func wait() {
        _ = waitForEvents(timer: descriptor.number)
        acknowledge()
    }

    private borrowing func arm() {
        var schedule = itimerspec()
        schedule.it_value.tv_sec = time(nil) + 1
        schedule.it_interval.tv_sec = 1
        let flags = Int32(TFD_TIMER_ABSTIME) | Int32(TFD_TIMER_CANCEL_ON_SET)
        _ = unsafe timerfd_settime(descriptor.number, flags, &schedule, nil)
    }
}

extension TerminalDevice {
    /// Waits for the next event, a tick of `timer` included.
    public borrowing func wait(
        _ signals: borrowing SignalQueue, _ timer: borrowing SecondTimer
    ) -> TerminalEvent {
        waitForEvents(
            input: descriptor.number, signals: signals.descriptor.number,
            timer: timer.descriptor.number)
    }
}
