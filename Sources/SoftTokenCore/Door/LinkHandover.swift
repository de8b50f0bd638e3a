// A link on its way to another process of this user's: the desktop starts one program, and the
// terminal's window another. Bound by CONTRACT §1 (`handler open`) and DESIGN §8 ("What must spawn").
import Activation
package import Linux

extension GivenLink {
    /// Gives the text to the one process that reads a pipe. For the programs of this package: to an
    /// app nothing of a link comes out.
    ///
    /// - Parameters:
    ///   - patienceSeconds: how long to wait for it at most.
    ///   - isAwaited: asked again and again whether it may still come.
    /// - Returns: whether it came.
    /// - Throws: `failed`.
    package borrowing func give(
        to pipe: inout NamedPipe, patienceSeconds: Int, while isAwaited: () -> Bool
    ) throws(AuthenticatorError) -> Bool {
        try text.read { (bytes) throws(AuthenticatorError) in
            do throws(SystemError) {
                return try pipe.hand(bytes, patienceSeconds: patienceSeconds, while: isAwaited)
            } catch { throw AuthenticatorError(error) }
        }
    }
}
