// RFC 4226 §5.3, step 1: HMAC(K, C), by nettle, whose contexts are structs of ours and so can lie
// in guarded memory. The MAC itself never leaves: what comes out is its truncation.
internal import CNettle
package import OTP

/// A seed keyed for one algorithm: makes truncated MACs of counters until it is dropped.
@safe package struct CodeGenerator: ~Copyable {
    private var context: SecureBytes
    private let algorithm: HashAlgorithm

    /// Keys the HMAC with the seed.
    package init(
        seed: borrowing Seed, algorithm: HashAlgorithm
    ) throws(KeystoreError) {
        self.algorithm = algorithm
        context = try SecureBytes(count: algorithm.contextByteCount)
        unsafe context.withUnsafeMutableBytes { context in
            unsafe seed.bytes.withUnsafeBytes { seed in
                unsafe algorithm.setKey(context.baseAddress!, seed)
            }
        }
        scrubStackAndRegisters(.shallow)
    }

    /// Makes the truncated MACs of consecutive moving factors, one after the other, so that none is
    /// kept here. RFC 4226 §5.3, steps 1 and 2.
    ///
    /// - Parameter take: gets the number of the MAC, from 0 on, and the MAC.
    package mutating func makeTruncatedMACs(
        first: UInt64, count: Int, _ take: (Int, UInt32) -> Void
    ) {
        unsafe context.withUnsafeMutableBytes { context in
            var mac = InlineArray<64, UInt8>(repeating: 0)
            for index in 0..<count {
                let counter = (first &+ UInt64(index)).bigEndian
                unsafe algorithm.mac(context.baseAddress!, of: counter, into: &mac)
                take(index, truncate(mac.span.extracting(0..<algorithm.macByteCount)))
            }
        }
        scrubStackAndRegisters(.shallow)
    }

    /// The truncated MACs as an array: for a verifier, which has the seed anyway.
    package mutating func truncatedMACs(first: UInt64, count: Int) -> [UInt32] {
        var truncated: [UInt32] = []
        truncated.reserveCapacity(count)
        makeTruncatedMACs(first: first, count: count) { truncated.append($1) }
        return truncated
    }

    /// One MAC in full: for the published vectors, and for a PSKC file's ValueMAC.
    @_spi(Issuer) public mutating func mac(of message: [UInt8]) -> [UInt8] {
        var mac = [UInt8](repeating: 0, count: algorithm.macByteCount)
        unsafe context.withUnsafeMutableBytes { context in
            unsafe algorithm.mac(context.baseAddress!, of: message, into: &mac)
        }
        return mac
    }
}

extension HashAlgorithm {
    fileprivate var contextByteCount: Int {
        switch self {
        case .sha1: MemoryLayout<hmac_sha1_ctx>.stride
        case .sha256: MemoryLayout<hmac_sha256_ctx>.stride
        case .sha512: MemoryLayout<hmac_sha512_ctx>.stride
        }
    }

    @unsafe fileprivate func setKey(
        _ context: UnsafeMutableRawPointer, _ key: UnsafeRawBufferPointer
    ) {
        let bytes = unsafe key.assumingMemoryBound(to: UInt8.self).baseAddress
        switch self {
        case .sha1:
            unsafe nettle_hmac_sha1_set_key(
                context.assumingMemoryBound(to: hmac_sha1_ctx.self), key.count, bytes)
        case .sha256:
            unsafe nettle_hmac_sha256_set_key(
                context.assumingMemoryBound(to: hmac_sha256_ctx.self), key.count, bytes)
        case .sha512:
            unsafe nettle_hmac_sha512_set_key(
                context.assumingMemoryBound(to: hmac_sha512_ctx.self), key.count, bytes)
        }
    }

    @unsafe fileprivate func mac(
        _ context: UnsafeMutableRawPointer, of counter: UInt64,
        into mac: inout InlineArray<64, UInt8>
    ) {
        unsafe withUnsafeBytes(of: counter) { message in
            var span = mac.mutableSpan
            unsafe span.withUnsafeMutableBufferPointer { mac in
                unsafe digest(context, message, mac.baseAddress!)
            }
        }
    }

    @unsafe fileprivate func mac(
        _ context: UnsafeMutableRawPointer, of message: [UInt8], into mac: inout [UInt8]
    ) {
        unsafe message.withUnsafeBytes { message in
            unsafe mac.withUnsafeMutableBufferPointer { mac in
                unsafe digest(context, message, mac.baseAddress!)
            }
        }
    }

    /// Digests one message and leaves the context keyed for the next, as nettle documents.
    @unsafe private func digest(
        _ context: UnsafeMutableRawPointer, _ message: UnsafeRawBufferPointer,
        _ mac: UnsafeMutablePointer<UInt8>
    ) {
        let bytes = unsafe message.assumingMemoryBound(to: UInt8.self).baseAddress
        switch self {
        case .sha1:
            let context = unsafe context.assumingMemoryBound(to: hmac_sha1_ctx.self)
            unsafe nettle_hmac_sha1_update(context, message.count, bytes)
            unsafe nettle_hmac_sha1_digest(context, macByteCount, mac)
        case .sha256:
            let context = unsafe context.assumingMemoryBound(to: hmac_sha256_ctx.self)
            unsafe nettle_hmac_sha256_update(context, message.count, bytes)
            unsafe nettle_hmac_sha256_digest(context, macByteCount, mac)
        case .sha512:
            let context = unsafe context.assumingMemoryBound(to: hmac_sha512_ctx.self)
            unsafe nettle_hmac_sha512_update(context, message.count, bytes)
            unsafe nettle_hmac_sha512_digest(context, macByteCount, mac)
        }
    }
}
