// XML by Expat (libexpat), a piece of the file at a time.
//
// Why Expat and not FoundationXML or libxml2: it tells the byte range of every tag, so that one
// value of a vendor's file is replaced in place; it tells a DOCTYPE apart; it streams, so that memory
// stays flat; and it is one archive of 0.2 MB without dependencies. FoundationXML's parser was tried:
// it needs libxml2.a, which needs zlib, lzma and ICU, 93 MB in a static program against 10 MB; it
// doesn't tell of a DOCTYPE, and it dropped an internal entity's text without a word. Expat never
// opens anything by itself: external entities have no handler here, so none is ever loaded.
//
// This is the one file of the issuer that says `unsafe` (STYLE 11): the callbacks of a C parser are
// pointers. What it reads may hold seeds in base64: the issuer's XML is exempt from the rules of
// residue (STYLE 8), because the file itself holds the same seeds in the clear, and the program
// that reads it ends when it has read it.
internal import CExpat
internal import Glibc

/// Why a file is no XML that is read here.
enum XMLError: Error, Equatable, Sendable {
    case notWellFormed(line: Int)
    /// A document type definition: entities are how XML reads other files and fills memory.
    case doctype(line: Int)
    /// Deeper than 32 elements, more than 1 MiB of text in one of them, or of anything else (a tag, a
    /// comment) at once.
    case tooMuch(line: Int)
    /// It can't be read in the encoding that it says it has.
    case encoding(XMLEncoding)
    /// There is no memory for a parser.
    case noMemory
}

/// How a document's characters are written, as its first bytes or its declaration say.
enum XMLEncoding: String, Sendable {
    case utf8 = "UTF-8"
    case ascii = "US-ASCII"
    case latin1 = "ISO-8859-1"
    case windows1252 = "windows-1252"
    case utf16 = "UTF-16"
    case other = "another encoding than UTF-8"

    /// The encoding of a declaration; nil for none.
    fileprivate init(declared name: String?) {
        self =
            switch name?.uppercased() {
            case nil, "UTF-8", "UTF8": .utf8
            case "US-ASCII", "ASCII": .ascii
            case "ISO-8859-1", "LATIN1", "ISO8859-1": .latin1
            case "WINDOWS-1252", "CP1252": .windows1252
            case "UTF-16", "UTF-16LE", "UTF-16BE": .utf16
            default: .other
            }
    }

    /// The encoding that a document's first bytes tell; nil for one that looks like ASCII.
    fileprivate init?(beginning bytes: [UInt8]) {
        let marks: [[UInt8]] = [[0xFF, 0xFE], [0xFE, 0xFF], [0x3C, 0x00], [0x00, 0x3C]]
        guard marks.contains(where: { bytes.starts(with: $0) }) else { return nil }
        self = .utf16
    }
}

/// What the reader found.
enum XMLEvent: Sendable {
    case start(XMLName, attributes: [XMLName: String], range: Range<Int>)
    case end(range: Range<Int>)
    case text([UInt8])
}

/// A parser that is fed with a file's bytes.
@safe final class XMLReader {
    private static let maximumDepth = 32
    private static let maximumTextByteCount = 1 << 20
    /// Expat before 2.6 looks at an unfinished tag anew with each piece of it (CVE-2023-52425).
    private static let maximumSilentByteCount = 1 << 20
    /// Can't stand in a namespace's name: Expat refuses those that hold its separator.
    private static let separator = UInt8(ascii: "\n")

    private let parser: XML_Parser
    private let handler: (XMLEvent) -> Void
    private var depth = 0
    private var textByteCount = 0
    /// How many bytes were taken without an event.
    private var silentByteCount = 0
    private var failure: XMLError?
    /// nil before the first bytes.
    private var beginning: XMLEncoding??
    private var declared: XMLEncoding?
    /// The names met so far, because a file of 100,000 tokens has twenty; no more than that many are
    /// kept, whatever a hostile file holds.
    private var names: [(text: [CChar], name: XMLName)] = []
    private static let maximumNames = 64

    /// - Parameter handler: takes the events in order, from inside `feed`.
    /// - Throws: `XMLError.noMemory`.
    init(handler: @escaping (XMLEvent) -> Void) throws(XMLError) {
        // UTF-8 whatever the declaration says: others wouldn't have our byte ranges.
        guard
            let parser = unsafe XML_ParserCreateNS("UTF-8", XML_Char(Self.separator))
        else { throw .noMemory }
        unsafe self.parser = parser
        self.handler = handler
        unsafe XML_SetReturnNSTriplet(parser, 1)
        unsafe XML_SetUserData(parser, Unmanaged.passUnretained(self).toOpaque())
        unsafe setHandlers()
    }

    deinit { unsafe XML_ParserFree(parser) }

