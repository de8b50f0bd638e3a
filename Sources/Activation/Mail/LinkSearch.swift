// The links in a text that is more than a link: each is taken out, unwrapped and judged. One and the
// same link twice is one, even where one of the two is broken; another one that is damaged or left
// open is told, and ends the activation. Bound by FORMAT.md §2 and DESIGN §7.
internal import Linux

/// What has been found so far.
struct LinkSearch: ~Copyable {
    /// A mail in which links begin more often, more are rejected, or gateways' addresses are longer
    /// together, is no mail that a person reads.
    private static let maximumBeginnings = 1024
    private static let maximumRejected = 256
    private static let maximumAddressByteCount = 1 << 20
    private var found: FoundLink?
    private var others: [LinkIdentity] = []
    private var rejected: [RejectedLink] = []
    private var beginnings = 0
    private var addressByteCount = 0
    private var signs = MailSigns()

    /// The one link.
    ///
    /// - Throws: why a link in the text was rejected; else `ActivationError.severalLinks`; else
    ///   `.hardToken`, `.foreign`, `.noLink`.
    consuming func result() throws(ActivationError) -> ActivationLink {
        let (others, rejected, signs) = (others, rejected, signs)
        switch consume found {
        case .none: throw rejected.first?.error ?? signs.guidance ?? .noLink
        case .some(let found):
            // Were it passed over, whoever damaged a link would choose which one is activated.
            if let other = rejected.first(where: { !found.isMeant(by: $0) }) { throw other.error }
            guard others.isEmpty else { throw .severalLinks([found.link.identity] + others) }
            let link = found.link
            // What is left of a signed link was one that somebody, or some program, took apart.
            guard !signs.hasSignedRemains || link.signedLink != nil else { throw .malformedJWS }
            return link
        }
    }

    /// Looks for links in plain text.
    mutating func search(_ text: Span<UInt8>) throws(ActivationError) {
        var position = 0
        while position < text.count {
            switch LinkStart(text, at: position) {
            case .otpauth:
                try countBeginning()
                position = try takeUnsigned(text, position)
            case .signed(let jws):
                try countBeginning()
                position = try takeSigned(text, jws)
            case .damaged:
                try reject(.malformedJWS, text, position..<wordEnd(text, from: position))
                position += 1
            case .web: position = try takeAddress(text, position)
            case nil: position = signs.note(text, at: position)
            }
        }
    }

    private mutating func countBeginning() throws(ActivationError) {
        beginnings += 1
        guard beginnings <= LinkSearch.maximumBeginnings else { throw .tooLong }
    }

    private mutating func takeSigned(
        _ text: Span<UInt8>, _ jws: Int
    ) throws(ActivationError) -> Int {
        guard let link = try takeSignedLink(text, jws: jws) else { return jws + 1 }
        let end = link.end
        try judge(link.text, text, jws..<end, carrier: activateCarrier)
        return end
    }

    private mutating func takeUnsigned(
        _ text: Span<UInt8>, _ start: Int
    ) throws(ActivationError) -> Int {
        let taken: TakenLink?
        do throws(ActivationError) { taken = try takeOTPAuthLink(text, at: start) } catch {
            guard error == .brokenLink else { throw error }
            let end = wordEnd(text, from: start)
            try reject(error, text, start..<end)
            return end
        }
        guard let taken else { return start + 1 }
        let end = taken.end
        if taken.isWhole {
            try judge(taken.text, text, start..<end)
        } else {
            try reject(.brokenLink, text, start..<end)
        }
        return end
    }

    /// Looks for a link that a mail gateway put into an address of its own. What is signed is found
    /// by its own mark too, behind which it may go on.
    ///
    /// - Returns: where to go on.
    private mutating func takeAddress(
        _ text: Span<UInt8>, _ start: Int
    ) throws(ActivationError) -> Int {
        guard isGatewayAddress(text, at: start) else {
            signs.noteAddress(text, start..<addressEnd(text, from: start))
            return start + 1
        }
        try countBeginning()
        let address = try takeWebAddress(text, at: start)
        let (end, isWhole) = (address.end, address.isWhole)
        addressByteCount += end - start
        guard addressByteCount <= LinkSearch.maximumAddressByteCount else { throw .tooLong }
        guard let protection = address.text.read({ LinkProtection($0) }) else {
            signs.noteAddress(text, start..<addressEnd(text, from: start))
            return start + 1
        }
        // Scanning goes on behind the link, in what the gateway put there.
        let next = isWhole ? end : start + protection.end
        do throws(ActivationError) {
            let inner = try unwrappedWholly(address.text)
            guard inner.read({ $0.hasPrefix("otpauth://") }) else {
                guard case .success = try read(inner) else {
                    inner.read { signs.noteAddress($0, $0.indices) }
                    return start + 1
                }
                try inner.read { (inner) throws(ActivationError) in try search(inner) }
                return next
            }
            let isOpen = inner.read { (inner) -> Bool in
                switch protection.closing {
                case _ where isWhole: false
                case .closed: false
                case .missing: true
                case .last: isLeftOpen(inner, text, behind: end)
                }
            }
            guard !isOpen else { throw .brokenLink }
            try judge(inner, text, start..<end)
        } catch {
            guard error == .brokenLink else { throw error }
            try reject(error, text, start..<end)
        }
        return next
    }

