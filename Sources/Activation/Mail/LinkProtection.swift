// Addresses that a mail gateway put around a link: Outlook's Safe Links, Proofpoint's URL Defense
// (versions 1 to 3), Barracuda's, FireEye's, Symantec's and Cisco's, and Google's. Only the address inside is read; nothing is asked of anyone.
import Keystore

/// The address that a gateway wrapped.
///
/// - Returns: nil where the link isn't wrapped, or nothing is left of it.
func withoutLinkProtection(_ link: Span<UInt8>) throws(ActivationError) -> LinkText? {
    switch LinkProtection(link) {
    case .percentEncoded(let range), .last(let range):
        return try percentDecoded(link, range, dialect: .plain)
    case .urlDefense2(let range): return try percentDecoded(link, range, dialect: .urlDefense2)
    case .urlDefense3(let address, let replaced):
        return try urlDefense3Decoded(link, address, replaced)
    case nil: return nil
    }
}

/// Whether a gateway wrapped the address.
func isWrapped(_ link: Span<UInt8>) -> Bool { LinkProtection(link) != nil }

/// Where the part of an address ends that holds a link; nil where it may be incomplete.
func linkPartEnd(_ link: Span<UInt8>) -> Int? {
    if let mark = link.firstRange(of: webCarrierMark, in: link.indices) { return mark.upperBound }
    // A parameter that is the last may have been cut.
    switch LinkProtection(link) {
    case .percentEncoded(let range), .urlDefense2(let range), .last(let range):
        return range.upperBound < link.count ? range.upperBound : nil
    case .urlDefense3(_, let replaced): return replaced.upperBound
    case nil: return nil
    }
}

/// Whether an address that a gateway wrapped ends with the one inside, so that nothing behind it
/// tells that it is whole.
func endsWithInnerAddress(_ link: Span<UInt8>) -> Bool {
    if case .last = LinkProtection(link) { return true }
    return false
}

/// A wrapped address, and where the address inside stands.
private enum LinkProtection {
    case percentEncoded(Range<Int>)
    /// Percent-encoded too, at the address's end.
    case last(Range<Int>)
    case urlDefense2(Range<Int>)
    case urlDefense3(address: Range<Int>, replaced: Range<Int>)

    init?(_ link: Span<UInt8>) {
        guard link.hasPrefix("https://") || link.hasPrefix("http://"),
            let scheme = link.firstRange(of: "//", in: link.indices)
        else { return nil }
        let rest = scheme.upperBound..<link.count
        let hostEnd = link.firstIndex(of: "/", in: rest) ?? link.count
        let host = scheme.upperBound..<hostEnd
        let path = hostEnd..<link.count
        if link.isDomain(host, "safelinks.protection.outlook.com")
            || link.isDomain(host, "safelinks.protection.office365.us")
        {
            guard let range = link.parameter("url=", in: path) else { return nil }
            self = .percentEncoded(range)
        } else if link.isDomain(host, "urldefense.com") || link.isDomain(host, "urldefense.us")
            || link.isDomain(host, "urldefense.proofpoint.com")
        {
            self.init(urlDefense: link, path)
        } else if let parameter = LinkProtection.parameter(link, host) {
            guard let range = link.parameter(parameter, in: path) else { return nil }
            self = range.upperBound == link.count ? .last(range) : .percentEncoded(range)
        } else if link.isDomain(host, "secure-web.cisco.com") {
            guard let inner = LinkProtection.encodedAddress(link, in: path) else { return nil }
            self = .last(inner)
        } else {
            return nil
        }
    }

    /// The parameter that holds the address inside, of hosts that have no more to it.
    private static func parameter(_ link: Span<UInt8>, _ host: Range<Int>) -> String? {
        let gateways = [
            ("google.com", "q="), ("linkprotect.cudasvc.com", "a="), ("fireeye.com", "u="),
            ("clicktime.symantec.com", "u="),
        ]
        return gateways.first { link.isDomain(host, $0.0) }?.1
    }