    /// Takes the next bytes of the file.
    func feed(_ bytes: [UInt8], isLast: Bool) throws(XMLError) {
        if beginning == nil { beginning = .some(XMLEncoding(beginning: bytes)) }
        let status = unsafe bytes.withUnsafeBytes { bytes in
            unsafe XML_Parse(
                parser, bytes.assumingMemoryBound(to: CChar.self).baseAddress,
                Int32(bytes.count), isLast ? 1 : 0)
        }
        if let failure { throw failure }
        silentByteCount += bytes.count
        guard silentByteCount <= XMLReader.maximumSilentByteCount else {
            throw .tooMuch(line: line)
        }
        guard status == XML_STATUS_OK else {
            throw encoding == .utf8 || encoding == .ascii
                ? .notWellFormed(line: line) : .encoding(encoding)
        }
    }

    /// How the document is written; its first bytes are believed before its declaration.
    var encoding: XMLEncoding { (beginning ?? nil) ?? declared ?? .utf8 }

    private var line: Int { unsafe Int(XML_GetCurrentLineNumber(parser)) }

    private func fail(_ error: XMLError) {
        guard failure == nil else { return }
        failure = error
        _ = unsafe XML_StopParser(parser, 0)
    }
}

// The callbacks: Expat calls them from inside `feed`, on the thread and for the object that fed it.
extension XMLReader {
    @unsafe private func setHandlers() {
        unsafe XML_SetElementHandler(
            parser,
            { context, name, attributes in
                guard let context = unsafe context, let name = unsafe name else { return }
                unsafe XMLReader.of(context).start(name, attributes)
            },
            { context, _ in
                guard let context = unsafe context else { return }
                unsafe XMLReader.of(context).end()
            })
        unsafe XML_SetCharacterDataHandler(parser) { context, bytes, count in
            guard let context = unsafe context, let bytes = unsafe bytes else { return }
            unsafe XMLReader.of(context).text(
                UnsafeRawBufferPointer(start: bytes, count: Int(count)))
        }
        unsafe XML_SetXmlDeclHandler(parser) { context, _, encoding, _ in
            guard let context = unsafe context else { return }
            let name = unsafe encoding.map { unsafe String(cString: $0) }
            unsafe XMLReader.of(context).declared = XMLEncoding(declared: name)
        }
        unsafe XML_SetStartDoctypeDeclHandler(parser) { context, _, _, _, _ in
            guard let context = unsafe context else { return }
            let reader = unsafe XMLReader.of(context)
            reader.fail(.doctype(line: reader.line))
        }
    }

    @unsafe private static func of(_ context: UnsafeMutableRawPointer) -> XMLReader {
        unsafe Unmanaged<XMLReader>.fromOpaque(context).takeUnretainedValue()
    }

    @unsafe private func start(
        _ name: UnsafePointer<XML_Char>,
        _ attributes: UnsafeMutablePointer<UnsafePointer<XML_Char>?>?
    ) {
        depth += 1
        textByteCount = 0
        silentByteCount = 0
        guard depth <= XMLReader.maximumDepth else { return fail(.tooMuch(line: line)) }
        var found: [XMLName: String] = [:]
        var index = 0
        while let key = unsafe attributes?[index], let value = unsafe attributes?[index + 1] {
            found[unsafe self.name(key)] = unsafe String(cString: value)
            index += 2
        }
        guard failure == nil else { return }
        handler(.start(unsafe self.name(name), attributes: found, range: range))
    }

    private func end() {
        depth -= 1
        silentByteCount = 0
        guard failure == nil else { return }
        handler(.end(range: range))
    }

    @unsafe private func text(_ bytes: UnsafeRawBufferPointer) {
        textByteCount += bytes.count
        silentByteCount = 0
        guard textByteCount <= XMLReader.maximumTextByteCount else {
            return fail(.tooMuch(line: line))
        }
        guard failure == nil else { return }
        handler(.text(unsafe Array(bytes)))
    }

    /// Where the event stands in the file. The end of `<a/>` has no bytes of its own.
    private var range: Range<Int> {
        let start = unsafe Int(XML_GetCurrentByteIndex(parser))
        let count = unsafe Int(XML_GetCurrentByteCount(parser))
        return start..<(start + count)
    }

    @unsafe private func name(_ text: UnsafePointer<XML_Char>) -> XMLName {
        if let known = names.first(where: { unsafe strcmp($0.text, text) == 0 }) {
            return known.name
        }
        let name = unsafe XMLReader.parsedName(text)
        if names.count < XMLReader.maximumNames {
            let count = unsafe strlen(text) + 1
            names.append((unsafe Array(UnsafeBufferPointer(start: text, count: count)), name))
        }
        return name
    }

    /// A triplet of Expat: namespace, local name, prefix, as far as there are any.
    @unsafe private static func parsedName(_ text: UnsafePointer<XML_Char>) -> XMLName {
        let parts = unsafe String(cString: text).split(separator: "\n", maxSplits: 2)
        return switch parts.count {
        case 3: XMLName(String(parts[0]), String(parts[1]), prefix: parts[2] + ":")
        case 2: XMLName(String(parts[0]), String(parts[1]))
        default: XMLName("", unsafe String(cString: text))
        }
    }
}
