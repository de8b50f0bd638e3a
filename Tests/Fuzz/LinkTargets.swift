// Links and the mails that bring them: `readLink` as `activate` calls it, JWS payloads under a right
// signature, and how long a hostile mail may take. Bound by CONTRACT §4, §5 and DESIGN §7.
import Glibc
import Keystore
import KeystoreIssuer
import Linux
import OTP

@testable import Activation

let linkTargets = [
    FuzzTarget(name: "link") { readAndCheck($0) },
    FuzzTarget(name: "mail") { readAndCheck($0) },
    FuzzTarget(name: "mail-time") { readAndCheck(enlarged($0)) },
    FuzzTarget(name: "signed") { verifyAndCheck($0) },
    FuzzTarget(name: "pairs") { readPairs($0) },
    FuzzTarget(name: "breaks") { readBroken($0) },
]

/// A text is read within 2 s a MiB. The instrumented program takes eight times as long as the
/// release, twelve on a busy machine; small inputs have a floor for the clock's grain.
private func secondsAllowed(_ byteCount: Int) -> Double {
    0.2 + 12 * 2 * Double(byteCount) / Double(1 << 20)
}

private func readAndCheck(_ text: [UInt8]) {
    let start = processorSeconds()
    do throws(ActivationError) {
        switch try readLink(text.span, drawing: { [UInt8](repeating: 7, count: $0) }) {
        case .unsigned(let enrolment): check(enrolment)
        case .signed(let link): check(link)
        }
    } catch {
        if case .severalLinks(let links) = error {
            require(links.count > 1, "several links are more than one")
            for link in links { check(link) }
        }
        require(!isMemoryError(error), "memory is no property of a link")
    }
    let taken = processorSeconds() - start
    require(taken <= secondsAllowed(text.count), "a text is read within 2 s a MiB")
}

/// `head ‖ unit, often ‖ tail` of a quarter MiB: a small input that shows what grows too fast.
private func enlarged(_ input: [UInt8]) -> [UInt8] {
    var reader = InputReader(input)
    let headCount = Int(reader.byte())
    let unitCount = max(1, Int(reader.byte()))
    let head = Array(reader.rest.prefix(headCount))
    let unit = Array(reader.rest.dropFirst(headCount).prefix(unitCount))
    let tail = Array(reader.rest.dropFirst(headCount + unitCount))
    var text = head
    while !unit.isEmpty, text.count + tail.count < 1 << 18 { text += unit }
    return text + tail
}

private func check(_ enrolment: consuming Enrolment) {
    require(enrolment.origin == .unsigned, "an otpauth link is unsigned")
    require(
        enrolment.identity.issuer.map { isAcceptableText($0, bytes: 1...64) } ?? true,
        "an issuer can be shown")
    require(
        enrolment.identity.account.map { isAcceptableText($0, bytes: 1...128) } ?? true,
        "an account can be shown")
    require(
        isAcceptableText(enrolment.suggestedName, bytes: 1...64), "a suggested name can be kept")
    check(enrolment.parameters, periods: 1...300)
    require(
        enrolment.terms.pendingSeconds == 0 && enrolment.terms.policy == TokenPolicy(), "no terms")
    require(enrolment.identity.serial == nil && enrolment.jti == nil, "nothing of a signed link")
    require(
        enrolment.terms.prescribing.isEmpty && enrolment.terms.expiresUnixSeconds == nil, "no terms"
    )
    let seed = enrolment.takeSeed()
    require((10...64).contains(seed.byteCount), "a seed has 10 to 64 bytes")
}

private func check(_ parameters: TokenParameters, periods: ClosedRange<Int>) {
    require((6...8).contains(parameters.digits.value), "6 to 8 digits")
    switch parameters.factor {
    case .time(let seconds): require(periods.contains(seconds), "a period within its limits")
    case .counter(let counter): require(counter < 1 << 53, "a counter that JSON carries")
    }
}

private func check(_ link: LinkIdentity) {
    for text in [link.issuer, link.account, link.serial].compactMap(\.self) {
        require(isAcceptableText(text, bytes: 1...128), "what is listed can be shown")
    }
}

private func check(_ link: VerifiedLink) {
    require(isAcceptableText(link.issuer, bytes: 1...64), "an issuer can be shown")
    require(isAcceptableText(link.account, bytes: 1...128), "an account can be shown")
    require(isAcceptableText(link.serial, bytes: 1...32), "a serial can be shown")
    require(link.jti.count == 16, "a jti has 16 bytes")
    check(link.parameters, periods: 15...120)
    let terms = link.terms
    require(terms.pendingSeconds >= 0, "pending is no negative time")
    require(terms.policy.attempts.map { (3...10).contains($0) } ?? true, "3 to 10 attempts")
    require(
        terms.policy.sessionSeconds.map { (30...900).contains($0) } ?? true, "30 to 900 seconds")
    require(terms.prescribing.count <= 8, "8 records at most")
    require(terms.prescribing.allSatisfy { $0.utf8.count <= 2048 }, "2 KiB a record at most")
    switch link.box {
    case .device(let box): require((112...160).contains(box.count), "a device's box")
    case .code(let box):
        require((32...80).contains(box.box.count), "a code's box")
        require((64 << 20...1 << 30).contains(box.memoryBytes), "64 MiB to 1 GiB")
    }
}

/// A payload under a signature of our own: without one no fuzzer comes this far.
private func verifyAndCheck(_ payload: [UInt8]) {
    let header = TextAlphabet.base64URL.text(signingHeader.bytes)
    let content = header + "." + TextAlphabet.base64URL.text(payload)
    let jws = Array(
        (content + "." + TextAlphabet.base64URL.text(signingKey.sign(Array(content.utf8)))).utf8)
    do throws(ActivationError) {
        let link = try VerifiedLink(verifying: jws.span)
        require(jws.count <= 16 << 10, "a link has 16 KiB at most")
        check(link)
        require(link.key == signingKey.verifyingKey, "the key that signed")
    } catch {
        require(error != .signatureInvalid, "the signature is right")
        require(!isMemoryError(error), "memory is no property of a link")
    }
}

private let signingKey: SigningKey = {
    let seed = [UInt8](repeating: 0x42, count: 32)
    do throws(KeystoreError) {
        return try SigningKey(seed: SecureBytes(copying: seed.span))
    } catch { fatalError("no guarded memory") }
}()

private let signingHeader: JSONValue = [
    "alg": "EdDSA", "typ": .string(jwsMediaType), "jwk": jwk(signingKey.verifyingKey),
]

private func isMemoryError(_ error: ActivationError) -> Bool {
    switch error {
    case .outOfMemory: true
    default: false
    }
}

/// The time that this thread has computed.
private func processorSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}
