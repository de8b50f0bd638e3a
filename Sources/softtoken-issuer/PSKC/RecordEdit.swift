// What changes in a record: the bytes of one value, in place, so that everything else in the file
// stays as its vendor wrote it. Bound by RECORDS.md §3 and RFC 6030's schema (the order in Data).
import Linux
import OTP

/// Bytes of a file and what takes their place.
struct RecordEdit: Equatable, Sendable {
    let range: Range<Int>
    let bytes: [UInt8]

    init(_ range: Range<Int>, _ text: String) {
        self.range = range
        bytes = Array(text.utf8)
    }
}

extension PSKCKeyPackage {
    /// What a verifier has to remember after an OTP. New elements that belong at one place are one edit,
    /// in the schema's order.
    func edits(to state: VerifierState) -> [RecordEdit] {
        guard let data else { return [] }
        let prefix = data.prefix
        var edits: [(place: Range<Int>, text: String)] = []
        for (local, value) in state.values {
            let content = "<\(prefix)PlainValue>\(value)</\(prefix)PlainValue>"
            let text = "<\(prefix)\(local)>\(content)</\(prefix)\(local)>"
            let place = data.child(local)?.range ?? data.place(for: local)
            if place.isEmpty, edits.last?.place == place {
                edits[edits.count - 1].text += text
            } else {
                edits.append((place, text))
            }
        }
        return edits.map { RecordEdit($0.place, $0.text) }
    }

    /// Whether it is remembered. What was written is plain, whatever the rest of the file is.
    func holds(_ state: VerifierState) -> Bool {
        let keyring = PSKCKeyring()
        return state.values.allSatisfy { local, text in
            let number = try? number(local, keyring)
            return number.map { String($0) == text } ?? false
        }
    }

    /// What binds the key to an account.
    func edit(toAccount account: String) -> RecordEdit? {
        guard let data else { return nil }
        // The key's own: Data's may be declared on Data, and this stands behind it.
        let prefix = key.prefix
        let text = "<\(prefix)UserId>\(escapedXML(userID(ofAccount: account)))</\(prefix)UserId>"
        return RecordEdit(key.child("UserId")?.range ?? data.end, text)
    }

    /// What ends the key at any time: its policy's ExpiryDate.
    func revocation() -> RecordEdit? {
        guard let data else { return nil }
        let prefix = key.prefix
        let day = UTCTime.text(unixSeconds: revokedUnixSeconds)
        let date = "<\(prefix)ExpiryDate>\(day)</\(prefix)ExpiryDate>"
        let whole = "<\(prefix)Policy>\(date)</\(prefix)Policy>"
        guard let policy = key.child("Policy") else {
            return RecordEdit((key.child("UserId") ?? data).end, whole)
        }
        // `<Policy/>`: its "/>" makes room, and its attributes stay.
        if policy.endTag.isEmpty {
            let end = policy.startTag.upperBound
            return RecordEdit(end - 2..<end, ">\(date)</\(policy.prefix)Policy>")
        }
        let start = policy.startTag.upperBound
        let place = policy.child("ExpiryDate")?.range ?? policy.child("StartDate")?.end
        return RecordEdit(place ?? start..<start, date)
    }
}

extension VerifierState {
    /// What changes with an OTP, each with its element's name.
    fileprivate var values: [(local: String, text: String)] {
        switch parameters.factor {
        case .counter(let counter): [("Counter", String(counter))]
        case .time: [("Time", String(lastStep ?? 0)), ("TimeDrift", String(driftSteps))]
        }
    }
}

extension XMLElement {
    /// Behind the last child of Data that the schema puts before `local`.
    fileprivate func place(for local: String) -> Range<Int> {
        let order = ["Secret", "Counter", "Time", "TimeInterval", "TimeDrift"]
        let before = order.prefix { $0 != local }
        let last = children.last {
            $0.name.namespace == Namespace.pskc && before.contains($0.name.local)
        }
        return last?.end ?? startTag.upperBound..<startTag.upperBound
    }
}

/// Text as it stands between tags and in attributes, of HTML too. By scalars: a mark with an accent on
/// it is still a mark.
func escapedXML(_ text: String) -> String {
    let marks: [Unicode.Scalar: String] = [
        "&": "&amp;", "<": "&lt;", ">": "&gt;", "\"": "&quot;", "'": "&#39;",
    ]
    return text.unicodeScalars.reduce(into: "") { $0 += marks[$1] ?? String($1) }
}
