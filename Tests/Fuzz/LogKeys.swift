// Keys of the log's three kinds for LogTargets: only inside of Keystore can they be made.
@testable import Keystore

func makeLogKeys() -> LogKeys {
    func key(_ byte: UInt8) -> MACKey {
        do throws(KeystoreError) {
            return MACKey(try SecureBytes(copying: [UInt8](repeating: byte, count: 32).span))
        } catch { fatalError("no guarded memory") }
    }
    return LogKeys(chain: key(1), head: key(2), usedLinks: key(3))
}
