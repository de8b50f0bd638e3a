// How one link is locked: to the device that asked for it, or under an activation code. Bound by
// CONTRACT §4, §6 and 21 CFR 1311.105(c).
import Activation
import ArgumentParser
import Keystore
import KeystoreIssuer
import Linux
import ProgramSupport
import SoftTokenCore

struct LockOptions: ParsableArguments {
    @Option(
        help: .taking(
            "request", "A device's enrolment request: the link opens on that device alone."))
    var request: String?

    @Option(
        help: .taking("code", "The activation code; drawn unless given. Better from --code-fd."))
    var code: String?

    @Option(help: .taking("n", "A descriptor with the activation code."))
    var codeFd: Int32?

    func validate() throws {
        guard [request == nil, code == nil, codeFd == nil].filter({ !$0 }).count <= 1 else {
            throw ValidationError("--request, --code and --code-fd: a link has one lock")
        }
    }

    var isEmpty: Bool { request == nil && code == nil && codeFd == nil }

    /// - Throws: `Failure`: 64; 65 where the request isn't the prescriber's; 88 for a code that is easy
    ///   to guess.
    func lock() throws(Failure) -> TokenOrder.Lock {
        if let request { return .request(try confirmed(request)) }
        guard let code = try givenCode() else { return .code(nil) }
        let isTrivial = try judging(
            try ActivationCode(parsing: Array(code.utf8).span).isTrivial)
        guard !isTrivial else {
            throw Failure(
                .policy, "this activation code is easy to guess",
                hint: "leave it out, and one is drawn")
        }
        return .code(code)
    }

    private func givenCode() throws(Failure) -> String? {
        guard let codeFd else { return code }
        guard let line = try secretLine(from: codeFd) else {
            throw .usage("descriptor \(codeFd) has no activation code")
        }
        return line.read { line in String(decoding: line.indices.map { line[$0] }, as: UTF8.self) }
    }

    /// Whoever can change mail can put a request of their own in its place: the two verifications are
    /// compared before a seed is sealed to it.
    private func confirmed(_ text: String) throws(Failure) -> EnrolmentRequest {
        let request = try judging(try EnrolmentRequest(parsing: Array(text.utf8).span))
        output.note("verification \(request.verification)")
        guard isTerminal(0) else {
            output.hint("ask the prescriber, not by mail, whether the device shows the same")
            return request
        }
        let question =
            "The verification that the prescriber reads out, by telephone or in person (or yes, if "
            + "it is the same)"
        guard let line = try nextLine(asking: question) else {
            throw .usage("the verification was not compared")
        }
        let answer = String(decoding: line, as: UTF8.self)
        guard answer == "yes" || request.isVerified(by: answer) else {
            throw .rejected(
                "this is another request than the prescriber's: nothing was made",
                hint: "it may have been changed on its way: ask for it on another one")
        }
        return request
    }
}

extension EnrolmentRequest {
    /// Whether what was heard is its verification, in either case and however it is parted.
    func isVerified(by heard: String) -> Bool {
        let letters: (String) -> String = { text in
            text.uppercased().filter { $0 != "-" && !$0.isWhitespace }
        }
        return letters(heard) == letters(verification)
    }
}
