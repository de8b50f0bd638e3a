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
            throw Failure(.usage, "a name has 1 to 64 bytes that can be shown")
        }
        return file.bytes
    }

    /// The private file.
    borrowing func privateFile() throws(Failure) -> SecureBytes {
        let head = try publicFile().dropLast(end.count)
        return try inMemory { () throws(KeystoreError) in
            var file = try SecureBytes(count: head.count + tailByteCount)
            signingKey.readSeed { secret in
                file.write { (target: inout MutableSpan<UInt8>) in
                    var position = write(head + mark, to: &target, at: 0)
                    TextAlphabet.base64URL.encode(secret) { letter in
                        target[position] = letter
                        position += 1
                    }
                    _ = write([UInt8(ascii: "\"")] + end, to: &target, at: position)
                }
            }
            return file
        }
    }

    /// Reads the private file.
    ///
    /// - Throws: `Failure`: 66, 74, 78, or 65 for a file that `keygen` didn't write.
    static func read(_ path: String) throws(Failure) -> IssuerKey {
        let text = try readSecretFile(path)
        let rejected = Failure(
            .rejected, "\(path) is not an issuer's key", hint: "softtoken-issuer keygen writes one")
        guard text.count > tailByteCount else { throw rejected }
        let start = text.count - tailByteCount
        let publicPart = text.read { text in (0..<start).map { text[$0] } }
        guard text.isTail(mark, at: start),
            text.isTail([UInt8(ascii: "\"")] + end, at: text.count - 4),
            let file = try? IssuerFile(parsing: (publicPart + end).span),
            let secret = try? text.read({ (text) throws(KeystoreError) in
                let letters = text.extracting((start + mark.count)..<(text.count - 4))
                return try SecureBytes.decoding(letters, as: .base64URL)
            }), secret.count == 32, let signingKey = try? SigningKey(seed: secret),
            signingKey.verifyingKey == file.key
        else { throw rejected }
        return IssuerKey(name: file.name, signingKey: signingKey)
    }
}

/// A small file of secrets in guarded memory; the public half that `keygen` leaves beside the key, for
/// everybody to read, is told as what it is.
private func readSecretFile(_ path: String) throws(Failure) -> SecureBytes {
    let file: Descriptor
    do throws(Failure) { file = try openPrivate(path) } catch {
        // Others may read it, and should.
        if let file = try? openInput(path), let bytes = try? content(of: file),
            isPublicHalf(bytes)
        {
            throw .publicHalf(path)
        }
        throw error
    }
    let bytes = try content(of: file)
    guard !isPublicHalf(bytes) else { throw .publicHalf(path) }
    return bytes
}

/// The reader of the public file looks for a private key before it copies anything.
private func isPublicHalf(_ bytes: borrowing SecureBytes) -> Bool {
    bytes.read { (try? IssuerFile(parsing: $0)) != nil }
}

private func content(of file: borrowing Descriptor) throws(Failure) -> SecureBytes {
    let count = try fromSystem { () throws(SystemError) in try file.attributes().byteCount }
    guard (1...4096).contains(count) else {
        throw Failure(.rejected, "\(file.path) is not an issuer's key: it is too long, or empty")
    }
    var bytes = try inMemory { () throws(KeystoreError) in try SecureBytes(count: count) }
    try bytes.write { (target: inout MutableSpan<UInt8>) throws(Failure) in
        do throws(SystemError) {
            for index in target.indices {
                guard try file.readByte(into: &target, at: index) else { return }
            }
        } catch { throw Failure(error) }
    }
    return bytes
}

extension Failure {
    fileprivate static func publicHalf(_ path: String) -> Failure {
        Failure(
            .rejected, "\(path) is the public half of an issuer's key",
            hint: "--key takes the private file, which softtoken-issuer keygen wrote beside it")
    }
}

extension SecureBytes {
    /// Whether public bytes stand at a position.
    fileprivate borrowing func isTail(_ expected: [UInt8], at start: Int) -> Bool {
        read { bytes in
            start >= 0 && expected.indices.allSatisfy { bytes[start + $0] == expected[$0] }
        }
    }
}

private func write(
    _ bytes: [UInt8], to target: inout MutableSpan<UInt8>, at start: Int
) -> Int {
    for index in bytes.indices { target[start + index] = bytes[index] }
    return start + bytes.count
}

/// How the public file ends, and how the private half begins.
private let end = Array("}}\n".utf8)
private let mark = Array(",\"d\":\"".utf8)
/// The mark, 43 letters of base64url, and the end with its quotation mark.
private let tailByteCount = 6 + 43 + 4