    /// An address as the last part of a path.
    private static func encodedAddress(_ link: Span<UInt8>, in path: Range<Int>) -> Range<Int>? {
        let beginnings = ["/https%3a", "/otpauth%3a", "/softtoken%3a"]
        for beginning in beginnings {
            guard let found = link.firstRange(of: beginning, in: path) else { continue }
            return (found.lowerBound + 1)..<path.upperBound
        }
        return nil
    }

    private init?(urlDefense link: Span<UInt8>, _ path: Range<Int>) {
        if link.hasPrefix("/v3/__", at: path.lowerBound) {
            let start = path.lowerBound + 6
            guard let mark = link.firstRange(of: "__;", in: start..<link.count),
                let end = link.firstIndex(of: "!", in: mark.upperBound..<link.count)
            else { return nil }
            self = .urlDefense3(
                address: start..<mark.lowerBound, replaced: mark.upperBound..<end)
        } else if let range = link.parameter("u=", in: path) {
            let isFirst = link.hasPrefix("/v1/", at: path.lowerBound)
            self = isFirst ? .percentEncoded(range) : .urlDefense2(range)
        } else {
            return nil
        }
    }
}

private enum PercentDialect {
    case plain
    /// `-` stands for a percent sign, `_` for a slash.
    case urlDefense2
}

private func percentDecoded(
    _ link: Span<UInt8>, _ range: Range<Int>, dialect: PercentDialect
) throws(ActivationError) -> LinkText? {
    let sign = UInt8(ascii: dialect == .plain ? "%" : "-")
    return try LinkText.decoded(capacity: range.count) { (target: inout MutableSpan<UInt8>) in
        var count = 0
        var position = range.lowerBound
        while position < range.upperBound {
            let byte = link[position]
            position += 1
            if byte == sign, position + 2 <= range.upperBound,
                let high = link[position].hexadecimalValue,
                let low = link[position + 1].hexadecimalValue
            {
                target.append(high << 4 | low, to: &count)
                position += 2
            } else {
                let isSlash = dialect == .urlDefense2 && byte == UInt8(ascii: "_")
                target.append(isSlash ? UInt8(ascii: "/") : byte, to: &count)
            }
        }
        return count
    }
}

/// Version 3 puts an asterisk where a character was replaced, and `**` with a letter for a run of
/// them; the characters themselves follow in base64url.
private func urlDefense3Decoded(
    _ link: Span<UInt8>, _ address: Range<Int>, _ replaced: Range<Int>
) throws(ActivationError) -> LinkText? {
    let characters = try base64Decoded(urlSafe: link, replaced)
    return try LinkText.decoded(capacity: address.count + replaced.count + 1) {
        (target: inout MutableSpan<UInt8>) in
        var count = 0
        var taken = 0
        var position = address.lowerBound
        while position < address.upperBound {
            let byte = link[position]
            position += 1
            guard byte == UInt8(ascii: "*") else {
                target.append(byte, to: &count)
                // Gateways that join slashes leave "https:/".
                if byte == UInt8(ascii: "/"), count == 7,
                    link.hasPrefix("https:/", at: address.lowerBound),
                    position < address.upperBound, link[position] != UInt8(ascii: "/")
                {
                    target.append(byte, to: &count)
                }
                continue
            }
            var run = 1
            if position + 1 < address.upperBound, link[position] == UInt8(ascii: "*"),
                let value = base64URLValue(link[position + 1])
            {
                run = Int(value) + 2
                position += 2
            }
            for _ in 0..<run {
                appendCharacter(characters, &taken, to: &target, &count)
            }
        }
        return count
    }
}

private func base64Decoded(
    urlSafe link: Span<UInt8>, _ range: Range<Int>
) throws(ActivationError) -> [UInt8] {
    // What a gateway replaces are marks such as "#", no seed.
    let letters = range.prefix { link[$0] != UInt8(ascii: "=") }
    guard let bytes = link.base64URLDecoded(letters) else { throw .noLink }
    return bytes
}

/// Appends one character of UTF-8.
private func appendCharacter(
    _ characters: [UInt8], _ taken: inout Int, to target: inout MutableSpan<UInt8>,
    _ count: inout Int
) {
    guard taken < characters.count else { return }
    repeat {
        target.append(characters[taken], to: &count)
        taken += 1
    } while taken < characters.count && characters[taken] & 0xC0 == 0x80
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
