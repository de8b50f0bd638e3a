// Backups and exports of other authenticators, told by their first bytes or by the keys that they
// hold. They carry seeds out of another app: a copy of a token is what SoftToken doesn't make
// (DESIGN §7).
internal import Linux

/// Whether a text is a backup or an export of another authenticator.
func isForeignBackup(_ text: Span<UInt8>) -> Bool {
    if beginnings.contains(where: { text.starts(with: $0) }) { return true }
    guard let first = text.trimmed(text.indices).first else { return false }
    // A byte order mark may stand first.
    let start = text.invisibleEnd(at: first) ?? first
    guard start < text.count else { return false }
    switch text[start] {
    case UInt8(ascii: "{"), UInt8(ascii: "["):
        return keys.contains { keys in
            keys.allSatisfy { text.firstRange(of: "\"\($0)\"", in: start..<text.count) != nil }
        }
    case UInt8(ascii: "<"):
        return text.firstRange(of: "<map", in: start..<min(start + 256, text.count)) != nil
            && ["com.authy", "tokenorder", "secret"].contains {
                text.firstRange(of: $0, in: start..<text.count) != nil
            }
    default: return isArchive(text)
    }
}

/// Files that no link stands in: SQLite (Google, Microsoft), serialized Java (FreeOTP), Stratum.
private let beginnings: [[UInt8]] = [
    Array("SQLite format 3\0".utf8), [0xAC, 0xED, 0x00, 0x05], Array("AUTHENTICATORPRO".utf8),
    Array("AuthenticatorPro".utf8),
]

/// Keys of JSON that stand together in no other file.
private let keys = [
    // 2FAS, plain and encrypted.
    ["services", "schemaVersion"], ["servicesEncrypted"],
    // Aegis, plain and encrypted.
    ["db", "header", "slots"],
    // andOTP.
    ["secret", "thumbnail"], ["secret", "last_used"],
    // Authy.
    ["authenticator_tokens"], ["encrypted_seed"],
    // Bitwarden, plain and encrypted.
    ["items", "encrypted"], ["encKeyValidation_DO_NOT_EDIT"],
    // Duo.
    ["otpGenerator"],
    // Ente, encrypted.
    ["kdfParams", "encryptedData"],
    // FreeOTP+.
    ["tokens", "tokenOrder"],
    // Proton, plain and encrypted.
    ["entries", "entry_type"], ["version", "salt", "content"],
    // Stratum.
    ["Authenticators", "Categories"],
    // TOTP Authenticator.
    ["base", "key", "step"],
]

/// Whether a ZIP archive's first file is one that an authenticator writes.
private func isArchive(_ text: Span<UInt8>) -> Bool {
    guard text.starts(with: [0x50, 0x4B, 0x03, 0x04]), text.count > 30 else { return false }
    // APPNOTE.TXT 4.3.7: the name's length at 26, the name at 30.
    let end = min(30 + Int(text[26]) + Int(text[27]) << 8, text.count)
    return ["authenticator", "accounts", "otp", "2fa", "aegis", "proton", "bitwarden", "token"]
        .contains { text.firstRange(of: $0, in: 30..<end) != nil }
}
