// What libsodium and nettle leave behind: their working copies on the stack and in vector
// registers. Measured: crypto_pwhash leaves its output 1 to 6 times. Bound by DESIGN §3.
internal import CLinux
internal import CSodium

/// Overwrites the stack below this frame (32 KiB) and every vector register.
@inline(never) func scrubStackAndRegisters() {
    sodium_stackzero(32 * 1024)
    st_scrub_vector_registers()
}
