// Strict JSON and the small formats beside links: what is read and written again is the same.
// Bound by CONTRACT §4 and DESIGN §10.
import Keystore
import KeystoreIssuer
import Linux

@testable import Activation

let jsonTargets = [
    FuzzTarget(name: "json") { bytes in
        guard let value = try? readJSON(bytes) else { return }
        check(value, depth: 0)
        let written = value.bytes
        guard let again = try? readJSON(written) else {
            return require(false, "what was written can be read")
        }
        require(again.bytes == written, "JSON is written in one way")
    },
    FuzzTarget(name: "issuer-file") { bytes in
        guard let file = try? IssuerFile(parsing: bytes.span) else { return }
        require(isAcceptableText(file.name, bytes: 1...64), "an issuer's name can be shown")
        require(bytes.count <= 16 << 10, "an issuer's file is small")
        let written = file.bytes
        let again = try? IssuerFile(parsing: written.span)
        require(again == file && again?.bytes == written, "an issuer's file reads back")
    },
    FuzzTarget(name: "policy") { bytes in
        guard let file = try? AdministratorPolicy(parsing: bytes.span) else { return }
        require(file.policy.attempts.map { (3...10).contains($0) } ?? true, "3 to 10 attempts")
        require(
            file.policy.sessionSeconds.map { (30...900).contains($0) } ?? true,
            "30 to 900 seconds")
    },
    FuzzTarget(name: "request") { bytes in
        attemptRequest(bytes)
        // With the right checksum: what stands behind it is met too.
        let content = Array(bytes.prefix(40))
        guard !content.isEmpty else { return }
        let whole = content + blake2b(content, byteCount: 32)[0..<4]
        attemptRequest(Array((EnrolmentRequest.prefix + TextAlphabet.base64URL.text(whole)).utf8))
    },
    FuzzTarget(name: "code") { bytes in
        guard let code = try? ActivationCode(parsing: bytes.span) else { return }
        let shown = code.readShown { shown in shown.indices.map { shown[$0] } }
        guard let again = try? ActivationCode(parsing: shown.span) else {
            return require(false, "a code that is shown can be typed")
        }
        let twice = again.readShown { shown in shown.indices.map { shown[$0] } }
        require(twice == shown, "a code is shown in one way")
        require(looksLikeActivationCode(shown.span), "a code is told from a link")
    },
]

private func attemptRequest(_ text: [UInt8]) {
    guard let request = try? EnrolmentRequest(parsing: text.span) else { return }
    require(request.publicKey.count == 32, "a public key has 32 bytes")
    let again = try? EnrolmentRequest(parsing: Array(request.text.utf8).span)
    require(again == request, "a request reads back")
    let canonical = Array(request.text.utf8)
    require(
        text.span.firstRange(of: request.text, in: text.indices) != nil,
        "a request has one spelling, but for the case of its prefix")
    require(canonical.count <= text.count, "nothing is added")
}

private func check(_ value: JSONValue, depth: Int) {
    switch value {
    case .null, .bool, .string: return
    case .integer(let number):
        require(JSONValue.integers.contains(number), "integers are within ±(2^53−1)")
    case .array(let elements):
        require(depth < 8, "no more than 8 arrays and objects in each other")
        for element in elements { check(element, depth: depth + 1) }
    case .object(let members):
        require(depth < 8, "no more than 8 arrays and objects in each other")
        require(
            Set(members.map { Array($0.name.utf8) }).count == members.count,
            "no member stands twice")
        for member in members { check(member.value, depth: depth + 1) }
    }
}
