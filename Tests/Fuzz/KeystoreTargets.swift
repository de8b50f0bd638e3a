// The keystore's decoders behind their MACs: each input is authenticated with a key of our own, so
// that the fields are reached. What is accepted encodes again to the same bytes.
// Bound by Keystore/FORMAT.md §5, §6.
import Linux

@testable import Keystore

let keystoreTargets = [
    FuzzTarget(name: "header") { bytes in
        var input = InputReader(bytes)
        let bytes = input.bytes(Header.byteCount)
        guard let header = Header(bytes) else { return }
        require(header.encoded == bytes, "a header has one spelling")
        require((3...12).contains(header.cost.operations), "3 to 12 passes")
        require((256 << 20...1 << 30).contains(header.cost.memoryBytes), "256 MiB to 1 GiB")
        require(header.fileByteCount <= KeystoreImage.maximumByteCount, "16 MiB at most")
    },
    FuzzTarget(name: "public-section") { bytes in
        attemptPublicSection(bytes)
        attemptPublicSection(padded(bytes))
    },
    FuzzTarget(name: "metadata") { bytes in
        var input = InputReader(bytes)
        let slotCount = 8 * (1 + Int(input.byte() & 3))
        let content = Array(input.rest)
        attemptMetadata(content, slotCount)
        attemptMetadata(padded(bigEndian(UInt32(content.count)) + content), slotCount)
    },
    FuzzTarget(name: "keystore") { bytes in
        let file = fixedKeys.keystore.authenticated(bytes + blake2b(bytes, byteCount: 32))
        guard let unverified = try? UnverifiedKeystore(file),
            let image = try? unverified.verified(by: fixedKeys.device)
        else { return }
        require((try? image.encoded(by: fixedKeys.device)) == file, "one spelling")
        require(image.header.boundTo == unverified.boundTo, "one meaning of the bits")
        require(image.header.deviceName == unverified.deviceName, "one device name")
        for slot in 0..<UInt32(image.header.slotCount) {
            require(image.slot(slot).count == SeedSlot.byteCount, "a slot has its size")
        }
    },
    FuzzTarget(name: "attempts") { bytes in
        var input = InputReader(bytes)
        let copies = [input.bytes(56), input.bytes(56)].map(attemptCopy)
        let now = BootTime(
            bootID: input.bytes(16), nanoseconds: input.integer(),
            offsetNanoseconds: Int64(bitPattern: input.integer()))
        let policy = 3 + Int(input.byte() % 8)
        checkStanding(copies[0], copies[1], policy: policy, now: now)
    },
]

private func padded(_ bytes: [UInt8]) -> [UInt8] {
    var writer = ByteWriter()
    writer.append(bytes)
    writer.pad(toMultipleOf: Header.sectionUnit)
    return writer.bytes
}

private func attemptPublicSection(_ bytes: [UInt8]) {
    guard let section = PublicSection(bytes) else { return }
    require(section.encoded == bytes, "a public section has one spelling")
    require(section.prescribingRecords.count <= 64, "64 records at most")
}

private func attemptMetadata(_ bytes: [UInt8], _ slotCount: Int) {
    guard let metadata = Metadata(bytes, slotCount: slotCount) else { return }
    require(metadata.encoded == bytes, "metadata have one spelling")
    require(metadata.tokens.count <= slotCount, "a token has a slot")
    for token in metadata.tokens {
        require(token.slot < slotCount, "a slot that is there")
        require(isAcceptableText(token.name, bytes: 1...64), "a name can be shown")
        require((6...8).contains(token.parameters.digits.value), "6 to 8 digits")
    }
    _ = metadata.policy
}

private func attemptCopy(_ fields: [UInt8]) -> AttemptCopy {
    let content = Array("ST-TRYS1".utf8) + fixedKeys.name + fields
    let file = fixedKeys.attempts.authenticated(content)
    guard
        let record = AttemptRecord(file, deviceName: fixedKeys.name, key: fixedKeys.attempts)
    else { return .altered }
    require(
        record.encoded(deviceName: fixedKeys.name, key: fixedKeys.attempts) == file,
        "an attempt record has one spelling")
    return .whole(record)
}

/// No step gains attempts, and what is written can be read again.
private func checkStanding(
    _ state: AttemptCopy, _ data: AttemptCopy, policy: Int, now: BootTime
) {
    guard let standing = AttemptStanding(state: state, data: data, of: []) else {
        return require(state == .altered && data == .altered, "only both copies lost are lost")
    }
    let left = standing.attemptsLeft(policy: policy)
    require((0...10).contains(left), "0 to 10 attempts are left")
    _ = standing.record.delay(now: now)
    guard !standing.isErasing else { return require(left == 0, "none while it is erased") }
    require(left > 0, "one is left until it is erased")
    let counted = standing.counted(policy: policy, now: now)
    require(counted.limit - counted.count == left - 1, "an attempt costs one")
    for next in [
        standing.takenBack(after: counted, now: now),
        standing.delayedAnew(policy: policy, now: now),
    ] {
        let after = AttemptStanding(state: .whole(next), data: .whole(next), of: [])
        require(
            after.map { $0.attemptsLeft(policy: policy) <= left } ?? false, "no step gains attempts"
        )
    }
    let reset = standing.ofReset(now: now)
    require(reset.count == reset.limit, "an erasure begins")
}

func bigEndian<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    var writer = ByteWriter()
    writer.append(value)
    return writer.bytes
}

/// Keys that are the same in each run.
struct FixedKeys: ~Copyable, @unchecked Sendable {
    let device: DeviceKey
    let name: [UInt8]
    let keystore: MACKey
    let attempts: MACKey

    init() throws(KeystoreError) {
        let key = try DeviceKey(
            SecureBytes(copying: [UInt8](repeating: 0x24, count: 32).span), binding: .unbound)
        let keystore = try key.macKey(.keystore)
        let attempts = try key.macKey(.attempts)
        name = key.deviceName
        self.keystore = keystore
        self.attempts = attempts
        device = key
    }
}

let fixedKeys: FixedKeys = {
    do throws(KeystoreError) { return try FixedKeys() } catch {
        fatalError("no guarded memory")
    }
}()
