// What a copy from a mail's source, or a mail gateway, puts around a link. Bound by DESIGN §7.
internal import Linux

/// A link without anything around it.
///
/// - Throws: `ActivationError.brokenLink` where it can be read in two ways.
func unwrappedWholly(_ link: consuming LinkText) throws(ActivationError) -> LinkText {
    var link = link
    // A gateway may have wrapped what another one wrapped.
    for _ in 0..<4 {
        let inner = try link.read { (bytes) throws(ActivationError) in try unwrapped(bytes) }
        guard let inner else { break }
        link = inner
    }
    return link
}

/// The link with one layer of damage undone; nil where there is none.
private func unwrapped(_ link: Span<UInt8>) throws(ActivationError) -> LinkText? {
    if link.firstRange(of: "&amp;", in: link.indices) != nil
        || link.firstRange(of: "&#", in: link.indices) != nil
    {
        guard let decoded = try entitiesDecoded(link) else { return nil }
        if decoded.byteCount < link.count { return decoded }
    }
    if try isQuotedPrintableLink(link) { return try quotedPrintableDecoded(link) }
    return try withoutLinkProtection(link)
}
