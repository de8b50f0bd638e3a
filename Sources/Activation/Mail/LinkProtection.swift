// Addresses that a mail gateway put around a link: Outlook's Safe Links, Proofpoint's URL Defense
// (versions 1 to 3), Barracuda's, FireEye's, Symantec's and Cisco's, and Google's. Only the address
// inside is read; nothing is asked of anyone.
import Linux

/// The address that a gateway wrapped.
///
/// - Returns: nil where the link isn't wrapped, or nothing is left of it.
/// - Throws: `ActivationError.brokenLink` where the gateway didn't encode it: its own parameters
///   can't be told from the link's.
func withoutLinkProtection(_ link: Span<UInt8>) throws(ActivationError) -> LinkText? {
    guard let protection = LinkProtection(link) else { return nil }
    let place = protection.place
    if case .urlDefense3(let replaced) = protection.encoding {
        return try urlDefense3Decoded(link, place, replaced)
    }
    guard link.firstRange(of: "otpauth://", in: place) == nil else { throw .brokenLink }
    return try percentDecoded(
        link, place, sign: UInt8(ascii: protection.encoding == .urlDefense2 ? "-" : "%"))
}

/// A wrapped address, and where the address inside stands.
struct LinkProtection {
    enum Encoding: Equatable {
        case percent
        /// `-` stands for a percent sign, `_` for a slash.
        case urlDefense2
        case urlDefense3(replaced: Range<Int>)
    }

    /// Whether the address inside is whole.
    enum Closing {
        /// Something of the gateway's own stands behind it.
        case closed
        /// It may be the last that stands in such an address.
        case last
        /// The gateway puts something behind it, which is missing.
        case missing
    }

    let place: Range<Int>
    let closing: Closing
    var encoding = Encoding.percent

    /// Where what holds the address inside ends.
    var end: Int {
        if case .urlDefense3(let replaced) = encoding { return replaced.upperBound }
        return place.upperBound
    }
}

extension LinkProtection {
    /// - Returns: nil for another address, and for one that holds none.
    init?(_ link: Span<UInt8>) {
        guard link.hasPrefix("https://") || link.hasPrefix("http://"),
            let scheme = link.firstRange(of: "//", in: link.indices)
        else { return nil }
        let rest = scheme.upperBound..<link.count
        let host = rest.lowerBound..<(link.firstIndex(of: "/", in: rest) ?? link.count)
        let path = host.upperBound..<link.count
        if link.isDomain(host, "secure-web.cisco.com") {
            guard let inner = LinkProtection.encodedAddress(link, in: path) else { return nil }
            self.init(place: inner, closing: .last)
            return
        }
        guard let gateway = gateways.first(where: { link.isDomain(host, $0.domain) }) else {
            return nil
        }
        let isURLDefense = gateway.domain.hasPrefix("urldefense.")
        if isURLDefense, link.hasPrefix("/v3/__", at: path.lowerBound) {
            self.init(urlDefense3: link, path.dropFirst(6))
            return
        }
        guard let range = link.parameter(gateway.parameter, in: path) else { return nil }
        let isVersion2 = isURLDefense && !link.hasPrefix("/v1/", at: path.lowerBound)
        self.init(
            place: range, closing: range.upperBound < link.count ? .closed : gateway.atEnd,
            encoding: isVersion2 ? .urlDefense2 : .percent)
    }

    /// An address as the last part of a path.
    private static func encodedAddress(_ link: Span<UInt8>, in path: Range<Int>) -> Range<Int>? {
        for beginning in ["/https%3a", "/otpauth%3a", "/softtoken%3a"] {
            guard let found = link.firstRange(of: beginning, in: path) else { continue }
            return (found.lowerBound + 1)..<path.upperBound
        }
        return nil
    }

    private init?(urlDefense3 link: Span<UInt8>, _ path: Range<Int>) {
        guard let mark = link.firstRange(of: "__;", in: path),
            let end = link.firstIndex(of: "!", in: mark.upperBound..<link.count)
        else { return nil }
        self.init(
            place: path.lowerBound..<mark.lowerBound, closing: .closed,
            encoding: .urlDefense3(replaced: mark.upperBound..<end))
    }
}

