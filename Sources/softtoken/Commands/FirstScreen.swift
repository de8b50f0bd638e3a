// `softtoken` alone: what to do now, on one screen. Bound by CONTRACT §1.
import ProgramSupport
import SoftTokenCore

/// The lines that stand before the commands' names.
func firstScreen(_ keystore: Status.Keystore) -> [String] {
    let next: [String]
    switch keystore {
    case .none:
        next = [
            "No token is activated on this device. To activate one with the link from your mail:",
            "  softtoken activate", "To try everything with a sample token:", "  softtoken demo",
        ]
    case .locked, .delayed:
        next = ["To show the one-time password:", "  softtoken show"]
    case .erased, .damaged, .foreign, .refused:
        next = [
            "The keystore can't be used as it is. What is wrong with it:", "  softtoken status",
        ]
    }
    return next + [
        "",
        "Also: list, rename, remove, pin, log, status, request, device, issuer, handler, reset.",
        "softtoken --help says what each does.",
    ]
}

/// Prints them for this device.
func printFirstScreen() throws(AuthenticatorError) {
    try output.words(firstScreen(try Authenticator.status(confinement: .process).keystore))
}
