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
    /// Extensions, comments, or what else stands beside the keys and their protection.
    var holdsMore = false
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
    let xml = try XMLReader(file.path)
    var outline = PSKCOutline()
    var failure: Failure?
    var bytes: [UInt8]
    repeat {
        bytes = try fromSystem(try file.nextBytes(limit: 1 << 16))
        let elements = xml.feed(bytes, isLast: bytes.isEmpty)
        if let root = xml.root { try outline.begin(root, file.path) }
        if let failure = xml.failure { throw failure }
        for element in elements {
            guard let package = try outline.take(element, file.path), failure == nil else {
                continue
            }
            do throws(Failure) { try body(package, outline.protection) } catch { failure = error }
        }
    } while !bytes.isEmpty
    guard outline.packageCount > 0 else { throw Failure(disordered: file.path) }
    if let failure { throw failure }
    outline.encoding = xml.encoding
    if xml.holdsMore { outline.holdsMore = true }
    return outline
}

extension PSKCOutline {
    fileprivate mutating func begin(_ root: XMLElement, _ path: String) throws(Failure) {
        guard root.name == XMLName("KeyContainer") else {
            guard isDraft(root.name) else {
                throw .rejected("\(path) is not a PSKC file", hint: "RFC 6030 says what one is")
            }
            throw .rejected(
                "\(path) is in a draft of PSKC that is older than RFC 6030",
                hint: "ask the vendor for a file as RFC 6030 has it")
        }
        // RFC 6030 §4: another must be rejected.
        guard root.attribute("Version")?.hasPrefix("1.") == true else {
            throw .rejected("\(path) is of an unknown version of PSKC")
        }
        prefix = root.prefix
        if !root.hasKnownAttributes { holdsMore = true }
    }

    /// Takes a child of the root.
    ///
    /// - Returns: the key package that it is.
    fileprivate mutating func take(
        _ element: XMLElement, _ path: String
    ) throws(Failure) -> PSKCKeyPackage? {
        switch element.name {
        case XMLName("EncryptionKey"), XMLName("MACMethod"):
            guard packageCount == 0 else { throw Failure(disordered: path) }
            protection.add(element)
        case XMLName("KeyPackage"):
            guard let package = PSKCKeyPackage(element) else { throw Failure(disordered: path) }
            if packageCount == 0 { firstOffset = element.range.lowerBound }
            packageCount += 1
            insertionOffset = element.range.upperBound
            return package
        case XMLName("Signature"), XMLName("Signature", in: Namespace.signature):
            isSigned = true
        default: holdsMore = true
        }
        return nil
    }
}

extension Failure {
    /// No key package, an encryption key after one, or two keys in one package.
    fileprivate init(disordered path: String) {
        self.init(.rejected, "\(path) is damaged: its keys are not in order")
    }
}

/// Whether a root is one of the drafts': `urn:ietf:params:xml:ns:keyprov:pskc:1.0` and
/// `…:container:1.0` of the IETF's, `…/OATH/2006/10/PSKC` of OATH's.
private func isDraft(_ name: XMLName) -> Bool {
    ["KeyContainer", "SecretContainer"].contains(name.local)
        && ["keyprov", "pskc", "oath"].contains { name.namespace.lowercased().holds($0) }
}
