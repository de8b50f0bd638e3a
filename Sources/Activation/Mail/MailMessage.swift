// A mail as it is saved to a file: header, body, parts (RFC 5322, RFC 2045, RFC 2046), as far as
// finding a link needs them. Bound by DESIGN §7.
internal import Linux

/// How the parts of mails are nested at most.
private let maximumPartDepth = 8

extension LinkSearch {
    /// Looks for links in a mail, or in a text or page copied from one.
    mutating func searchMail(_ text: Span<UInt8>) throws(ActivationError) {
        if let order = UTF16Order(mark: text) {
            guard let decoded = try utf16Decoded(text, order) else { return }
            return try decoded.read { (bytes) throws(ActivationError) in try searchMail(bytes) }
        }
        if let decoded = try jsonTextDecoded(text) { return try search(decoded, isHTML: false) }
        guard let header = MailHeader(text, 0..<text.count) else {
            let isHTML = looksLikeHTML(text)
            guard isQuotedPrintable(text) else { return try searchContent(text, isHTML: isHTML) }
            return try search(quotedPrintableDecoded(text), isHTML: isHTML)
        }
        try searchPart(text, header, end: text.count, depth: 0)
    }

    private mutating func searchPart(
        _ text: Span<UInt8>, _ header: MailHeader, end: Int, depth: Int
    ) throws(ActivationError) {
        let body = header.bodyStart..<end
        if header.isType("multipart/", text), depth < maximumPartDepth {
            guard let boundary = header.boundary(text) else { return }
            for part in parts(text, body, boundary: boundary) {
                let header = MailHeader(part: text, part)
                try searchPart(text, header, end: part.upperBound, depth: depth + 1)
            }
        } else if header.isType("message/rfc822", text), depth < maximumPartDepth {
            guard let inner = MailHeader(text, body) else { return }
            try searchPart(text, inner, end: end, depth: depth + 1)
        } else if header.isText(text) {
            try searchBody(text.extracting(body), header, of: text)
        }
    }

    private mutating func searchBody(
        _ body: Span<UInt8>, _ header: MailHeader, of mail: Span<UInt8>
    ) throws(ActivationError) {
        let isQuoted = header.isEncoded("quoted-printable", mail)
        guard isQuoted || header.isEncoded("base64", mail) else {
            return try searchCharacters(body, header, of: mail)
        }
        guard let decoded = try isQuoted ? quotedPrintableDecoded(body) : base64Decoded(body)
        else { return }
        try decoded.read { (bytes) throws(ActivationError) in
            try searchCharacters(bytes, header, of: mail)
        }
    }

    private mutating func searchCharacters(
        _ text: Span<UInt8>, _ header: MailHeader, of mail: Span<UInt8>
    ) throws(ActivationError) {
        let isHTML = header.isType("text/html", mail)
        if let order = UTF16Order(mark: text) ?? header.utf16Order(mail) {
            return try search(utf16Decoded(text, order), isHTML: isHTML)
        }
        guard header.isFlowed(mail) else { return try searchContent(text, isHTML: isHTML) }
        try search(flowedDecoded(text), isHTML: isHTML)
    }

    /// Looks for links in what was decoded, of which nothing may be left.
    private mutating func search(
        _ decoded: consuming LinkText?, isHTML: Bool
    ) throws(ActivationError) {
        guard let decoded else { return }
        try decoded.read { (bytes) throws(ActivationError) in
            try searchContent(bytes, isHTML: isHTML)
        }
    }

    private mutating func searchContent(
        _ text: Span<UInt8>, isHTML: Bool
    ) throws(ActivationError) {
        if isHTML { try search(htmlText(text), isHTML: false) } else { try search(text) }
    }
}

private func looksLikeHTML(_ text: Span<UInt8>) -> Bool {
    ["<html", "<body", "<a ", "<p>", "<br", "<div"].contains {
        text.firstRange(of: $0, in: text.indices) != nil
    }
}

/// Where the parts between a mail's boundaries stand.
private func parts(
    _ text: Span<UInt8>, _ body: Range<Int>, boundary: Range<Int>
) -> [Range<Int>] {
    var parts: [Range<Int>] = []
    var start: Int?
    var line = body.lowerBound
    while line < body.upperBound {
        let end = text.firstIndex(of: "\n", in: line..<body.upperBound) ?? body.upperBound
        if isBoundary(text, line..<end, boundary) {
            if let start { parts.append(start..<line) }
            start = min(end + 1, body.upperBound)
        }
        line = end + 1
    }
    if let start, start < body.upperBound { parts.append(start..<body.upperBound) }
    return parts
}

