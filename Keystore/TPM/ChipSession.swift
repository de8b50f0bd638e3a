// A session with a chip: salted by a key agreement, so that nobody on the wire knows its key; each
// command and answer authenticated; the first parameter encrypted. Bound by DESIGN §5; TCG TPM 2.0
// Library part 1, §19 (authorizations), §21 (parameters).

/// Something in the chip, and the Name that a command's MAC covers.
struct NamedHandle: Equatable, Sendable {
    let handle: UInt32
    let name: [UInt8]

    init(_ handle: UInt32, name: [UInt8]) {
        self.handle = handle
        self.name = name
    }

    /// What is no object and no index is named by its handle.
    init(_ handle: UInt32) { self.init(handle, name: bigEndianBytes(handle)) }

    static let owner = NamedHandle(ChipConstant.owner)
}

/// The keys of one authorization within a session.
struct SessionKeys: ~Copyable {
    let mac: SecureBytes
    let cipher: SecureBytes
}

/// A salted session. Flush its handle when it is done with.
struct ChipSession: ~Copyable {
    enum Kind: UInt8, Sendable {
        case hmac = 0
        case policy = 1
    }

    let kind: Kind
    let handle: UInt32
    private let key: SecureBytes
    private var ours: [UInt8]
    private var theirs: [UInt8]

    /// Starts a session.
    ///
    /// - Throws: `ChipFault`; `.notTheChips` where the chip's key is no point of the curve.
    static func start(
        _ kind: Kind, chip: borrowing Chip, saltedBy primary: PrimaryResponse
    ) throws(ChipFault) -> ChipSession {
        let agreement = try KeyAgreement.made(with: primary.point)
        let nonce = randomBytes(count: 32)
        let command = ChipCommand.startSessionBytes(
            kind, salt: (primary.handle, agreement.point), nonce: nonce)
        guard let begun = SessionResponse(try chip.exchange(command)) else { throw .notTheChips }
        do throws(KeystoreError) {
            let salt = try kdfE(
                agreement.secret, label: "SECRET", agreement.point.x, primary.point.x)
            return ChipSession(
                kind: kind, handle: begun.handle,
                key: try kdfA(key: salt, label: "ATH", begun.nonce, nonce), ours: nonce,
                theirs: begun.nonce)
        } catch {
            chip.flush(begun.handle)
            throw .ours(error)
        }
    }

    /// The keys under the empty authorization.
    borrowing func keys() throws(ChipFault) -> SessionKeys {
        try inGuardedMemory { () throws(KeystoreError) in
            SessionKeys(mac: try copy(0..<32, of: key), cipher: try copy(0..<32, of: key))
        }
    }

    /// The keys under the first handle's authorization. A policy session leaves it out of its MAC and
    /// not out of the parameter's key.
    borrowing func keys(_ authorization: borrowing SecureBytes) throws(ChipFault) -> SessionKeys {
        try inGuardedMemory { () throws(KeystoreError) in
            let cipher = try joined(key, authorization)
            let mac = kind == .policy ? try copy(0..<32, of: key) : try copy(0..<64, of: cipher)
            return SessionKeys(mac: mac, cipher: cipher)
        }
    }

    /// Runs a command that carries nothing secret and answers nothing.
    mutating func act(
        _ command: ChipCommand, on handles: [NamedHandle], _ keys: borrowing SessionKeys,
        chip: borrowing Chip
    ) throws(ChipFault) {
        ours = randomBytes(count: 32)
        let answer = try run(command, on: handles, keys, [], .continues, chip: chip)
        guard answer.isEmpty else { throw .notTheChips }
    }

    /// Runs a command whose first parameter is a secret.
    mutating func send(
        _ command: ChipCommand, on handles: [NamedHandle], _ keys: borrowing SessionKeys,
        secret: borrowing SecureBytes, rest: [UInt8], chip: borrowing Chip
    ) throws(ChipFault) {
        ours = randomBytes(count: 32)
        let sealed = try inGuardedMemory { () throws(KeystoreError) in
            var bytes = try copy(0..<secret.count, of: secret)
            let key = try kdfA(key: keys.cipher, label: "CFB", ours, theirs)
            try CFB.encrypts.apply(to: &bytes, key: key)
            return bytes.read { bytes in bytes.indices.map { bytes[$0] } }
        }
        var parameters = ByteWriter()
        parameters.append(sized: sealed)
        parameters.append(rest)
        let answer = try run(
            command, on: handles, keys, parameters.bytes, [.continues, .decrypt], chip: chip)
        guard answer.isEmpty else { throw .notTheChips }
    }

