// How records are encrypted that we write: RFC 6030 §6, figure 7's form, AES-CBC with a MAC. SHA-1
// and figure 7's PBKDF2 are what every reader of PSKC has; HMAC-SHA-1 is not broken. Bound by
// RECORDS.md §8.
import Keystore
import KeystoreIssuer
import Linux
import OTP

extension PSKCProtection {
    init(_ encryptionKey: EncryptionKey, keyByteCount: Int, macKey: [UInt8]) {
        let value = PSKCEncryptedValue(
            algorithm: Namespace.encryption + "aes\(keyByteCount * 8)-cbc", bytes: macKey, mac: nil)
        self.init(encryptionKey: encryptionKey, macMethod: .hmac(.sha1, key: value))
    }

    /// Whether values can be written under it.
    var isOurs: Bool {
        guard case .hmac(.sha1, let key?) = macMethod, case .cbc = key.cipher else { return false }
        return true
    }

    /// The algorithm of its values.
    var cipherName: String? { macKey?.algorithm }

    /// The elements that stand before the first key package.
    ///
    /// - Parameter prefix: the container's, with its colon.
    func text(prefix: String) -> String {
        guard let mac = macKey else { return "" }
        return """

              <\(prefix)EncryptionKey>\(keyText)</\(prefix)EncryptionKey>
              <\(prefix)MACMethod Algorithm="\(Namespace.signature)hmac-sha1">
                <\(prefix)MACKey xmlns:xenc="\(Namespace.encryption)">\(cipherText(mac))</\(prefix)MACKey>
              </\(prefix)MACMethod>
            """
    }

    private var keyText: String {
        guard case .derived(let parameters, let count) = encryptionKey else {
            return """
                <ds:KeyName xmlns:ds="\(Namespace.signature)">records</ds:KeyName>
                """
        }
        let salt = base64Encoded(parameters.salt)
        return """

                <xenc11:DerivedKey xmlns:xenc11="\(Namespace.encryption11)">
                  <xenc11:KeyDerivationMethod Algorithm="\(Namespace.pkcs5)pbkdf2">
                    <pkcs5:PBKDF2-params xmlns:pkcs5="\(Namespace.pkcs5)">
                      <Salt xmlns=""><Specified>\(salt)</Specified></Salt>
                      <IterationCount xmlns="">\(parameters.iterationCount)</IterationCount>
                      <KeyLength xmlns="">\(count ?? 16)</KeyLength>
                    </pkcs5:PBKDF2-params>
                  </xenc11:KeyDerivationMethod>
                </xenc11:DerivedKey>
              
            """
    }
}

/// The content of an EncryptedValue, with the prefix xenc.
func cipherText(_ value: PSKCEncryptedValue) -> String {
    "<xenc:EncryptionMethod Algorithm=\"\(value.algorithm)\"/><xenc:CipherData><xenc:CipherValue>"
        + base64Encoded(value.bytes) + "</xenc:CipherValue></xenc:CipherData>"
}

/// The base64 (RFC 4648 §4) of what is public.
func base64Encoded(_ bytes: [UInt8]) -> String {
    TextAlphabet.base64.text(bytes)
        + String(decoding: base64Padding(byteCount: bytes.count), as: UTF8.self)
}
