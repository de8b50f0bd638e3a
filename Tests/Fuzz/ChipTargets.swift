// What a chip answers: input from outside of the process. What is accepted encodes again to the same
// bytes, and no answer shorter or longer than its own length is taken. Bound by DESIGN §5.
import Linux

@testable import Keystore

let chipTargets = [
    FuzzTarget(name: "chip") { bytes in
        var input = InputReader(bytes)
        let tag = input.byte() & 1 == 0 ? ChipCommand.plain : ChipCommand.authorized
        let body = Array(input.rest)
        attemptAnswer(bigEndian(tag) + bigEndian(UInt32(10 + body.count)) + [0, 0, 0, 0] + body)
        attemptAnswer(bytes)
        // Its Name made right, so that what is behind it is reached.
        let area = Array(body.prefix(90))
        let named = bigEndian(UInt16(area.count)) + area + [0, 34] + chipName(area)
        attemptAnswer(
            bigEndian(ChipCommand.plain) + bigEndian(UInt32(10 + named.count)) + [0, 0, 0, 0]
                + named)
    }
]

private func attemptAnswer(_ bytes: [UInt8]) {
    if let count = ChipResponse.byteCount(head: Array(bytes.prefix(10))) {
        require((10...4096).contains(count), "10 to 4,096 bytes")
    }
    guard let response = ChipResponse(bytes) else { return }
    require(
        bigEndian(response.tag) + bigEndian(UInt32(bytes.count))
            + bigEndian(response.code.rawValue) + response.body == bytes, "one spelling")
    if let session = SessionResponse(response) {
        require(
            bigEndian(session.handle) + [0, 32] + session.nonce == response.body, "one spelling")
    }
    if let answer = AuthorizedResponse(response) {
        require(
            bigEndian(UInt32(answer.parameters.count)) + answer.parameters + answer.proof.encoded
                == response.body, "one spelling")
    }
    if let answer = PublicResponse(response) {
        require(answer.name.count == 34, "a Name is an algorithm and its hash")
        require(response.body.suffix(34).elementsEqual(answer.name), "the Name is the answer's")
    }
    if let primary = PrimaryResponse(response) {
        require(primary.point.bytes.count == 64, "a point has two coordinates")
        require(primary.name.count == 34, "a Name is an algorithm and its hash")
    }
}
