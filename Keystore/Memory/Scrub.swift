// What libsodium and nettle leave behind: their working copies on the stack and in vector
// registers. Measured: crypto_pwhash leaves its output 1 to 6 times. Bound by DESIGN §3.
internal import CLinux
internal import CSodium

/// How far down the stack a function of libsodium or nettle may have written.
package enum StackDepth: Int {
    /// A hash, a MAC, an AEAD: their frames are below 2 KiB.
    case shallow = 4096
    /// Argon2id, curves.
    case deep = 32768
}

/// Overwrites the stack below this frame, and every vector register.
@inline(never) package func scrubStackAndRegisters(_ depth: StackDepth) {
    sodium_stackzero(depth.rawValue)
    st_scrub_vector_registers()
}
