// What begins a link in a text. It ends whatever stands before it: two links that touch are two.
// Bound by FORMAT.md §2.
import Linux

/// What stands at a place of a text.
enum LinkStart: Equatable {
    case otpauth
    /// A signed link; its JWS begins at `jws`.
    case signed(jws: Int)
    /// A JWS behind a carrier that is damaged.
    case damaged
    case web

    init?(_ text: Span<UInt8>, at position: Int) {
        switch text[position].lowercased {
        case UInt8(ascii: "o") where text.hasPrefix("otpauth://", at: position): self = .otpauth
        case UInt8(ascii: "h")
        where text.hasPrefix("https://", at: position) || text.hasPrefix("http://", at: position):
            self = .web
        case UInt8(ascii: "s") where text.hasPrefix("softtoken", at: position):
            self.init(ours: text, behind: position + 9, word: position)
        default: return nil
        }
    }

    /// Judges what stands behind the product's name, as it is or as a gateway encoded it.
    private init?(ours text: Span<UInt8>, behind position: Int, word: Int) {
        if let colon = text.end(ofOneIn: [":", "%3a", "-3a", "%253a"], at: position) {
            self.init(scheme: text, behind: colon)
        } else if let equals = text.end(
            ofOneIn: ["=3d", "=", "%3d", "-3d", "%253d"], at: position),
            let start = jwsStart(text, equals)
        {
            let isFragment = ["#", "%23", "*", "-23", "%2523"].contains { text.hasSuffix($0, word) }
            guard isFragment || text.hasPrefix(jwsBeginning, at: start) else { return nil }
            self = isFragment ? .signed(jws: start) : .damaged
        } else if text.hasPrefix(jwsBeginning, at: position) {
            self = .damaged
        } else {
            return nil
        }
    }

    private init?(scheme text: Span<UInt8>, behind colon: Int) {
        guard colon < text.count, text[colon].isLetter,
            !text.hasPrefix("request#", at: colon), !text.hasPrefix("prescribing#", at: colon)
        else { return nil }
        guard text.hasPrefix("activate", at: colon),
            let mark = text.end(ofOneIn: ["#", "%23", "*", "-23", "%2523"], at: colon + 8)
        else {
            let near = colon..<min(colon + 64, text.count)
            guard text.firstRange(of: jwsBeginning, in: near) != nil else { return nil }
            self = .damaged
            return
        }
        if let start = jwsStart(text, mark) {
            self = .signed(jws: start)
        } else if mark < text.count, text[mark] == UInt8(ascii: "{") {
            // Another serialization than the compact one.
            self = .damaged
        } else {
            return nil
        }
    }
}

/// Each header is a JSON object, whose base64url begins with these letters.
let jwsBeginning = "eyJ"

/// Where a JWS begins behind its carrier; nil where only the carrier is spoken of.
private func jwsStart(_ text: Span<UInt8>, _ position: Int) -> Int? {
    guard position < text.count else { return nil }
    if TextAlphabet.base64URL.holds(text[position]) { return position }
    guard let gap = Gap(text, at: position), text.hasPrefix(jwsBeginning, at: gap.end) else {
        return nil
    }
    return gap.end
}

/// Whether a link begins at a place inside an otpauth link. A picture's address is a value of it,
/// unless a gateway wrapped a link in it.
func endsBefore(_ text: Span<UInt8>, _ position: Int) -> Bool {
    guard let start = LinkStart(text, at: position) else { return false }
    guard start == .web, text[position - 1] == UInt8(ascii: "=") else { return true }
    return isGatewayAddress(text, at: position)
}

extension Span where Element == UInt8 {
    /// Where the first of several ASCII texts that stands at a position ends.
    fileprivate func end(ofOneIn texts: [String], at position: Int) -> Int? {
        texts.first { hasPrefix($0, at: position) }.map { position + $0.utf8.count }
    }

    /// Whether ASCII text stands right before a position.
    fileprivate func hasSuffix(_ text: String, _ position: Int) -> Bool {
        position >= text.utf8.count && hasPrefix(text, at: position - text.utf8.count)
    }
}
