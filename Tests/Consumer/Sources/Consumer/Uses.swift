// What the app does with the one door: everything that `softtoken` does. A function is a command of
// CONTRACT §1; the article AnAppOfYourOwn shows the first.
import Glibc
import SoftTokenCore

/// Activates the token of a link in a file, or of one that is typed.
func activate(
    _ path: String?, _ authenticator: inout Authenticator, _ person: Keypad
) throws(AuthenticatorError) {
    let token =
        if let path {
            try authenticator.activate(try link(in: path), asking: person)
        } else {
            try authenticator.activate(asking: person)
        }
    print("activated", token.name)
}

/// A link's text goes from its file into guarded memory: it may hold a seed.
func link(in path: String) throws(AuthenticatorError) -> GivenLink {
    let file = try opened(path)
    defer { close(file) }
    return try GivenLink(readingFrom: file, path: path)
}

/// Shows the current one-time password.
func show(
    _ token: String?, _ authenticator: borrowing Authenticator, _ person: Keypad
) throws(AuthenticatorError) {
    let session = try authenticator.show(token, for: .once, asking: person)
    print(line(session.current()))
}

/// Shows the one-time passwords of some seconds as they follow each other.
func display(
    _ token: String?, seconds: Int, _ authenticator: borrowing Authenticator, _ person: Keypad
) throws(AuthenticatorError) {
    let session = try authenticator.show(
        token, for: .session(atMostSeconds: seconds), asking: person)
    while true {
        switch try session.frame() {
        case .ended(let end): return print("ended", end)
        case .showing(let frame):
            print(line(frame.otp), "next", frame.rolling?.next ?? "-")
        }
        sleep(1)
    }
}

/// The digits, and when they hold.
private func line(_ otp: OneTimePassword) -> String {
    switch otp.validity {
    case .time(let from, let until): "otp \(otp.digits) \(from) \(until)"
    case .counter(let counter): "otp \(otp.digits) \(counter)"
    }
}

func list(_ authenticator: borrowing Authenticator, _ person: Keypad) throws(AuthenticatorError) {
    let now = Int64(time(nil))
    for token in try authenticator.unlock(asking: person).tokens {
        print(
            "token", token.name, token.id, token.state(atUnixSeconds: now), token.kind.name,
            token.serial ?? "-", token.isFromSignedLink ? "signed" : "unsigned", token.warnings)
    }
}

func printStatus(_ status: Status) {
    print("keystore", status.keystore, status.attemptsLeft ?? -1, status.protector ?? "none")
    print("separation", status.separation.verdict, status.separation.reason)
    print("attested", status.isAttested ?? false)
    print("network", status.isNetworkBlocked ? "blocked" : "open")
    print("files", status.areFilesConfined ? "confined" : "open")
    for rule in status.policy { print("policy", rule.name, rule.value, rule.source) }
}

func printLog(_ authenticator: borrowing Authenticator) throws(AuthenticatorError) {
    let report = try authenticator.log()
    for entry in report.entries { print("entry", entry.event, entry.outcome, entry.tokenID ?? "-") }
    if let flaw = report.flaw { throw flaw }
}

func printDevices(_ authenticator: borrowing Authenticator) throws(AuthenticatorError) {
    let devices = try authenticator.devices()
    if case .marked(let record) = devices.mark { print("marked", record.label) }
    for record in devices.records { print("record", record.label) }
    let separation = try authenticator.checkDevice()
    print("check", separation.verdict, separation.evidence.joined(separator: ","))
}

/// Keeps the record of a computer that prescriptions are sent from.
func forbid(
    _ text: String, _ authenticator: borrowing Authenticator, _ person: Keypad
) throws(AuthenticatorError) {
    // That there is nothing to ask about is told before a PIN is asked for.
    let record = try PrescribingDeviceRecord(parsing: Array(text.utf8))
    try authenticator.check(record)
    var keystore = try authenticator.unlock(asking: person)
    try keystore.forbid(record)
    print("kept", record.label)
}

/// Trusts the key of an issuer's file.
func trust(
    _ path: String, _ authenticator: borrowing Authenticator, _ person: Keypad
) throws(AuthenticatorError) {
    let issuer = try IssuerKeyFile(parsing: try contents(of: path))
    var keystore = try authenticator.unlock(asking: person)
    try keystore.trust(issuer)
    for issuer in keystore.issuers { print("issuer", issuer.fingerprint, issuer.name) }
}

/// What stands in a small file that holds no secret.
private func contents(of path: String) throws(AuthenticatorError) -> [UInt8] {
    let file = try opened(path)
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 4_096)
    let count = read(file, &bytes, bytes.count)
    return Array(bytes.prefix(max(0, count)))
}

/// Trusts a key no longer.
func distrust(
    _ typed: String, _ authenticator: borrowing Authenticator, _ person: Keypad
) throws(AuthenticatorError) {
    guard let fingerprint = Authenticator.fingerprint(typed) else {
        throw AuthenticatorError(.usage, "this is no fingerprint")
    }
    var keystore = try authenticator.unlock(asking: person)
    print("distrusted", try keystore.distrust(fingerprint: fingerprint).name)
    for issuer in keystore.issuers { print("issuer", issuer.fingerprint, issuer.name) }
}

private func opened(_ path: String) throws(AuthenticatorError) -> Int32 {
    let file = open(path, O_RDONLY)
    guard file >= 0 else { throw AuthenticatorError(.notFound, "there is no file \(path)") }
    return file
}
