// From computed OTPs to the display at a terminal, and from its end to an exit code.
// Bound by DESIGN §1.4, §8.
import Linux
import ProgramSupport
import SoftTokenCore

/// Shows one use's OTPs at a terminal until it ends. The seed is gone when this begins.
///
/// - Throws: `AuthenticatorError.ended(by:)` when another signal than Ctrl-C ended it.
func roll(
    _ session: borrowing DisplaySession, _ style: DisplayStyle, _ terminal: Terminal
) throws(AuthenticatorError) {
    switch try DisplayLoop.run(session, on: terminal, style: style) {
    case .session(.clockMoved): output.note(clockMovedWords)
    case .session:
        output.note("The display has ended. For another one-time password: softtoken show")
    case .quit: return
    case .signal(let signal): throw .ended(by: signal)
    case .closed: throw .ended(by: .hangUp)
    }
}

/// Why a use ended before its time.
let clockMovedWords =
    "softtoken: the clock was set while the password was shown; run softtoken show again"
