// An element of an XML document, with the bytes it stands in, so that one value can be replaced and
// everything else in a vendor's file stays as it was. Bound by RECORDS.md §3.

/// An element's or attribute's name, whatever its prefix.
struct XMLName: Hashable, Sendable {
    /// Empty without a namespace.
    let namespace: String
    let local: String

    init(_ local: String, in namespace: String = Namespace.pskc) {
        self.namespace = namespace
        self.local = local
    }
}

/// An element with all that is in it.
struct XMLElement: Sendable {
    let name: XMLName
    /// As it is written, with its colon; empty without one.
    let prefix: String
    let attributes: [XMLName: String]
    var children: [XMLElement] = []
    /// The character data directly in it, comments and children left out.
    var text: [UInt8] = []
    /// The start tag's bytes in the file.
    let startTag: Range<Int>
    /// The end tag's bytes; empty, at the end of the start tag, for `<a/>`.
    var endTag: Range<Int>

    /// All bytes of the element.
    var range: Range<Int> { startTag.lowerBound..<endTag.upperBound }

    /// The place behind it, where no byte stands.
    var end: Range<Int> { endTag.upperBound..<endTag.upperBound }

    func child(_ local: String, in namespace: String = Namespace.pskc) -> XMLElement? {
        children.first { $0.name == XMLName(local, in: namespace) }
    }

    /// The one text without the white space around it; nil for one that isn't UTF-8's.
    var trimmedText: String {
        let trimmed = text.drop(while: isXMLSpace).reversed().drop(while: isXMLSpace).reversed()
        return String(decoding: Array(trimmed), as: UTF8.self)
    }

    func attribute(_ local: String) -> String? { attributes[XMLName(local, in: "")] }
}

func isXMLSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
