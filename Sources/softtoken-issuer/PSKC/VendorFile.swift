// A token vendor's PSKC file, read once from its start to its end, so that it may be a pipe. Bound
// by RFC 6030 and CONTRACT §6.
import Keystore
import Linux
import OTP

/// What a key of the file is, opened.
struct VendorToken: ~Copyable {
    let parameters: TokenParameters
    let seed: Seed

    consuming func takeSeed() -> Seed { seed }
}

/// A vendor's file and what unlocks it.
final class VendorFile {
    private let file: Descriptor
    private let path: String
    private let secret: RecordsSecret?
    private var protection = PSKCProtection()
    /// Made for the first key: a derived key costs thousands of rounds.
    private var opener: PSKCKeyring?

    /// - Throws: `Failure`: 66, 74, 78, 64.
    init(_ path: String, keyFd: Int32?) throws(Failure) {
        let file = try Failure.catching(Failure.init(_:)) { () throws(SystemError) in
            try openInput(path)
        }
        secret = try RecordsSecret.read(from: keyFd)
        self.file = file
        self.path = path
    }

    var input: InputKind { InputKind(file) }
    /// How long the file is; 0 for a pipe.
    var byteCount: Int { (try? file.attributes().byteCount) ?? 0 }

    /// Lends the keys one by one.
    ///
    /// - Throws: `Failure` (65) for a file that is damaged.
    func read(_ body: (PSKCKeyPackage) -> Void) throws(Failure) {
        do throws(PSKCError) {
            let outline = try readPSKC(file) { package, protection in
                self.protection = protection
                body(package)
            }
            if outline.isSigned {
                Console.note("the file's signature was not verified: pskctool --verify does that")
            }
        } catch { throw Failure(error, path: path) }
    }

    /// The one key that may become a soft token now.
    ///
    /// - Parameter serial: nil for a file that has just one.
    /// - Throws: `Failure`.
    func onlyToken(_ serial: String?, at unixSeconds: Int64) throws(Failure) -> PSKCKeyPackage {
        var found: [PSKCKeyPackage] = []
        var count = 0
        var ocraCount = 0
        var others: [PSKCKeyPackage] = []
        try read { package in
            if package.isOCRA { ocraCount += 1 }
            guard serial == nil || package.serial == serial else { return }
            guard package.isToken else {
                // What it is instead is told when it is opened.
                if others.count < 2 { others.append(package) }
                return
            }
            count += 1
            let isUsable = (try? package.policy.check(for: .link, at: unixSeconds)) != nil
            // One that isn't usable stands for its reason, until there is a better one.
            if isUsable || found.isEmpty { found.append(package) }
        }
        let usable = found.filter {
            (try? $0.policy.check(for: .link, at: unixSeconds)) != nil
        }
        guard let first = usable.first ?? found.first else {
            if others.count == 1, serial != nil || !others[0].isOCRA { return others[0] }
            guard serial != nil || ocraCount == 0 else {
                throw Failure(
                    .rejected, "\(path) has only OCRA keys, which are not supported",
                    hint: "ask the vendor for HOTP or TOTP keys")
            }
            throw Failure(.missing, "\(path) has no such token")
        }
        guard usable.count <= 1, serial != nil || count == 1 else {
            throw Failure(
                .usage, "\(path) has \(count) tokens", hint: "choose one with --serial, or --out")
        }
        return first
    }

    /// Opens a key, if it may become a soft token.
    ///
    /// - Throws: `KeyProblem`.
    func open(
        _ package: PSKCKeyPackage, at unixSeconds: Int64
    ) throws(KeyProblem) -> VendorToken {
        do throws(PolicyProblem) {
            try package.policy.check(for: .link, at: unixSeconds)
        } catch { throw .policy(error) }
        guard isAcceptableName(package.serial, bytes: 1...32) else { throw .serialLength }
        if opener == nil { opener = try opened() }
        switch opener {
        case nil: throw .keyNeeded
        case .some(let keyring):
            let parameters = try package.parameters(keyring)
            let seed = try package.seed(keyring)
            // CONTRACT §4: what a link can carry.
            guard seed.byteCount >= Seed.recommendedByteCount else { throw .shortSeed }
            return VendorToken(parameters: parameters, seed: seed)
        }
    }

    private func opened() throws(KeyProblem) -> PSKCKeyring { try keyring(protection, secret) }

    /// What a verifier needs of a key.
    ///
    /// - Throws: `KeyProblem`.
    func verifiable(_ package: PSKCKeyPackage) throws(KeyProblem) -> VerifiableKey {
        if opener == nil { opener = try opened() }
        switch opener {
        case nil: throw .keyNeeded
        case .some(let keyring):
            return VerifiableKey(state: try package.state(keyring), seed: try package.seed(keyring))
        }
    }
}

/// A key as a verifier has it.
struct VerifiableKey: ~Copyable {
    let state: VerifierState
    let seed: Seed
}
