// The issuer's signing key on disk: the public file of CONTRACT §4 with one member more, RFC 8037's
// "d", at its end. Bound by RECORDS.md §4. The private half goes from the file into guarded memory
// and back without ever being a String.
import Activation
import Keystore
import KeystoreIssuer
import Linux
import SoftTokenCore

/// An issuer: its name and its signing key.
struct IssuerKey: ~Copyable {
    let name: String
    let signingKey: SigningKey
    let fingerprint: String

    init(name: String, signingKey: consuming SigningKey) {
        self.name = name
        fingerprint = signingKey.verifyingKey.fingerprint()
        self.signingKey = signingKey
    }

    /// The public file, for `softtoken issuer add`.
    ///
    /// - Throws: `Failure` (64) for a name that can't be shown.
    borrowing func publicFile() throws(Failure) -> [UInt8] {
        guard let file = IssuerFile(name: name, key: signingKey.verifyingKey) else {
            throw .usage("a name has 1 to 64 bytes that can be shown")
        }
        return file.bytes
    }

    /// The private file.
    borrowing func privateFile() throws(Failure) -> SecureBytes {
        let head = try publicFile().dropLast(publicEnd.count) + mark
        var file = try inMemory(try SecureBytes(count: head.count + letterCount + end.count))
        signingKey.readSeed { secret in
            _ = file.fill { target in
                for byte in head { target.append(byte) }
                TextAlphabet.base64URL.encode(secret) { target.append($0) }
                for byte in end { target.append(byte) }
            }
        }
        return file
    }

    /// Reads the private file.
    ///
    /// - Throws: `Failure`: 66, 74, 78, or 65 for a file that `keygen` didn't write.
    static func read(_ path: String) throws(Failure) -> IssuerKey {
        let text = try readSecretFile(path)
        let rejected = Failure(
            .rejected, "\(path) is not an issuer's key", hint: "softtoken-issuer keygen writes one")
        let letters = text.count - end.count - letterCount..<text.count - end.count
        guard letters.lowerBound > mark.count else { throw rejected }
        let head = text.read { text in (0..<letters.lowerBound).map { text[$0] } }
        let tail = text.read { text in (letters.upperBound..<text.count).map { text[$0] } }
        guard head.suffix(mark.count) == mark[...], tail == end,
            let file = try? IssuerFile(parsing: (head.dropLast(mark.count) + publicEnd).span),
            let secret = try? text.read({ (text) throws(KeystoreError) in
                try SecureBytes.decoding(text.extracting(letters), as: .base64URL)
            }), secret.count == 32, let signingKey = try? SigningKey(seed: secret),
            signingKey.verifyingKey == file.key
        else { throw rejected }
        return IssuerKey(name: file.name, signingKey: signingKey)
    }
}

/// A small file of secrets in guarded memory. The public half that `keygen` leaves beside the key, for
/// everybody to read, is told as what it is: its reader looks for a private key before it copies
/// anything.
private func readSecretFile(_ path: String) throws(Failure) -> SecureBytes {
    if let file = try? openInput(path), let bytes = try? content(of: file),
        bytes.read({ (try? IssuerFile(parsing: $0)) != nil })
    {
        throw .rejected(
            "\(path) is the public half of an issuer's key",
            hint: "--key takes the private file, which softtoken-issuer keygen wrote beside it")
    }
    return try content(of: try openPrivate(path))
}

private func content(of file: borrowing Descriptor) throws(Failure) -> SecureBytes {
    let count = try fromSystem(try file.attributes().byteCount)
    guard (1...4096).contains(count) else {
        throw .rejected("\(file.path) is not an issuer's key: it is too long, or empty")
    }
    var bytes = try inMemory(try SecureBytes(count: count))
    _ = try bytes.write { (target: inout MutableSpan<UInt8>) throws(Failure) in
        try fromSystem(try file.read(into: &target, from: 0))
    }
    return bytes
}

/// How the public file ends.
private let publicEnd = Array("}}\n".utf8)
/// What stands before and behind the private half, which has 32 bytes.
private let mark = Array(",\"d\":\"".utf8)
private let end = Array("\"}}\n".utf8)
private let letterCount = 43
