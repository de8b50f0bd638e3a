// The audit log, its head and the used links, behind MACs of our own. Bound by Keystore/FORMAT.md
// §10, §11.
import Keystore
import Linux

@testable import SoftTokenCore

let logTargets = [
    FuzzTarget(name: "log") { bytes in
        var head = AuditHead()
        var file: [UInt8] = []
        var isReadable = true
        for content in bytes.split(separator: UInt8(ascii: "\n")) {
            guard let bytes = try? logKeys.chain.chained(Array(content), after: head.lastMAC)
            else { fatalError("no guarded memory") }
            file += bytes
            guard let line = LogEntry(bytes.dropLast()) else {
                isReadable = false
                continue
            }
            check(line)
            isReadable = isReadable && line.sequence == head.lastSequence &+ 1
            head.follow(line, byteCount: bytes.count)
        }
        let flaw = flaw(in: file, head)
        require(!isReadable || flaw == nil, "a chain that is whole has no flaw")
    },
    FuzzTarget(name: "log-head") { bytes in
        var input = InputReader(bytes)
        let fields = input.bytes(168)
        // Earlier versions', which are read and never written again.
        for (magic, count) in [("ST-HEAD1", 104), ("ST-HEAD2", 120)] {
            let former = Array(magic.utf8) + fields.prefix(count)
            _ = try? AuditHead(former + logKeys.head.mac(of: former), key: logKeys.head)
        }
        let content = Array("ST-HEAD3".utf8) + fields
        let file = content + logKeys.head.mac(of: content)
        guard let head = try? AuditHead(file, key: logKeys.head) else { return }
        require((try? head.encoded(by: logKeys.head)) == file, "a head has one spelling")
        _ = flaw(in: Array(input.rest), head)
    },
    FuzzTarget(name: "used-links") { bytes in
        attemptUsedLinks(bytes)
        let count = bytes.count / 48
        attemptUsedLinks(
            Array("ST-USED1".utf8) + bigEndian(UInt32(count)) + bytes.prefix(count * 48))
        attemptUsedLinks(Array("ST-USED2".utf8) + bytes)
    },
]

private func check(_ line: LogEntry) {
    let token = line.tokenID.map { "\"\($0)\"" } ?? "null"
    let written =
        "{\"seq\":\(line.sequence),\"time\":\"\(UTCTime.text(unixSeconds: line.unixSeconds))\","
        + "\"event\":\"\(line.event.rawValue)\",\"outcome\":\"\(line.outcome.rawValue)\","
        + "\"token\":\(token),\"detail\":\"\(line.detail)\""
    require(Array(written.utf8) == line.content, "a line has one spelling")
    require(
        line.detail.utf8.allSatisfy { (0x20...0x7e).contains($0) }, "a detail can be shown")
}

private func flaw(in file: [UInt8], _ head: AuditHead) -> AuditFlaw? {
    AuditLog.flaw(
        in: file, head: logKeys.chain.fitted(head, to: file[...]), chain: logKeys.chain)
}

private func attemptUsedLinks(_ content: [UInt8]) {
    let file = content + logKeys.usedLinks.mac(of: Array("file".utf8), content)
    guard let used = try? UsedLinks.decoded(file, logKeys.usedLinks),
        content.starts(with: Array("ST-USED2".utf8))
    else { return }
    require(UsedLinks.encoded(used, logKeys.usedLinks) == file, "used links have one spelling")
}

/// Log keys that are the same in each run.
struct LogKeys: ~Copyable, @unchecked Sendable {
    let chain: MACKey
    let head: MACKey
    let usedLinks: MACKey
}

private let logKeys: LogKeys = makeLogKeys()
