// What swift-argument-parser uses of FoundationEssentials, and nothing else: in the release programs
// that module's name means this one (.ci/build-release), for their size and their start. Bound by
// the note StaticPIE.

/// An error that has words of its own.
public protocol LocalizedError: Error {
    /// What happened; nil where the error's name says it.
    var errorDescription: String? { get }
}

extension LocalizedError {
    public var errorDescription: String? { nil }
}

/// Writes what `--experimental-dump-help` prints: the commands and options for other programs.
public final class JSONEncoder {
    /// What the parser asks for, and what is written in any case.
    public struct OutputFormatting: OptionSet, Sendable {
        public let rawValue: Int
        public init(rawValue: Int) { self.rawValue = rawValue }
        public static let prettyPrinted = OutputFormatting(rawValue: 1)
        public static let sortedKeys = OutputFormatting(rawValue: 2)
    }

    public var outputFormatting: OutputFormatting = []

    public init() {}

    /// UTF-8.
    ///
    /// - Throws: `EncodingError` for a number with a fraction.
    public func encode(_ value: some Encodable) throws -> [UInt8] {
        Array(try jsonText(value).utf8)
    }
}

/// `String.Encoding` as far as it is asked for.
public enum TextEncoding: Sendable { case utf8 }

extension String {
    /// What `JSONEncoder` wrote.
    public init?(data: [UInt8], encoding: TextEncoding) {
        self.init(decoding: data, as: UTF8.self)
    }
}
