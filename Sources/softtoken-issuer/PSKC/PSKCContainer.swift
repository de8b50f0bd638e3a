// A PSKC file (RFC 6030) read a key package at a time, so that a file of 100,000 tokens needs the
// memory of one. Bound by RFC 6030 §3, §4 and RECORDS.md.
import Linux
import SoftTokenCore

/// The namespaces of RFC 6030.
enum Namespace {
    static let pskc = "urn:ietf:params:xml:ns:keyprov:pskc"
    static let signature = "http://www.w3.org/2000/09/xmldsig#"
    static let encryption = "http://www.w3.org/2001/04/xmlenc#"
    static let encryption11 = "http://www.w3.org/2009/xmlenc11#"
    static let pkcs5 = "http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5v2-0#"
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
/// damaged anywhere is not used. What `body` throws is thrown at its end.
///
/// - Parameter body: takes the key packages in their order, and what protects them.
/// - Throws: `Failure` (65, 74), and what `body` throws.
func readKeys(
    _ file: borrowing Descriptor,
    _ body: (PSKCKeyPackage, PSKCProtection) throws(Failure) -> Void
) throws(Failure) -> PSKCOutline {
    let reader = try PSKCReader(file.path)
    var failure: Failure?
    var bytes: [UInt8]
    repeat {
        bytes = try fromSystem(try file.nextBytes(limit: 1 << 16))
        for package in try reader.feed(bytes) where failure == nil {
            do throws(Failure) { try body(package, reader.outline.protection) } catch {
                failure = error
            }
        }
    } while !bytes.isEmpty
    if let failure { throw failure }
    return reader.outline
}

/// A PSKC file that is fed piece by piece. An element is kept from its start to its end and no longer.
final class PSKCReader {
    private let path: String
    private let xml: XMLReader
    private(set) var outline = PSKCOutline()
    private var packages: [PSKCKeyPackage] = []
    /// The elements that are open below the root.
    private var open: [XMLElement] = []
    private var isInRoot = false

    /// - Parameter path: how errors name the file.
    init(_ path: String) throws(Failure) {
        self.path = path
        xml = try XMLReader(path)
    }

    /// Takes the next bytes of the file; none are its end.
    ///
    /// - Returns: the key packages that are whole since the last time.
    func feed(_ bytes: [UInt8]) throws(Failure) -> [PSKCKeyPackage] {
        packages.removeAll(keepingCapacity: true)
        for event in xml.feed(bytes, isLast: bytes.isEmpty) { try take(event) }
        if let failure = xml.failure { throw failure }
        guard !bytes.isEmpty || outline.packageCount > 0 else { throw malformed }
        outline.encoding = xml.encoding
        return packages
    }

    private func take(_ event: XMLEvent) throws(Failure) {
        switch event {
        case .start(let name, let prefix, let attributes, let range):
            guard isInRoot else { return try begin(name, prefix, attributes) }
            let end = range.upperBound..<range.upperBound
            open.append(
                XMLElement(
                    name: name, prefix: prefix, attributes: attributes, startTag: range,
                    endTag: end))
        case .text(let bytes):
            if !open.isEmpty { open[open.count - 1].text += bytes }
        case .end(let range):
            guard var element = open.popLast() else { return }
            // `<a/>` ends where it starts, with no bytes of its own.
            if range.lowerBound >= element.startTag.upperBound { element.endTag = range }
            if open.isEmpty {
                try finish(element)
            } else {
                open[open.count - 1].children.append(element)
            }
        }
    }

    private func begin(
        _ name: XMLName, _ prefix: String, _ attributes: [XMLName: String]
    ) throws(Failure) {
        isInRoot = true
        guard name == XMLName(Namespace.pskc, "KeyContainer") else {
            guard isDraft(name) else {
                throw .rejected("\(path) is not a PSKC file", hint: "RFC 6030 says what one is")
            }
            throw .rejected(
                "\(path) is in a draft of PSKC that is older than RFC 6030",
                hint: "ask the vendor for a file as RFC 6030 has it")
        }
        // RFC 6030 §4: another must be rejected.
        guard attributes[XMLName("", "Version")]?.hasPrefix("1.") == true else {
            throw .rejected("\(path) is of an unknown version of PSKC")
        }
        outline.prefix = prefix
    }

    /// A child of the root is whole.
    private func finish(_ element: XMLElement) throws(Failure) {
        switch element.name {
        case XMLName(Namespace.pskc, "EncryptionKey"), XMLName(Namespace.pskc, "MACMethod"):
            guard outline.packageCount == 0 else { throw malformed }
            outline.protection.add(element)
        case XMLName(Namespace.pskc, "KeyPackage"):
            guard let package = PSKCKeyPackage(element) else { throw malformed }
            if outline.packageCount == 0 { outline.firstOffset = element.range.lowerBound }
            outline.packageCount += 1
            outline.insertionOffset = element.range.upperBound
            packages.append(package)
        case XMLName(Namespace.pskc, "Signature"), XMLName(Namespace.signature, "Signature"):
            outline.isSigned = true
        default: return
        }
    }

    /// No key package, an encryption key after one, or two keys in one package.
    private var malformed: Failure {
        Failure(.rejected, "\(path) is damaged: its keys are not in order")
    }
}

/// Whether a root is one of the drafts': `urn:ietf:params:xml:ns:keyprov:pskc:1.0` and
/// `…:container:1.0` of the IETF's, `…/OATH/2006/10/PSKC` of OATH's.
private func isDraft(_ name: XMLName) -> Bool {
    ["KeyContainer", "SecretContainer"].contains(name.local)
        && ["keyprov", "pskc", "oath"].contains { name.namespace.lowercased().holds($0) }
}
