// The command line: a link in it is moved out of the process's arguments before anything else reads
// them, because whoever pastes an otpauth link gives a seed away; the value of --code is overwritten. Addresses and requests, which look
// like links and hold no secret, are put back. Bound by CONTRACT §1 ("Answers").
import Activation
import Keystore
import Linux
import ProgramSupport

/// What the program was started with.
struct StartArguments: ~Copyable {
    private(set) var arguments: [String]
    /// The link that was moved out.
    private(set) var link: SecureBytes?

    /// Takes the arguments of this process.
    static func take() throws(Failure) -> StartArguments {
        var link: SecureBytes?
        var addresses: [Int: String] = [:]
        for position in ArgumentVector.linkPositions {
            let count = ArgumentVector.linkByteCount(at: position)
            guard count > 0 else {
                ArgumentVector.overwriteLink(at: position)
                continue
            }
            var bytes = try inMemory(try SecureBytes(count: count))
            bytes.write { (target: inout MutableSpan<UInt8>) in
                ArgumentVector.moveLink(at: position, into: &target)
            }
            if let address = bytes.read(publicText) {
                addresses[position] = address
            } else {
                link = consume bytes
            }
        }
        var arguments = try ProgramStart.arguments()
        ArgumentVector.overwriteValues(of: "--code")
        for (position, address) in addresses {
            let mark = ArgumentVector.placeholder.prefix(address.utf8.count)
            arguments[position - 1] = arguments[position - 1].dropLast(mark.count) + address
        }
        return StartArguments(arguments: arguments, link: link)
    }
}

/// The text of what is no link; nil for a link.
private func publicText(_ bytes: Span<UInt8>) -> String? {
    switch recognise(bytes) {
    case .otpauth, .signed: nil
    case .foreign(.webPage), .foreign(.enrolmentRequest), .foreign(.prescribingRecord),
        .foreign(.issuerFile), .nothing:
        String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self)
    case .foreign: nil
    }
}
