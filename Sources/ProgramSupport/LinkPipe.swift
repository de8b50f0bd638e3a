// A link on its way from the program that the desktop starts to the one in the terminal's window. It
// stands here because nothing of a link comes out of the core to an app. Bound by CONTRACT §1
// (`handler open`) and DESIGN §8 ("What must spawn").
import Linux
public import SoftTokenCore

/// A pipe with a name in a folder of this user's, to be read once.
public struct LinkPipe: ~Copyable {
    private var pipe: NamedPipe

    /// Where it is read.
    public var path: String { pipe.path }

    /// Makes the pipe (0600).
    ///
    /// - Parameter folder: a folder of this user's that nobody else may enter.
    /// - Throws: `AuthenticatorError` (73).
    public init(_ name: String, in folder: String) throws(AuthenticatorError) {
        pipe = try running(try NamedPipe(name, in: folder))
    }

    /// Gives the link's text to the one process that reads the pipe.
    ///
    /// - Parameters:
    ///   - patienceSeconds: how long to wait for it at most.
    ///   - isAwaited: asked again and again whether it may still come.
    /// - Returns: whether it came.
    /// - Throws: `AuthenticatorError` (74).
    public mutating func give(
        _ link: consuming GivenLink, patienceSeconds: Int, while isAwaited: () -> Bool
    ) throws(AuthenticatorError) -> Bool {
        try link.give(to: &pipe, patienceSeconds: patienceSeconds, while: isAwaited)
    }
}
