// A window that would close over what it shows waits for a key. It reads a terminal that is open
// already: the file sandbox lets none be opened. Bound by CONTRACT §1 (`handler open`).
internal import Glibc

/// Waits for one key at an open terminal; returns at once where the descriptor is none.
///
/// What was typed before is dropped.
public func waitForKey(at number: Int32) {
    var usual = termios()
    guard unsafe tcgetattr(number, &usual) == 0 else { return }
    var single = usual
    single.c_lflag &= ~tcflag_t(ICANON | ECHO)
    guard unsafe tcsetattr(number, TCSAFLUSH, &single) == 0 else { return }
    var byte: UInt8 = 0
    while unsafe read(number, &byte, 1) < 0, errno == EINTR {}
    _ = unsafe tcsetattr(number, TCSAFLUSH, &usual)
}
