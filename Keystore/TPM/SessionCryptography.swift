// The cryptography of a chip's sessions: ECDH on P-256, the two KDFs, HMAC-SHA-256, AES-128-CFB.
// Bound by DESIGN §5; TCG TPM 2.0 Library part 1, §11.4.10 (KDFs), §21 (parameters), annex C (ECDH).
internal import CHogweed
internal import CNettle

/// A public point of P-256: 64 bytes, x and y.
struct CurvePoint: Equatable, Sendable {
    static let coordinateByteCount = 32
    let bytes: [UInt8]

    var x: [UInt8] { Array(bytes.prefix(CurvePoint.coordinateByteCount)) }
    var y: [UInt8] { Array(bytes.suffix(CurvePoint.coordinateByteCount)) }

    init(x: [UInt8], y: [UInt8]) {
        precondition(x.count == 32 && y.count == 32, "a coordinate has 32 bytes")
        bytes = x + y
    }

    /// The product of the generator and a scalar; nil if that is outside of 1..n − 1.
    init?(of scalar: borrowing SecureBytes) throws(KeystoreError) {
        guard let product = try multiply(scalar, by: nil) else { return nil }
        bytes = product.read { bytes in bytes.indices.map { bytes[$0] } }
    }
}

/// x of scalar · point: the secret of NIST SP 800-56A §5.7.1.2.
///
/// - Returns: nil if the scalar is outside of 1..n − 1, or the point is none of the curve.
func sharedSecret(
    _ scalar: borrowing SecureBytes, _ point: CurvePoint
) throws(KeystoreError) -> SecureBytes? {
    guard let product = try multiply(scalar, by: point) else { return nil }
    return try copy(0..<32, of: product)
}

private func multiply(
    _ scalar: borrowing SecureBytes, by point: CurvePoint?
) throws(KeystoreError) -> SecureBytes? {
    precondition(scalar.count == 32, "a scalar has 32 bytes")
    var product = try SecureBytes(count: 64)
    let isMultiplied = unsafe product.withUnsafeMutableBytes { product in
        unsafe scalar.withUnsafeBytes { scalar in
            let scalar = unsafe scalar.assumingMemoryBound(to: UInt8.self).baseAddress!
            let product = unsafe product.assumingMemoryBound(to: UInt8.self).baseAddress!
            guard let point else { return unsafe st_p256_multiply(scalar, nil, product) == 1 }
            return unsafe st_p256_multiply(scalar, point.bytes, product) == 1
        }
    }
    scrubStackAndRegisters(.deep)
    guard isMultiplied else { return nil }
    return product
}

/// SHA-256 of public bytes.
func sha256(_ message: [UInt8]) -> [UInt8] {
    var context = sha256_ctx()
    var digest = [UInt8](repeating: 0, count: 32)
    unsafe nettle_sha256_init(&context)
    unsafe nettle_sha256_update(&context, message.count, message)
    unsafe nettle_sha256_digest(&context, digest.count, &digest)
    return digest
}

/// HMAC-SHA-256 of public bytes, as a secret: a key.
func hmacSHA256(
    _ message: [UInt8], key: borrowing SecureBytes
) throws(KeystoreError) -> SecureBytes {
    var context = try SecureBytes(count: MemoryLayout<hmac_sha256_ctx>.stride)
    var digest = try SecureBytes(count: 32)
    unsafe context.withUnsafeMutableBytes { context in
        let context = unsafe context.assumingMemoryBound(to: hmac_sha256_ctx.self).baseAddress!
        unsafe key.withUnsafeBytes { key in
            unsafe nettle_hmac_sha256_set_key(
                context, key.count, key.assumingMemoryBound(to: UInt8.self).baseAddress)
        }
        unsafe nettle_hmac_sha256_update(context, message.count, message)
        unsafe digest.withUnsafeMutableBytes { digest in
            unsafe nettle_hmac_sha256_digest(
                context, digest.count, digest.assumingMemoryBound(to: UInt8.self).baseAddress)
        }
    }
    scrubStackAndRegisters(.shallow)
    return digest
}

/// One block of NIST SP 800-108's KDF in counter mode: 32 bytes.
func counterKDF(_ fixed: [UInt8], key: borrowing SecureBytes) throws(KeystoreError) -> SecureBytes {
    try hmacSHA256([0, 0, 0, 1] + fixed, key: key)
}

/// KDFa: 256 bits.
func kdfA(
    key: borrowing SecureBytes, label: StaticString, _ contextU: [UInt8], _ contextV: [UInt8]
) throws(KeystoreError) -> SecureBytes {
    var fixed = ByteWriter()
    fixed.append(label)
    fixed.append(UInt8(0))
    fixed.append(contextU)
    fixed.append(contextV)
    fixed.append(UInt32(256))
    return try counterKDF(fixed.bytes, key: key)
}

/// KDFe: 256 bits of what two parties agreed on, SHA-256 of one block.
func kdfE(
    _ secret: borrowing SecureBytes, label: StaticString, _ partyU: [UInt8], _ partyV: [UInt8]
) throws(KeystoreError) -> SecureBytes {
    var rest = ByteWriter()
    rest.append(label)
    rest.append(UInt8(0))
    rest.append(partyU + partyV)
    return try sha256(before: [0, 0, 0, 1], secret, after: rest.bytes)
}

/// SHA-256 of a secret between public bytes, as a secret.
func sha256(
    before: [UInt8], _ secret: borrowing SecureBytes, after: [UInt8]
) throws(KeystoreError) -> SecureBytes {
    var context = try SecureBytes(count: MemoryLayout<sha256_ctx>.stride)
    var digest = try SecureBytes(count: 32)
    unsafe context.withUnsafeMutableBytes { context in
        let context = unsafe context.assumingMemoryBound(to: sha256_ctx.self).baseAddress!
        unsafe nettle_sha256_init(context)
        unsafe nettle_sha256_update(context, before.count, before)
        unsafe secret.withUnsafeBytes { secret in
            unsafe nettle_sha256_update(
                context, secret.count, secret.assumingMemoryBound(to: UInt8.self).baseAddress)
        }
        unsafe nettle_sha256_update(context, after.count, after)
        unsafe digest.withUnsafeMutableBytes { digest in
            unsafe nettle_sha256_digest(
                context, digest.count, digest.assumingMemoryBound(to: UInt8.self).baseAddress)
        }
    }
    scrubStackAndRegisters(.shallow)
    return digest
}

/// AES-128-CFB with a key and IV of 16 bytes each, one after the other.
enum CFB: Int32 {
    case decrypts = 0
    case encrypts = 1

    /// Turns `bytes` in place; any length. The key is used up.
    func apply(to bytes: inout SecureBytes, key: consuming SecureBytes) throws(KeystoreError) {
        precondition(key.count == 32, "16 bytes of key and 16 of IV")
        var context = try SecureBytes(count: MemoryLayout<aes128_ctx>.stride)
        unsafe context.withUnsafeMutableBytes { context in
            unsafe key.withUnsafeMutableBytes { key in
                unsafe bytes.withUnsafeMutableBytes { bytes in
                    unsafe st_aes128_cfb(
                        context.baseAddress!, rawValue,
                        key.assumingMemoryBound(to: UInt8.self).baseAddress!, bytes.count,
                        bytes.assumingMemoryBound(to: UInt8.self).baseAddress!)
                }
            }
        }
        scrubStackAndRegisters(.shallow)
    }
}