    /// Runs a command that answers with one secret of `count` bytes.
    mutating func receive(
        _ command: ChipCommand, on handles: [NamedHandle], _ keys: borrowing SessionKeys,
        parameters: [UInt8], count: Int, chip: borrowing Chip
    ) throws(ChipFault) -> SecureBytes {
        ours = randomBytes(count: 32)
        let answer = try run(
            command, on: handles, keys, parameters, [.continues, .encrypt], chip: chip)
        var reader = ByteReader(answer)
        guard let sealed = reader.sized(count), reader.isAtEnd else { throw .notTheChips }
        return try inGuardedMemory { () throws(KeystoreError) in
            var bytes = try SecureBytes(copying: sealed.span)
            let key = try kdfA(key: keys.cipher, label: "CFB", theirs, ours)
            try CFB.decrypts.apply(to: &bytes, key: key)
            return bytes
        }
    }

    /// One command and its answer's parameters, once the answer's MAC is right.
    private mutating func run(
        _ command: ChipCommand, on handles: [NamedHandle], _ keys: borrowing SessionKeys,
        _ parameters: [UInt8], _ attributes: SessionAttributes, chip: borrowing Chip
    ) throws(ChipFault) -> [UInt8] {
        let asked = sha256(
            bigEndianBytes(command.rawValue) + handles.flatMap(\.name) + parameters)
        let proof = SessionProof(
            nonce: ours, attributes: attributes,
            mac: try mac(asked, newer: ours, older: theirs, attributes, keys))
        let response = try chip.exchange(
            command.authorizedBytes(
                handles.map(\.handle), session: handle, proof: proof, parameters: parameters))
        guard let answer = AuthorizedResponse(response) else { throw .notTheChips }
        let said = sha256(
            bigEndianBytes(UInt32(0)) + bigEndianBytes(command.rawValue) + answer.parameters)
        let expected = try mac(
            said, newer: answer.proof.nonce, older: ours, answer.proof.attributes, keys)
        guard answer.proof.attributes == attributes,
            isEqualInConstantTime(expected, answer.proof.mac)
        else { throw .notTheChips }
        theirs = answer.proof.nonce
        return answer.parameters
    }

    private borrowing func mac(
        _ hash: [UInt8], newer: [UInt8], older: [UInt8], _ attributes: SessionAttributes,
        _ keys: borrowing SessionKeys
    ) throws(ChipFault) -> [UInt8] {
        try inGuardedMemory { () throws(KeystoreError) in
            let mac = try hmacSHA256(hash + newer + older + [attributes.rawValue], key: keys.mac)
            return mac.read { bytes in bytes.indices.map { bytes[$0] } }
        }
    }
}

/// A key of ours that lives for one session, and what it and the chip's agree on.
private struct KeyAgreement: ~Copyable {
    let point: CurvePoint
    let secret: SecureBytes

    static func made(with chip: CurvePoint) throws(ChipFault) -> KeyAgreement {
        do throws(KeystoreError) {
            while true {
                let scalar = try SecureBytes(randomCount: 32)
                // One in 2^32 draws is outside of 1..n − 1.
                guard let point = try CurvePoint(of: scalar) else { continue }
                guard let secret = try sharedSecret(scalar, chip) else { break }
                return KeyAgreement(point: point, secret: secret)
            }
        } catch { throw .ours(error) }
        throw .notTheChips
    }
}

/// Two secrets one after the other.
private func joined(
    _ first: borrowing SecureBytes, _ second: borrowing SecureBytes
) throws(KeystoreError) -> SecureBytes {
    var whole = try SecureBytes(count: first.count + second.count)
    fill(&whole, at: 0, with: first)
    fill(&whole, at: first.count, with: second)
    return whole
}
