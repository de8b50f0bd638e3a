// Randomness for what is public: identifiers, salts, nonces. Secrets are drawn in guarded memory.
internal import CSodium

/// Draws `count` public random bytes.
package func randomBytes(count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    unsafe randombytes_buf(&bytes, count)
    return bytes
}

/// Draws a number below `bound`, without bias.
package func randomNumber(below bound: UInt32) -> UInt32 { randombytes_uniform(bound) }
