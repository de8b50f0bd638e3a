// From computed OTPs to the display at a terminal, and from its end to an exit code.
// Bound by DESIGN §1.4, §8.
import Keystore
import Linux
import OTP
import SoftTokenCore

/// Shows one use's OTPs at a terminal until it ends. The seed is gone when this begins.
///
/// - Parameter seconds: how long the session lasts.
/// - Throws: `Failure.signal` when another signal than Ctrl-C ended it.
func roll(
    _ otps: OneTimePasswords, seconds: Int, _ style: DisplayStyle, _ terminal: Terminal
) throws(Failure) {
    let start = try running(ClockReading.now)
    guard let session = try? DisplaySession(otps, start: start, seconds: seconds) else {
        throw .authenticator(.keystore(.outOfMemory))
    }
    switch try show(session, style, terminal) {
    case .session(.clockMoved):
        Output.note(
            "softtoken: the clock was set while the password was shown; run softtoken show again")
    case .session:
        Output.note("The display has ended. For another one-time password: softtoken show")
    case .quit: return
    case .signal(let signal): throw .signal(signal)
    case .closed: throw .signal(.hangUp)
    }
}

private func show(
    _ session: borrowing DisplaySession, _ style: DisplayStyle, _ terminal: Terminal
) throws(Failure) -> DisplayEnd {
    do throws(SystemError) {
        return try DisplayLoop.run(session, on: terminal, style: style)
    } catch { throw .system(error) }
}

extension DisplaySession {
    fileprivate init(
        _ otps: OneTimePasswords, start: ClockReading, seconds: Int
    ) throws(KeystoreError) {
        let sequence: Sequence =
            switch (otps.token.parameters.factor, otps.all[0].validity) {
            case (.time(let stepSeconds), .time(let from, _)):
                .steps(first: TimeStep(at: from, seconds: stepSeconds))
            default: .single
            }
        try self.init(
            of: Subject(
                name: otps.token.name, issuer: otps.token.issuer,
                pendingUntilUnixSeconds: otps.token.pendingUntil(
                    atUnixSeconds: start.unixSeconds)),
            otps: otps.all.map(\.digits), sequence: sequence, start: start, seconds: seconds)
    }
}