    /// Reads one link, of which every wrapping was taken off.
    ///
    /// - Throws: `ActivationError.outOfMemory`, which says nothing of the link.
    private func read(
        _ link: borrowing LinkText
    ) throws(ActivationError) -> Result<ActivationLink, ActivationError> {
        do throws(ActivationError) { return .success(try link.read(readBare)) } catch {
            guard error != .outOfMemory else { throw error }
            return .failure(error)
        }
    }

    private mutating func judge(
        _ link: consuming LinkText, _ text: Span<UInt8>, _ place: Range<Int>, carrier: String = ""
    ) throws(ActivationError) {
        switch try read(link) {
        case .success(let found): add(found, link)
        case .failure(let error): try reject(error, text, place, carrier: carrier)
        }
    }

    private mutating func reject(
        _ error: ActivationError, _ text: Span<UInt8>, _ place: Range<Int>, carrier: String = ""
    ) throws(ActivationError) {
        guard rejected.count < LinkSearch.maximumRejected else { throw .tooLong }
        rejected.append(try RejectedLink(error, text, place, carrier: carrier))
    }

    private mutating func add(_ link: consuming ActivationLink, _ text: consuming LinkText) {
        let identity = link.identity
        switch isFound(link) {
        case nil: found = .some(FoundLink(link: link, text: text))
        case false where !others.contains(identity): others.append(identity)
        default: break
        }
    }

    /// Whether this is the link that was found; nil where none was.
    private borrowing func isFound(_ link: borrowing ActivationLink) -> Bool? {
        switch found {
        case .none: nil
        case .some(let first): first.link.isSame(as: link)
        }
    }
}

/// A whole link, and how it was written.
private struct FoundLink: ~Copyable {
    let link: ActivationLink
    let text: LinkText

    /// Whether this is what a rejected link was before it was broken: a mail says it in plain text
    /// and in HTML.
    borrowing func isMeant(by other: RejectedLink) -> Bool {
        text.read { (whole) in
            other.joined.read { (joined) in
                let count = min(whole.count, other.isShortened ? other.shownCount : whole.count)
                guard joined.count >= count, (0..<count).allSatisfy({ joined[$0] == whole[$0] })
                else { return false }
                // Behind it stands no more of a link.
                return other.isShortened || joined.count == count
                    || joined[count] != UInt8(ascii: "&")
            }
        }
    }
}

/// A link that was rejected, in memory that is zeroized with it.
private final class RejectedLink {
    /// Links are shorter.
    private static let maximumByteCount = 4096
    let error: ActivationError
    /// What stands from its beginning on, as if nothing were broken there.
    let joined: LinkText
    /// How much of it stood in one piece.
    let shownCount: Int
    /// An ellipsis says that the rest is left out.
    let isShortened: Bool

    /// - Parameter carrier: stands for what the JWS of a signed link was found by.
    init(
        _ error: ActivationError, _ text: Span<UInt8>, _ place: Range<Int>, carrier: String
    ) throws(ActivationError) {
        self.error = error
        let start = place.lowerBound
        let reach = start..<min(start + RejectedLink.maximumByteCount, text.count)
        let joined = try LinkText.written(capacity: carrier.utf8.count + reach.count) { output in
            output.put(carrier)
            output.putJoined(text, reach)
        }
        guard let joined else { throw .noLink }
        let word = text.extracting(place)
        let end = place.upperBound
        // Two of three dots may have been taken for a JWS's own.
        isShortened =
            text.starts(with: [0xE2, 0x80, 0xA6], at: end)
            || (0...3).contains { text.starts(with: Array("...".utf8), at: max(0, end - $0)) }
        shownCount = min(carrier.utf8.count + withoutPunctuation(word), joined.byteCount)
        self.joined = try joined.read { (joined) throws(ActivationError) -> LinkText in
            // A gateway's address is known by what it holds.
            guard let protection = LinkProtection(joined), protection.closing == .closed else {
                return try LinkText(copying: joined)
            }
            return try unwrappedWholly(try LinkText(copying: joined))
        }
    }
}
