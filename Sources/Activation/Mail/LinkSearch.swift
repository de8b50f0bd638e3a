// The links in a text that is more than a link: each is taken out, unwrapped and judged; one and
// the same link twice is one. Bound by DESIGN §7.

/// What has been found so far.
struct LinkSearch: ~Copyable {
    /// A mail with more links than that is no mail that a person reads.
    private static let maximumCandidates = 256
    /// Addresses that are looked at; the rest of such a page is advertising.
    private static let maximumAddresses = 4096
    private let drawing: (Int) -> [UInt8]
    private var found: ActivationLink?
    private var others: [LinkSummary] = []
    private var candidates = 0
    private var addresses = 0
    private var rejection: ActivationError?
    private var foreign: ForeignLink?
    private var isAboutHardToken = false

    init(drawing: @escaping (Int) -> [UInt8]) { self.drawing = drawing }

    /// The one link.
    ///
    /// - Throws: `ActivationError.severalLinks`; else why the only one was rejected; else
    ///   `.hardToken`, `.foreign`, `.noLink`.
    consuming func result() throws(ActivationError) -> ActivationLink {
        let (others, rejection) = (others, rejection)
        let guidance: ActivationError? =
            isAboutHardToken ? .hardToken : foreign.map { .foreign($0) }
        switch consume found {
        case .none: throw rejection ?? guidance ?? .noLink
        case .some(let link):
            guard others.isEmpty else { throw .severalLinks([link.summary] + others) }
            return link
        }
    }

    /// Looks for links in plain text.
    mutating func search(_ text: Span<UInt8>) throws(ActivationError) {
        var position = 0
        while position < text.count {
            guard isWordStart(text, position) else {
                skipNumber(text, &position)
                continue
            }
            if isOurs(text, position) || isWebAddress(text, position) {
                try take(text, &position)
            } else {
                foreign = foreign ?? ForeignLink.beginning(text, at: position)
                isAboutHardToken = isAboutHardToken || namesHardToken(text, position)
                position += 1
            }
        }
    }

    /// Stands behind what is no word; a number may be RSA's.
    private mutating func skipNumber(_ text: Span<UInt8>, _ position: inout Int) {
        let start = position
        position += 1
        guard text[start].isDigit else { return }
        while position < text.count, text[position].isDigit || text[position] == UInt8(ascii: "-") {
            position += 1
        }
        if isNumericCTF(text, start..<position) { foreign = foreign ?? .rsa }
    }

    private mutating func take(
        _ text: Span<UInt8>, _ position: inout Int
    ) throws(ActivationError) {
        let start = position
        position = start + 1
        addresses += 1
        guard addresses <= LinkSearch.maximumAddresses else { return }
        // An address may be wrapped before its fragment: what stands behind it counts too.
        let reach = start..<min(start + maximumAddressByteCount, text.count)
        guard isOurs(text, start) || mayHoldLink(text, reach) else {
            let wordEnd = reach.first { text[$0].isWhiteSpace } ?? reach.upperBound
            noteForeign(ForeignLink.recognise(text, start..<wordEnd))
            return
        }
        candidates += 1
        guard candidates <= LinkSearch.maximumCandidates else { return }
        do throws(ActivationError) {
            guard let link = try takeLink(text, at: start, end: &position) else { return }
            try judge(link)
        } catch {
            guard error == .brokenLink else { throw error }
            rejection = rejection ?? error
        }
    }

    /// Unwraps and judges one link.
    mutating func judge(_ link: borrowing LinkText) throws(ActivationError) {
        do throws(ActivationError) {
            let drawing = drawing
            add(
                try link.read { (bytes) throws(ActivationError) -> ActivationLink in
                    try readWrapped(bytes, drawing: drawing)
                })
        } catch {
            switch error {
            case .outOfMemory: throw error
            case .foreign(let kind): noteForeign(kind)
            default: rejection = rejection ?? error
            }
        }
    }

    private mutating func noteForeign(_ kind: ForeignLink?) {
        guard let kind, kind != .webPage else { return }
        foreign = foreign ?? kind
    }

