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
import SoftTokenCore

/// A parser that is fed with a file's bytes. An element is kept from its start to its end and no longer.
@safe final class XMLReader {
    private static let maximumDepth = 32
    private static let maximumTextByteCount = 1 << 20
    /// Expat before 2.6 looks at an unfinished tag anew with each piece of it (CVE-2023-52425).
    private static let maximumSilentByteCount = 1 << 20
    /// Can't stand in a namespace's name: Expat refuses those that hold its separator.
    private static let separator = UInt8(ascii: "\n")

    private let path: String
    private let parser: XML_Parser
    /// The document's element, without what is in it.
    private(set) var root: XMLElement?
    /// The elements that are open below the root.
    private var open: [XMLElement] = []
    /// The root's children that ended since the last time.
    private var whole: [XMLElement] = []
    private var textByteCount = 0
    /// How many bytes were taken without a tag or text.
    private var silentByteCount = 0
    /// Why the file is no XML that is read here.
    private(set) var failure: Failure?
    /// Whether it has a comment, a processing instruction, or text right in its root.
    private(set) var holdsMore = false
    /// How the document is written; its first bytes are believed before its declaration.
    private(set) var encoding = XMLEncoding.utf8
    private var isAtStart = true
    /// The names met so far, because a file of 100,000 tokens has twenty; no more than that many are
    /// kept, whatever a hostile file holds.
    private var names: [(text: [CChar], name: XMLName, prefix: String)] = []
    private static let maximumNames = 64

    /// - Parameter path: how errors name the file.
    init(_ path: String) throws(Failure) {
        // UTF-8 whatever the declaration says: others wouldn't have our byte ranges.
        guard
            let parser = unsafe XML_ParserCreateNS("UTF-8", XML_Char(Self.separator))
        else { throw Failure(.inputOutput, "there is no memory to read \(path)") }
        unsafe self.parser = parser
        self.path = path
        unsafe XML_SetReturnNSTriplet(parser, 1)
        unsafe XML_SetUserData(parser, Unmanaged.passUnretained(self).toOpaque())
        unsafe setHandlers()
    }

    deinit { unsafe XML_ParserFree(parser) }

    /// Takes the next bytes of the file.
    ///
    /// - Returns: the children of the root that are whole since the last time, up to a failure.
    func feed(_ bytes: [UInt8], isLast: Bool) -> [XMLElement] {
        if isAtStart, let told = XMLEncoding(beginning: bytes) { encoding = told }
        isAtStart = false
        whole.removeAll(keepingCapacity: true)
        let status = unsafe bytes.withUnsafeBytes { bytes in
            unsafe XML_Parse(
                parser, bytes.assumingMemoryBound(to: CChar.self).baseAddress,
                Int32(bytes.count), isLast ? 1 : 0)
        }
        silentByteCount += bytes.count
        if silentByteCount > XMLReader.maximumSilentByteCount { fail(tooLong) }
        if status != XML_STATUS_OK {
            fail(
                encoding == .utf8 || encoding == .ascii
                    ? Failure(.rejected, "\(path) is damaged: line \(line) is no XML")
                    : Failure(unreadable: encoding, path))
        }
        return whole
    }

    private var line: Int { unsafe Int(XML_GetCurrentLineNumber(parser)) }

    private var tooLong: Failure {
        Failure(
            .rejected, "\(path) has over 1 MiB of text, a tag or a comment at once in line \(line)")
    }

