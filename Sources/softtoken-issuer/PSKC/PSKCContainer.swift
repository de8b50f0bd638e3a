// A PSKC file (RFC 6030) read a key package at a time, so that a file of 100,000 tokens needs the
// memory of one. Bound by RFC 6030 §3, §4 and RECORDS.md.
import Linux

/// The namespaces of RFC 6030.
enum Namespace {
    static let pskc = "urn:ietf:params:xml:ns:keyprov:pskc"
    static let signature = "http://www.w3.org/2000/09/xmldsig#"
    static let encryption = "http://www.w3.org/2001/04/xmlenc#"
    static let encryption11 = "http://www.w3.org/2009/xmlenc11#"
    static let pkcs5 = "http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5v2-0#"
}

/// Why a file is no PSKC file that is read here.
enum PSKCError: Error, Equatable, Sendable {
    case xml(XMLError)
    /// The root isn't a KeyContainer.
    case notPSKC
    /// A draft from before RFC 6030, in which the same names mean other things.
    case draft
    /// RFC 6030 §4: a version that isn't 1.x must be rejected.
    case unknownVersion
    /// No key package, an encryption key after one, or two keys in one package.
    case malformed
    case failed(SystemError)
}

/// What a PSKC file says besides its keys.
struct PSKCOutline: Sendable {
    /// The container's prefix, with its colon: what is added to the file is written with it.
    var prefix = ""
    var protection = PSKCProtection()
    var packageCount = 0
    /// Before the first key package.
    var firstOffset = 0
    /// Behind the last key package.
    var insertionOffset = 0
    /// An XML signature, which is not verified here.
    var isSigned = false
    var encoding = XMLEncoding.utf8
}

/// Reads the whole of a PSKC file, whatever comes after the key that is looked for: a file that is
/// damaged anywhere is not used.
///
/// - Parameter body: takes the key packages in their order, and what protects them.
func readPSKC(
    _ file: borrowing Descriptor, _ body: (PSKCKeyPackage, PSKCProtection) -> Void
) throws(PSKCError) -> PSKCOutline {
    let reader = PSKCReader()
    do throws(SystemError) {
        while !reader.hasFailed {
            let bytes = try file.nextBytes(limit: 1 << 16)
            guard !bytes.isEmpty else { break }
            reader.feed(bytes)
            reader.drain(body)
        }
    } catch { throw .failed(error) }
    let outline = reader.finished()
    reader.drain(body)
    return try outline.get()
}

/// A PSKC file that is fed piece by piece.
final class PSKCReader {
    private let scanner: PSKCScanner
    private let xml: XMLReader?

    init() {
        let scanner = PSKCScanner()
        self.scanner = scanner
        xml = try? XMLReader { scanner.take($0) }
        if xml == nil { scanner.fail(.xml(.noMemory)) }
    }

    /// Whether more bytes are of no use.
    var hasFailed: Bool { scanner.failure != nil }

    /// Takes the next bytes of the file, one at least.
    func feed(_ bytes: [UInt8]) { feed(bytes, isLast: false) }

    /// Gives the key packages that are whole by now, in their order, and what protects them.
    func drain(_ body: (PSKCKeyPackage, PSKCProtection) -> Void) {
        for package in scanner.takePackages() { body(package, scanner.outline.protection) }
    }

    /// What the file was.
    func finished() -> Result<PSKCOutline, PSKCError> {
        feed([], isLast: true)
        if let failure = scanner.failure { return .failure(failure) }
        guard scanner.outline.packageCount > 0 else { return .failure(.malformed) }
        var outline = scanner.outline
        outline.encoding = xml?.encoding ?? .other
        return .success(outline)
    }

    private func feed(_ bytes: [UInt8], isLast: Bool) {
        guard let xml, !hasFailed else { return }
        do throws(XMLError) { try xml.feed(bytes, isLast: isLast) } catch {
            scanner.fail(.xml(error))
        }
    }
}

/// Makes key packages of events. An element is kept from its start to its end and no longer.
private final class PSKCScanner {
    private(set) var outline = PSKCOutline()
    private(set) var failure: PSKCError?
    private var packages: [PSKCKeyPackage] = []
    /// The elements that are open below the root.
    private var open: [XMLElement] = []
    private var isInRoot = false

    /// The key packages that are whole since the last time.
    func takePackages() -> [PSKCKeyPackage] {
        defer { packages.removeAll(keepingCapacity: true) }
        return packages
    }

    /// The first failure counts.
    func fail(_ error: PSKCError) { failure = failure ?? error }

    func take(_ event: XMLEvent) {
        guard failure == nil else { return }
        switch event {
        case .start(let name, let attributes, let range):
            guard isInRoot else { return begin(name, attributes) }
            let end = range.upperBound..<range.upperBound
            open.append(
                XMLElement(name: name, attributes: attributes, startTag: range, endTag: end))
        case .text(let bytes):
            if !open.isEmpty { open[open.count - 1].text += bytes }
        case .end(let range):
            guard var element = open.popLast() else { return }
            // `<a/>` ends where it starts, with no bytes of its own.
            if range.lowerBound >= element.startTag.upperBound { element.endTag = range }
            if open.isEmpty {
                finish(element)
            } else {
                open[open.count - 1].children.append(element)
            }
        }
    }

    private func begin(_ name: XMLName, _ attributes: [XMLName: String]) {
        isInRoot = true
        guard name == XMLName(Namespace.pskc, "KeyContainer") else {
            return fail(isDraft(name) ? .draft : .notPSKC)
        }
        guard attributes[XMLName("", "Version")]?.hasPrefix("1.") == true else {
            return fail(.unknownVersion)
        }
        outline.prefix = name.prefix
    }

    /// A child of the root is whole.
    private func finish(_ element: XMLElement) {
        switch element.name {
        case XMLName(Namespace.pskc, "EncryptionKey"), XMLName(Namespace.pskc, "MACMethod"):
            guard outline.packageCount == 0 else { return fail(.malformed) }
            outline.protection.add(element)
        case XMLName(Namespace.pskc, "KeyPackage"):
            guard let package = PSKCKeyPackage(element) else { return fail(.malformed) }
            if outline.packageCount == 0 { outline.firstOffset = element.range.lowerBound }
            outline.packageCount += 1
            outline.insertionOffset = element.range.upperBound
            packages.append(package)
        case XMLName(Namespace.pskc, "Signature"), XMLName(Namespace.signature, "Signature"):
            outline.isSigned = true
        default: return
        }
    }
}

/// Whether a root is one of the drafts': `urn:ietf:params:xml:ns:keyprov:pskc:1.0` and
/// `…:container:1.0` of the IETF's, `…/OATH/2006/10/PSKC` of OATH's.
private func isDraft(_ name: XMLName) -> Bool {
    ["KeyContainer", "SecretContainer"].contains(name.local)
        && ["keyprov", "pskc", "oath"].contains { name.namespace.lowercased().holds($0) }
}
