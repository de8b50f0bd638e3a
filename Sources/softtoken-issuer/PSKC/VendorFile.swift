// A token vendor's PSKC file, read once from its start to its end, so that it may be a pipe. Bound
// by RFC 6030 and CONTRACT §6.
import Keystore
import Linux
import OTP
import ProgramSupport
import SoftTokenCore

/// A vendor's file and what unlocks it.
final class VendorFile {
    private let file: Descriptor
    private let secret: RecordsSecret?
    private var protection = PSKCProtection()
    /// Made for the first key: a derived key costs thousands of rounds.
    private var opener: PSKCKeyring?

    init(_ path: String, keyFd: Int32?) throws(Failure) {
        file = try fromSystem(try openInput(path))
        secret = try RecordsSecret.read(from: keyFd, isOfOurs: false)
    }

    /// How long the file is; nil for a pipe.
    var byteCount: Int? { file.plainByteCount }

    /// Lends the keys one by one.
    ///
    /// - Throws: `Failure` (65) for a file that is damaged, and what `body` throws.
    func read(_ body: (PSKCKeyPackage) throws(Failure) -> Void) throws(Failure) {
        let outline = try readKeys(file) { (package, protection) throws(Failure) in
            self.protection = protection
            try body(package)
        }
        if outline.isSigned {
            output.note("the file's signature was not verified: pskctool --verify does that")
        }
    }

    /// The one key that may become a soft token now.
    ///
    /// - Parameter serial: nil for a file that has just one.
    func onlyToken(_ serial: String?, at unixSeconds: Int64) throws(Failure) -> PSKCKeyPackage {
        var (usable, tokens, others) = ([PSKCKeyPackage](), [PSKCKeyPackage](), [PSKCKeyPackage]())
        var hasOCRA = false
        try read { package in
            if package.isOCRA { hasOCRA = true }
            guard serial == nil || package.serial == serial else { return }
            guard package.isToken else { return others.append(package) }
            tokens.append(package)
            if package.policy.allows(.link, at: unixSeconds) { usable.append(package) }
        }
        // One that isn't usable, or no token, stands for its reason: it is told when it is opened.
        guard let first = usable.first ?? tokens.first else {
            if others.count == 1, serial != nil || !others[0].isOCRA { return others[0] }
            guard serial != nil || !hasOCRA else {
                throw .rejected(
                    "\(file.path) has only OCRA keys, which are not supported",
                    hint: "ask the vendor for HOTP or TOTP keys")
            }
            throw Failure(.notFound, "\(file.path) has no such token")
        }
        guard usable.count <= 1, serial != nil || tokens.count == 1 else {
            throw .usage(
                "\(file.path) has \(tokens.count) tokens",
                hint: "choose one with --serial, or --out")
        }
        return first
    }

    /// Opens a key, if it may become a soft token.
    func open(
        _ package: PSKCKeyPackage, at unixSeconds: Int64
    ) throws(Failure) -> VendorToken {
        try package.policy.check(for: .link, at: unixSeconds)
        guard isAcceptableName(package.serial, bytes: 1...32) else { throw .serialLength }
        let keyring = try keyring()
        let token = VendorToken(
            parameters: try package.parameters(keyring), seed: try package.seed(keyring))
        // CONTRACT §4: what a link can carry.
        guard token.seed.byteCount >= Seed.recommendedByteCount else { throw .shortSeed }
        return token
    }

    /// What opens the file's keys.
    func keyring() throws(Failure) -> PSKCKeyring {
        if let opener { return opener }
        let made = try vendorKeyring(protection, secret)
        opener = made
        return made
    }
}

/// What a key of a vendor's file is, opened.
struct VendorToken: ~Copyable {
    let parameters: TokenParameters
    let seed: Seed
}