private func isBoundary(_ text: Span<UInt8>, _ line: Range<Int>, _ boundary: Range<Int>) -> Bool {
    guard line.count >= boundary.count + 2, text.hasPrefix("--", at: line.lowerBound) else {
        return false
    }
    return boundary.allSatisfy {
        text[$0] == text[line.lowerBound + 2 + ($0 - boundary.lowerBound)]
    }
}

/// The header of a mail or of a part of one: where its two fields that matter stand.
struct MailHeader {
    let bodyStart: Int
    private var type: Range<Int>?
    private var transferEncoding: Range<Int>?

    /// The header of a mail; nil where the text isn't one.
    init?(_ text: Span<UInt8>, _ range: Range<Int>) {
        self.init(part: text, range)
        guard type != nil || transferEncoding != nil else { return nil }
    }

    /// The header of a part, which may be empty.
    init(part text: Span<UInt8>, _ range: Range<Int>) {
        var line = range.lowerBound
        // A mailbox file begins with an envelope of its own.
        if text.hasPrefix("From ", at: line) { line = MailHeader.lineEnd(text, line, range) }
        while line < range.upperBound, text[line] != 0x0A, text[line] != 0x0D {
            var end = MailHeader.lineEnd(text, line, range)
            while end < range.upperBound, text[end] == 0x20 || text[end] == 0x09 {
                end = MailHeader.lineEnd(text, end, range)
            }
            if text.hasPrefix("content-type:", at: line) { type = line + 13..<end }
            if text.hasPrefix("content-transfer-encoding:", at: line) {
                transferEncoding = line + 26..<end
            }
            line = end
        }
        bodyStart = line < range.upperBound ? MailHeader.lineEnd(text, line, range) : line
    }

    private static func lineEnd(_ text: Span<UInt8>, _ start: Int, _ range: Range<Int>) -> Int {
        text.firstIndex(of: "\n", in: start..<range.upperBound).map { $0 + 1 } ?? range.upperBound
    }

    func isText(_ text: Span<UInt8>) -> Bool { type == nil || isType("text/", text) }

    func isType(_ name: String, _ text: Span<UInt8>) -> Bool {
        type.map { text.hasPrefix(name, at: text.trimmed($0).lowerBound) } ?? false
    }

    func isEncoded(_ name: String, _ text: Span<UInt8>) -> Bool {
        transferEncoding.map { text.hasPrefix(name, at: text.trimmed($0).lowerBound) } ?? false
    }

    /// Whether lines that end in a space go on without it (RFC 3676).
    func isFlowed(_ text: Span<UInt8>) -> Bool {
        guard let type, isType("text/plain", text) else { return false }
        return text.firstRange(of: "flowed", in: type) != nil
            && ["delsp=yes", "delsp=\"yes\""].contains { text.firstRange(of: $0, in: type) != nil }
    }

    /// The byte order of a charset of two bytes a letter; nil for any other.
    func utf16Order(_ text: Span<UInt8>) -> UTF16Order? {
        guard let type, let name = text.firstRange(of: "charset=", in: type),
            let charset = text.firstRange(of: "utf-16", in: name.upperBound..<type.upperBound)
        else { return nil }
        // RFC 2781 §4.3: big-endian unless a mark says otherwise.
        return text.hasPrefix("le", at: charset.upperBound) ? .littleEndian : .bigEndian
    }

    func boundary(_ text: Span<UInt8>) -> Range<Int>? {
        guard let type, let name = text.firstRange(of: "boundary=", in: type) else { return nil }
        let start = name.upperBound
        guard start < type.upperBound, text[start] == UInt8(ascii: "\"") else {
            let end = (start..<type.upperBound).first {
                text[$0].isWhiteSpace || text[$0] == UInt8(ascii: ";")
            }
            return start..<(end ?? type.upperBound)
        }
        let end = text.firstIndex(of: "\"", in: start + 1..<type.upperBound)
        return end.map { start + 1..<$0 }
    }
}