    private func fail(_ error: Failure) {
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
                guard let name = unsafe name else { return }
                unsafe XMLReader.of(context)?.start(name, attributes)
            },
            { context, _ in unsafe XMLReader.of(context)?.end() })
        unsafe XML_SetCharacterDataHandler(parser) { context, bytes, count in
            let text = unsafe UnsafeRawBufferPointer(start: bytes, count: Int(count))
            unsafe XMLReader.of(context)?.text(text)
        }
        unsafe XML_SetCommentHandler(parser) { context, _ in
            unsafe XMLReader.of(context)?.holdsMore = true
        }
        unsafe XML_SetProcessingInstructionHandler(parser) { context, _, _ in
            unsafe XMLReader.of(context)?.holdsMore = true
        }
        unsafe XML_SetXmlDeclHandler(parser) { context, _, encoding, _ in
            guard let reader = unsafe XMLReader.of(context), reader.encoding == .utf8 else {
                return
            }
            let name = unsafe encoding.map { unsafe String(cString: $0) }
            reader.encoding = XMLEncoding(declared: name)
        }
        unsafe XML_SetStartDoctypeDeclHandler(parser) { context, _, _, _, _ in
            guard let reader = unsafe XMLReader.of(context) else { return }
            // Entities are how XML reads other files and fills memory.
            reader.fail(
                Failure(
                    .rejected,
                    "\(reader.path) has a document type definition in line \(reader.line)",
                    hint: "PSKC needs none, and it can make a program read other files: remove it"))
        }
    }

    @unsafe private static func of(_ context: UnsafeMutableRawPointer?) -> XMLReader? {
        unsafe context.map { unsafe Unmanaged<XMLReader>.fromOpaque($0).takeUnretainedValue() }
    }

    @unsafe private func start(
        _ name: UnsafePointer<XML_Char>,
        _ attributes: UnsafeMutablePointer<UnsafePointer<XML_Char>?>?
    ) {
        (silentByteCount, textByteCount) = (0, 0)
        guard open.count < XMLReader.maximumDepth - 1 else {
            return fail(Failure(.rejected, "\(path) is nested too deep in line \(line)"))
        }
        var values: [XMLName: String] = [:]
        var index = 0
        while let key = unsafe attributes?[index], let value = unsafe attributes?[index + 1] {
            values[unsafe self.name(key).name] = unsafe String(cString: value)
            index += 2
        }
        let (name, prefix) = unsafe self.name(name)
        let element = XMLElement(
            name: name, prefix: prefix, attributes: values, startTag: range,
            endTag: range.upperBound..<range.upperBound)
        if root == nil { root = element } else { open.append(element) }
    }

    private func end() {
        silentByteCount = 0
        guard var element = open.popLast() else { return }
        // `<a/>` ends where it starts, with no bytes of its own.
        if range.lowerBound >= element.startTag.upperBound { element.endTag = range }
        if open.isEmpty {
            whole.append(element)
        } else {
            open[open.count - 1].children.append(element)
        }
    }

    @unsafe private func text(_ bytes: UnsafeRawBufferPointer) {
        silentByteCount = 0
        textByteCount += bytes.count
        guard textByteCount <= XMLReader.maximumTextByteCount else { return fail(tooLong) }
        if !open.isEmpty {
            unsafe open[open.count - 1].text += bytes
        } else if unsafe !bytes.allSatisfy(isXMLSpace) {
            holdsMore = true
        }
    }

    /// Where the tag at hand stands in the file.
    private var range: Range<Int> {
        let start = unsafe Int(XML_GetCurrentByteIndex(parser))
        let count = unsafe Int(XML_GetCurrentByteCount(parser))
        return start..<(start + count)
    }

    @unsafe private func name(
        _ text: UnsafePointer<XML_Char>
    ) -> (name: XMLName, prefix: String) {
        if let known = names.first(where: { unsafe strcmp($0.text, text) == 0 }) {
            return (known.name, known.prefix)
        }
        // Expat's triplet: namespace, local name, prefix; the local name alone without a namespace.
        let whole = unsafe String(cString: text)
        let parts = whole.split(separator: "\n", maxSplits: 2).map(String.init)
        let name = parts.count > 1 ? XMLName(parts[1], in: parts[0]) : XMLName(whole, in: "")
        let prefix = parts.count > 2 ? parts[2] + ":" : ""
        if names.count < XMLReader.maximumNames {
            let count = unsafe strlen(text) + 1
            let bytes = unsafe Array(UnsafeBufferPointer(start: text, count: count))
            names.append((bytes, name, prefix))
        }
        return (name, prefix)
    }
}