/// Gateways by the domain of their addresses: the parameter that holds the address inside, and what
/// it is where nothing stands behind it.
private let gateways: [(domain: String, parameter: String, atEnd: LinkProtection.Closing)] = [
    ("safelinks.protection.outlook.com", "url=", .missing),
    ("safelinks.protection.office365.us", "url=", .missing),
    ("urldefense.com", "u=", .missing), ("urldefense.us", "u=", .missing),
    ("urldefense.proofpoint.com", "u=", .missing), ("google.com", "q=", .last),
    ("linkprotect.cudasvc.com", "a=", .last), ("fireeye.com", "u=", .last),
    ("clicktime.symantec.com", "u=", .last),
]

/// Whether a gateway's address begins at a position.
func isGatewayAddress(_ text: Span<UInt8>, at start: Int) -> Bool {
    let hosts = [
        "safelinks.protection.", "urldefense.", "google.com/url?", "cudasvc.com/url?",
        "fireeye.com/", "clicktime.symantec.com/", "secure-web.cisco.com/",
    ]
    let reach = start..<min(start + 80, text.count)
    return hosts.contains { text.firstRange(of: $0, in: reach) != nil }
}

private func percentDecoded(
    _ link: Span<UInt8>, _ range: Range<Int>, sign: UInt8
) throws(ActivationError) -> LinkText? {
    try LinkText.rewritten(link, range) { position, output in
        if link[position] == sign, position + 2 < range.upperBound,
            let byte = link.hexadecimalByte(at: position + 1)
        {
            output.put(byte)
            return position + 3
        }
        guard sign == UInt8(ascii: "-"), link[position] == UInt8(ascii: "_") else { return nil }
        output.put("/")
        return position + 1
    }
}

/// Version 3 puts an asterisk where a character was replaced, and `**` with a letter for a run of
/// them; the characters themselves follow in base64url.
private func urlDefense3Decoded(
    _ link: Span<UInt8>, _ address: Range<Int>, _ replaced: Range<Int>
) throws(ActivationError) -> LinkText? {
    // What a gateway replaces are marks such as "#", no seed.
    let letters = replaced.prefix { link[$0] != UInt8(ascii: "=") }
    guard var characters = TextAlphabet.base64URL.bytes(link.extracting(letters))?[...] else {
        throw .noLink
    }
    return try LinkText.written(capacity: address.count + replaced.count + 1) { output in
        var position = address.lowerBound
        while position < address.upperBound {
            let byte = link[position]
            position += 1
            guard byte == UInt8(ascii: "*") else {
                output.put(byte)
                // Gateways that join slashes leave "https:/".
                if output.count == 7, output.span.hasPrefix("https:/"),
                    position < address.upperBound, link[position] != UInt8(ascii: "/")
                {
                    output.put("/")
                }
                continue
            }
            var run = 1
            if position + 1 < address.upperBound, link[position] == UInt8(ascii: "*"),
                let value = TextAlphabet.base64URL.value(of: link[position + 1])
            {
                run = Int(value) + 2
                position += 2
            }
            for _ in 0..<run { output.putCharacter(of: &characters) }
        }
    }
}

extension OutputSpan where Element == UInt8 {
    /// Appends the first character of UTF-8, which is taken away.
    fileprivate mutating func putCharacter(of characters: inout ArraySlice<UInt8>) {
        guard let first = characters.popFirst() else { return }
        put(first)
        while let byte = characters.first, byte & 0xC0 == 0x80 {
            put(byte)
            characters.removeFirst()
        }
    }
}

extension Span where Element == UInt8 {
    /// Whether a range is a domain or one under it.
    fileprivate func isDomain(_ range: Range<Int>, _ domain: String) -> Bool {
        let start = range.upperBound - domain.utf8.count
        guard start >= range.lowerBound, hasPrefix(domain, at: start) else { return false }
        return start == range.lowerBound || self[start - 1] == UInt8(ascii: ".")
    }

    /// Where the value of a query parameter stands; its name is given with the equals sign.
    fileprivate func parameter(_ name: String, in range: Range<Int>) -> Range<Int>? {
        guard var start = firstIndex(of: "?", in: range) else { return nil }
        while true {
            start += 1
            let end = firstIndex(of: "&", in: start..<range.upperBound) ?? range.upperBound
            if hasPrefix(name, at: start) { return (start + name.utf8.count)..<end }
            guard end < range.upperBound else { return nil }
            start = end
        }
    }
}
