// What tells trusted issuers without a PIN, and tells nobody else: keyed hashes of their keys and of
// the names under which they are trusted. Bound by FORMAT.md §5 ("Public section").

/// How a signing key stands under a name.
package enum IssuerTrust: Equatable, Sendable {
    /// Trusted under this very name.
    case trusted
    /// Neither the key nor the name is known.
    case unknown
    /// The key is trusted under another name.
    case otherName
    /// Another key is trusted under this name, and this one is not.
    case otherKey
}

/// The tags of issuers, in the public section's order.
struct IssuerTags {
    let keys: [[UInt8]]
    let names: [[UInt8]]

    init(
        _ issuers: [TrustedIssuer], _ deviceKey: borrowing DeviceKey
    ) throws(KeystoreError) {
        let pairs = try deviceKey.withMACKey(.issuers) { key in
            issuers.map { issuer in
                let tag = key.mac(of: issuer.key.bytes)
                return (tag, key.mac(ofName: issuer.name, under: tag))
            }.sorted { $0.0.lexicographicallyPrecedes($1.0) }
        }
        keys = pairs.map(\.0)
        names = pairs.map(\.1)
    }

    /// Whether they are a public section's; an earlier version wrote no names.
    func fit(_ section: PublicSection) -> Bool {
        keys == section.issuerTags && names == section.added?.nameTags ?? names
    }
}

extension IssuerTrust {
    init(
        of issuer: TrustedIssuer, _ section: PublicSection, _ deviceKey: borrowing DeviceKey
    ) throws(KeystoreError) {
        let macKey = try deviceKey.macKey(.issuers)
        let own = macKey.mac(of: issuer.key.bytes)
        func keys(of name: String) -> [[UInt8]] {
            zip(section.issuerTags, section.added?.nameTags ?? [])
                .filter { tag, nameTag in nameTag == macKey.mac(ofName: name, under: tag) }
                .map { tag, _ in tag }
        }
        if keys(of: issuer.name).contains(own) {
            self = .trusted
        } else if (keys(of: issuer.name) + keys(of: issuer.name.asSeen)).contains(where: {
            $0 != own
        }) {
            self = .otherKey
        } else {
            // A key whose name an earlier version didn't write down counts as one of another name.
            self = section.issuerTags.contains(own) ? .otherName : .unknown
        }
    }
}

extension MACKey {
    /// 32 bytes and a name: no key, which has 32 bytes, has the same tag.
    fileprivate func mac(ofName name: String, under tag: [UInt8]) -> [UInt8] {
        mac(of: tag, Array(name.utf8))
    }
}
