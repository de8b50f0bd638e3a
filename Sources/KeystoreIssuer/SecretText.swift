// Secrets as text, for the issuer's side alone: seeds and PSKC values in base64, a signing key's "d"
// in base64url (RFC 4648 §4, §5), a PSKC key in hexadecimal. Bytes in, guarded memory out; the way
// out of a seed is the verifier's record, which CONTRACT §6 asks for.
@_spi(Issuer) package import Keystore
internal import Linux

/// The alphabets of RFC 4648.
package enum SecretAlphabet: Sendable {
    /// §4 with padding; white space is skipped, as XML Schema's base64Binary allows.
    case base64
    /// §5 without padding and without anything else.
    case base64URL
    /// §6, in capitals and without padding.
    case base32
    /// §8, in either case.
    case hexadecimal
}

extension SecureBytes {
    /// Decodes text straight into guarded memory.
    ///
    /// - Returns: nil for text that isn't this alphabet's one spelling of a byte at least.
    /// - Throws: `KeystoreError.outOfMemory`.
    package static func decoding(
        _ text: Span<UInt8>, as alphabet: SecretAlphabet
    ) throws(KeystoreError) -> SecureBytes? {
        guard let count = alphabet.byteCount(of: text), count > 0 else { return nil }
        var bytes = try SecureBytes(count: count)
        let isCanonical = bytes.write { (target: inout MutableSpan<UInt8>) in
            alphabet.decode(text, into: &target)
        }
        scrubStackAndRegisters(.shallow)
        guard isCanonical else { return nil }
        return bytes
    }
}

extension Seed {
    /// Draws a new seed.
    package init(randomByteCount: Int) throws(KeystoreError) {
        self.init(try SecureBytes(randomCount: randomByteCount))
    }

    /// Writes the seed in base64 behind a verifier's record.
    package borrowing func appendBase64(to record: inout [UInt8]) {
        append(as: .base64, to: &record)
    }

    /// Writes the seed for another verifier.
    package borrowing func append(as alphabet: SecretAlphabet, to record: inout [UInt8]) {
        readBytes { bytes in alphabet.encode(bytes) { record.append($0) } }
    }
}

extension SecretAlphabet {
    /// Writes a secret's text into guarded memory.
    ///
    /// - Returns: the position behind it.
    package func write(
        _ bytes: Span<UInt8>, to text: inout MutableSpan<UInt8>, at start: Int
    ) -> Int {
        var end = start
        encode(bytes) { letter in
            text[end] = letter
            end += 1
        }
        return end
    }

    fileprivate var bitsPerLetter: Int {
        switch self {
        case .hexadecimal: 4
        case .base32: 5
        case .base64, .base64URL: 6
        }
    }

    /// How many bytes the text spells; nil for a letter or a length that can't be.
    fileprivate func byteCount(of text: Span<UInt8>) -> Int? {
        var letters = 0
        var padding = 0
        for index in text.indices {
            if isSkipped(text[index]) { continue }
            if self == .base64, text[index] == UInt8(ascii: "=") {
                padding += 1
            } else {
                guard padding == 0, value(text[index]) != nil else { return nil }
                letters += 1
            }
        }
        switch self {
        case .hexadecimal: return letters.isMultiple(of: 2) ? letters / 2 : nil
        case .base32: return [1, 3, 6].contains(letters % 8) ? nil : letters * 5 / 8
        case .base64URL: return letters % 4 == 1 ? nil : letters * 6 / 8
        case .base64:
            guard padding <= 2, (letters + padding).isMultiple(of: 4) else { return nil }
            return letters * 6 / 8
        }
    }

    /// - Returns: whether the bits that no byte takes are zero.
    fileprivate func decode(_ text: Span<UInt8>, into target: inout MutableSpan<UInt8>) -> Bool {
        var pending: UInt32 = 0
        var pendingBits = 0
        var filled = 0
        for index in text.indices {
            guard let value = value(text[index]) else { continue }
            pending = pending << UInt32(bitsPerLetter) | UInt32(value)
            pendingBits += bitsPerLetter
            if pendingBits >= 8 {
                pendingBits -= 8
                target[filled] = UInt8(truncatingIfNeeded: pending >> UInt32(pendingBits))
                pending &= (1 << UInt32(pendingBits)) - 1
                filled += 1
            }
        }
        return pending == 0
    }

    fileprivate func encode(_ bytes: Span<UInt8>, _ emit: (UInt8) -> Void) {
        var pending: UInt32 = 0
        var pendingBits = 0
        let mask: UInt32 = (1 << UInt32(bitsPerLetter)) - 1
        for index in bytes.indices {
            pending = pending << 8 | UInt32(bytes[index])
            pendingBits += 8
            while pendingBits >= bitsPerLetter {
                pendingBits -= bitsPerLetter
                emit(letter(pending >> UInt32(pendingBits) & mask))
            }
            pending &= (1 << UInt32(pendingBits)) - 1
        }
        if pendingBits > 0 {
            emit(letter(pending << UInt32(bitsPerLetter - pendingBits) & mask))
        }
        guard self == .base64 else { return }
        for _ in 0..<((3 - bytes.count % 3) % 3) { emit(UInt8(ascii: "=")) }
    }

    private func isSkipped(_ letter: UInt8) -> Bool {
        self == .base64 && (letter == 0x20 || (0x09...0x0D).contains(letter))
    }

    private func value(_ letter: UInt8) -> UInt8? {
        if self == .hexadecimal { return hexadecimalValue(letter) }
        if self == .base32 {
            return switch letter {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): letter - UInt8(ascii: "A")
            case UInt8(ascii: "2")...UInt8(ascii: "7"): letter - UInt8(ascii: "2") + 26
            default: nil
            }
        }
        return switch letter {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): letter - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): letter - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): letter - UInt8(ascii: "0") + 52
        case UInt8(ascii: self == .base64 ? "+" : "-"): 62
        case UInt8(ascii: self == .base64 ? "/" : "_"): 63
        default: nil
        }
    }

    private func letter(_ value: UInt32) -> UInt8 {
        let value = UInt8(value)
        if self == .hexadecimal {
            return value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
        }
        if self == .base32 {
            return value < 26 ? UInt8(ascii: "A") + value : UInt8(ascii: "2") + value - 26
        }
        return switch value {
        case 0..<26: UInt8(ascii: "A") + value
        case 26..<52: UInt8(ascii: "a") + value - 26
        case 52..<62: UInt8(ascii: "0") + value - 52
        case 62: UInt8(ascii: self == .base64 ? "+" : "-")
        default: UInt8(ascii: self == .base64 ? "/" : "_")
        }
    }
}