    private mutating func add(_ link: consuming ActivationLink) {
        let summary = link.summary
        switch isFound(link) {
        case nil: found = .some(link)
        case false where !others.contains(summary): others.append(summary)
        default: break
        }
    }

    /// Whether this is the link that was found; nil where none was.
    private borrowing func isFound(_ link: borrowing ActivationLink) -> Bool? {
        switch found {
        case .none: nil
        case .some(let first): first.isSame(as: link)
        }
    }
}

/// Reads one link, whatever a mail gateway or a copy from HTML has put around it.
func readWrapped(
    _ link: Span<UInt8>, drawing: (Int) -> [UInt8], depth: Int = 0
) throws(ActivationError) -> ActivationLink {
    if depth < 4, let inner = try unwrapped(link) {
        return try inner.read { (bytes) throws(ActivationError) -> ActivationLink in
            try readWrapped(bytes, drawing: drawing, depth: depth + 1)
        }
    }
    switch recognise(link) {
    case .otpauth(let range):
        return .unsigned(try parseOTPAuth(link.extracting(range), drawing: drawing))
    case .signed(let range):
        return .signed(try VerifiedLink(verifying: link.extracting(range)))
    case .foreign(let kind): throw .foreign(kind)
    case .nothing: throw .noLink
    }
}

/// The link with one layer of damage undone; nil where there is none.
private func unwrapped(_ link: Span<UInt8>) throws(ActivationError) -> LinkText? {
    if link.firstRange(of: "&amp;", in: link.indices) != nil
        || link.firstRange(of: "&#", in: link.indices) != nil
    {
        guard let decoded = try entitiesDecoded(link) else { return nil }
        if decoded.byteCount < link.count { return decoded }
    }
    if isQuotedPrintableLink(link) { return try quotedPrintableDecoded(link) }
    if let mark = encodedHashMark(link) { return try withHash(link, at: mark) }
    return try withoutLinkProtection(link)
}

/// Where `%23` stands for the hash sign before the JWS.
func encodedHashMark(_ link: Span<UInt8>) -> Int? {
    let activate = activateCarrier.dropLast()
    if link.hasPrefix(activate + "%23") { return activate.utf8.count }
    guard link.hasPrefix("https://") else { return nil }
    return link.firstRange(of: "%23softtoken=", in: link.indices)?.lowerBound
}

private func withHash(_ link: Span<UInt8>, at mark: Int) throws(ActivationError) -> LinkText? {
    try LinkText.decoded(capacity: link.count) { (target: inout MutableSpan<UInt8>) in
        var count = 0
        for index in 0..<mark { target.append(link[index], to: &count) }
        target.append(UInt8(ascii: "#"), to: &count)
        for index in (mark + 3)..<link.count { target.append(link[index], to: &count) }
        return count
    }
}

private func isWordStart(_ text: Span<UInt8>, _ position: Int) -> Bool {
    guard text[position].isLetter else { return false }
    guard position > 0 else { return true }
    let before = text[position - 1]
    return !before.isLetter && !before.isDigit
}

private func isOurs(_ text: Span<UInt8>, _ position: Int) -> Bool {
    text.hasPrefix("otpauth://", at: position) || text.hasPrefix(activateCarrier, at: position)
        || text.hasPrefix(activateCarrier.dropLast() + "%23", at: position)
}

private func isWebAddress(_ text: Span<UInt8>, _ position: Int) -> Bool {
    text.hasPrefix("https://", at: position) || text.hasPrefix("http://", at: position)
}

/// Whether an address may hold a link, or a gateway's wrapping of one.
private func mayHoldLink(_ text: Span<UInt8>, _ range: Range<Int>) -> Bool {
    [
        "softtoken=", "softtoken-", "softtoken%", "softtoken*", "softtoken&",
        "safelinks.protection.", "urldefense.", "google.com/url?", "cudasvc.com/url?",
        "fireeye.com/", "clicktime.symantec.com/", "secure-web.cisco.com/",
    ].contains {
        text.firstRange(of: $0, in: range) != nil
    }
}

private func namesHardToken(_ text: Span<UInt8>, _ position: Int) -> Bool {
    ["hard token", "hard-token", "hardware token", "digipass", "key fob"].contains {
        text.hasPrefix($0, at: position)
    }
}
