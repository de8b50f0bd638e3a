// The file `erased`: says that a keystore was erased on this device, and when. Bound by FORMAT.md §8.
internal import Linux

struct Tombstone: Equatable, Sendable {
    static let fileName = "erased"
    private static let magic = Array("ST-ERAS1".utf8)

    let deviceName: [UInt8]
    let unixSeconds: Int64

    init(deviceName: [UInt8], unixSeconds: Int64) {
        self.deviceName = deviceName
        self.unixSeconds = unixSeconds
    }

    /// Reads a tombstone of this machine; nil if there is none or it is not authentic here.
    static func read(
        _ state: borrowing Directory, machineID: MachineValues
    ) throws(KeystoreError) -> Tombstone? {
        guard state.contains(fileName), let key = try LogKey.read(state) else { return nil }
        let file = try contents(of: fileName, in: state, limit: 64)
        guard let file else { return nil }
        let isAuthentic = try key.withMACKey(.tombstone) { key in
            MachineBinding.candidates(machineID).contains {
                key.isAuthentic(file, context: $0.bytes)
            }
        }
        return isAuthentic ? Tombstone(file) : nil
    }

    /// Writes the tombstone, durably.
    func write(
        _ state: borrowing Directory, binding: MachineBinding, key: borrowing LogKey
    ) throws(KeystoreError) {
        var writer = ByteWriter()
        writer.append(Tombstone.magic)
        writer.append(deviceName)
        writer.append(unixSeconds)
        let file = try key.withMACKey(.tombstone) {
            $0.authenticated(writer.bytes, context: binding.bytes)
        }
        try translating(try state.replace(Tombstone.fileName, bytes: file.span))
    }

    private init?(_ file: [UInt8]) {
        var reader = ByteReader(file)
        guard file.count == 64, reader.bytes(8) == Tombstone.magic, let name = reader.bytes(16),
            let unixSeconds = reader.integer(Int64.self)
        else { return nil }
        deviceName = name
        self.unixSeconds = unixSeconds
    }
}
