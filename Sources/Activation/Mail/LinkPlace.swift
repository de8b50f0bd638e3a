// What the end of an otpauth link that is being read stands in: its label, a parameter's name, or a
// value. Where a line breaks there, LinkContinuation.swift asks whether the link goes on.

/// A place in an otpauth link: where what was read of it ends.
enum LinkPlace: Equatable {
    /// Before the question mark.
    case label
    /// In a parameter's name.
    case name(Range<Int>)
    /// In a parameter's value; nil for a parameter that means nothing here.
    case value(OTPAuthParameter?, Range<Int>)
    /// Behind a hash sign, which is no part of the link's meaning.
    case fragment

    init(_ link: Span<UInt8>) {
        guard let query = link.firstIndex(of: "?", in: link.indices) else {
            self = .label
            return
        }
        guard link.firstIndex(of: "#", in: query..<link.count) == nil else {
            self = .fragment
            return
        }
        let mark = link.indices.reversed().first { link[$0] == UInt8(ascii: "&") }
        let start = parameterStart(link, behind: max(mark ?? query, query))
        guard let equals = link.firstIndex(of: "=", in: start..<link.count) else {
            self = .name(start..<link.count)
            return
        }
        self = .value(OTPAuthParameter(name: link, start..<equals), equals + 1..<link.count)
    }

    /// Whether white space may mean something: in a label, and in an issuer's name.
    var isText: Bool {
        switch self {
        case .label, .value(.issuer, _): true
        case .name, .value, .fragment: false
        }
    }

    /// Whether an equals sign behind this place, before a line break, is quoted-printable's: the
    /// link's own stands behind a whole name.
    func endsSoftly(_ link: Span<UInt8>, before next: UInt8) -> Bool {
        switch self {
        case .label, .value: true
        case .name(let name):
            OTPAuthParameter(name: link, name) == nil || next == UInt8(ascii: "=")
        case .fragment: false
        }
    }
}

extension OTPAuthParameter {
    /// All but the label, which has no name in a query.
    static let named = allCases.filter { $0 != .account }

    /// - Returns: nil for another name.
    fileprivate init?(name link: Span<UInt8>, _ range: Range<Int>) {
        let parameter = OTPAuthParameter.named.first {
            $0.rawValue.utf8.count == range.count
                && link.hasPrefix($0.rawValue, at: range.lowerBound)
        }
        guard let parameter else { return nil }
        self = parameter
    }
}

/// Where a parameter's name begins behind `&`, or `&amp;` as a copy from HTML has it.
func parameterStart(_ text: Span<UInt8>, behind mark: Int) -> Int {
    text.hasPrefix("&amp;", at: mark) ? mark + 5 : mark + 1
}

/// Whether a known name may begin with these letters, one at least.
func beginsName(_ link: Span<UInt8>, _ range: Range<Int>) -> Bool {
    !range.isEmpty
        && (knownNames.contains { name in
            name.utf8.count >= range.count
                && zip(name.utf8, range).allSatisfy { link[$1].lowercased == $0 }
        })
}

/// The parameters of the Key URI format and its relatives: what a link's continuation is known by.
let knownNames = OTPAuthParameter.named.map(\.rawValue) + ["image", "icon"]

/// What was joined in a label or an issuer's name.
struct TextJoints {
    private var hasSpaces = false
    private var hasLineBreaks = false
    private var hasSpacedLineBreaks = false

    mutating func add(_ gap: Gap) {
        if gap.lineBreaks == 0 {
            hasSpaces = true
        } else {
            hasLineBreaks = true
            hasSpacedLineBreaks = hasSpacedLineBreaks || gap.beginsWithSpace
        }
    }

    /// Whether nobody knows if a space stood where the line was broken: spaces stand for themselves
    /// in this link, or one stood there and none is written `%20`.
    func areUnclear(in link: Span<UInt8>) -> Bool {
        hasLineBreaks && hasSpaces
            || hasSpacedLineBreaks && link.firstRange(of: "%20", in: link.indices) == nil
    }
}
