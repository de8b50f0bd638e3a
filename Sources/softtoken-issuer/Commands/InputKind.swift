// A file or a pipe: what an interruption means depends on it.
import Linux

/// Where rows come from. While signals are held back, a read from a pipe that is silent couldn't be
/// interrupted: there Ctrl-C ends the program at once, and may leave a file beside its place.
enum InputKind: Equatable, Sendable {
    case file
    case stream

    init(_ input: borrowing Descriptor) {
        self = (try? input.attributes().isRegularFile) == true ? .file : .stream
    }
}
