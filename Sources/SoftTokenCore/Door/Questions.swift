// The questions as values, and their words: once, for every app. What a terminal adds of its own
// (that nothing is shown, which key ends) is the app's. Bound by DESIGN §6, §7 and CONTRACT §1.

/// What only a yes or a no answers.
public enum Confirmation: Sendable {
    /// Whether prescriptions are sent from this computer: no attests, yes ends the use.
    case sendsPrescriptions(because: String)
    /// Whether date and time, as they are written here, are right.
    case clockIsRight(String)
    /// Whether the issuer tells the same fingerprint on another way.
    case trusts(issuer: String, fingerprint: String, standing: IssuerStanding)
    /// Whether a token is to be removed; nil before a script's PIN is tried.
    case removes(token: String?)
    /// Whether the keystore is to be destroyed with all its tokens.
    case resets

    public enum Answer: Sendable { case yes, no }

    /// What to know before answering, a line each.
    public var explanation: [String] {
        switch self {
        case .sendsPrescriptions(let reason):
            [
                "It can't be shown that this is not the computer you prescribe with: \(reason).",
                "A soft token must be on another device than the one that sends prescriptions.",
            ]
        case .clockIsRight:
            [
                "This device's clock may be wrong, and a wrong clock makes wrong one-time "
                    + "passwords."
            ]
        case .trusts(let issuer, let fingerprint, let standing):
            [
                "\(standing.words(issuer)). Compare its key with the one that you were told "
                    + "with the activation code, by telephone or on paper, and not with the mail:",
                "    \(fingerprint)",
            ]
        case .removes: []
        case .resets: ["Forbidden prescribing computers and trusted issuers go with it."]
        }
    }

    /// The question itself.
    public var prompt: String {
        switch self {
        case .sendsPrescriptions: "Do you send prescriptions from this computer?"
        case .clockIsRight(let moment): "It shows \(moment). Is that right?"
        case .trusts: "Does the issuer tell you the same key?"
        case .removes(let token?): "Remove \(token)? A new link is needed to have it back."
        case .removes(nil): "Remove the token? A new link is needed to have it back."
        case .resets: "Destroy the keystore with all its tokens? Each needs a new link."
        }
    }
}

/// What is known of an issuer's key, or of its name, that is not trusted: a key is trusted under one
/// name.
public enum IssuerStanding: Equatable, Sendable {
    /// Neither is known.
    case new
    /// The key is trusted under another name.
    case otherName
    /// Another key is trusted under this name.
    case otherKey

    fileprivate static func otherKeyWords(_ issuer: String) -> String {
        "another key than the one that you trust as \(issuer); somebody may be using that name"
    }

    fileprivate func words(_ issuer: String) -> String {
        switch self {
        case .new: "\(issuer) is new to this device"
        case .otherName:
            "This key is trusted here under another name than \(issuer), which is new to this device"
        case .otherKey:
            "WARNING: this is \(IssuerStanding.otherKeyWords(issuer))"
        }
    }
}

/// A secret that is asked for.
public enum SecretQuestion: Equatable, Sendable {
    /// The activation link, or the whole mail that brought it.
    case link
    /// The activation code that came on another way.
    case activationCode
    /// The PIN of the keystore that is here; how many attempts are left where that is fewer than all.
    case pin(attemptsLeft: Int?)
    /// The same PIN, to be changed now.
    case currentPIN(attemptsLeft: Int?)
    /// A new PIN.
    case newPIN
    /// The new PIN once more.
    case newPINAgain

    /// How many bytes an answer has room for: a mail, else a mistyped line.
    public var capacity: Int { self == .link ? LinkLimits.typedByteCount + 2 : 66 }

    /// What to know before answering; nil where the prompt says all.
    public var explanation: String? {
        switch self {
        case .link: "Paste the activation link, or the whole mail, and press Enter:"
        case .pin(1?), .currentPIN(1?):
            "This is the last attempt: a wrong PIN, or a power cut while it is checked, erases the "
                + "keystore. Ctrl-C now ends without trying."
        default: nil
        }
    }

    /// The question itself, without a colon; empty for a link.
    public var prompt: String {
        switch self {
        case .link: ""
        case .activationCode: "Activation code (it came on another way)"
        case .pin(let left): "PIN" + SecretQuestion.words(left)
        case .currentPIN(let left): "Current PIN" + SecretQuestion.words(left)
        case .newPIN: "New PIN"
        case .newPINAgain: "The same PIN again"
        }
    }

    /// As an error names it: "the PIN".
    public var name: String {
        switch self {
        case .link: "the link"
        case .activationCode: "the activation code"
        case .pin, .currentPIN: "the PIN"
        case .newPIN, .newPINAgain: "the new PIN"
        }
    }

    private static func words(_ left: Int?) -> String {
        left.map { $0 > 1 ? " (\($0) attempts left)" : "" } ?? ""
    }
}

/// What is told between questions.
public enum News: Sendable {
    /// What a link is for: issuer, account, serial and signing key, in words.
    case introduction(String)
    /// privacyIDEA's two-step: this device's part, for the page that showed the link.
    case clientPart(String)
    /// A new PIN is about to be asked for.
    case choosesPIN
    /// The PIN that was drawn: to be shown once.
    case drawnPIN(String)
    /// An answer was none, or a wrong one: it is asked for again.
    case askedAgain(AuthenticatorError)
    /// The two new PINs differ; they are asked for again.
    case pinsDiffer
    /// Another process is at work on the keystore: its end is waited for.
    case waitingForAnother
    /// The key that is trusted by its fingerprint, given beforehand, is another than the one that is
    /// trusted under this issuer's name.
    case otherKey(String)
    /// An older copy of the keystore was put back.
    case keystorePutBack
    /// A destroyed keystore's indices are left in a TPM that can't be used, at these handles.
    case leftInTPM([UInt32], because: String)

    /// What happened, in words.
    public var words: String {
        switch self {
        case .introduction(let words): words
        case .clientPart(let part):
            "Type this into the page that gave you the link, to finish there:  \(part)"
        case .choosesPIN: "Choose a PIN of four digits. You type it each time you use the token."
        case .drawnPIN(let digits): "Your PIN is \(digits). Remember it: it is not shown again."
        case .askedAgain(let error): News.sentences(error)
        case .pinsDiffer: "The two PINs are not the same. Type it anew."
        case .waitingForAnother: "waiting for another softtoken to end"
        case .otherKey(let issuer):
            "the link is signed with \(IssuerStanding.otherKeyWords(issuer))"
        case .keystorePutBack:
            "an older copy of the keystore or of an attempt record was put back, or the log was "
                + "altered; tokens or counters may be missing"
        case .leftInTPM(let handles, let reason):
            "the TPM can't be used: \(reason); \(leftWords(handles))"
        }
    }

    private static func sentences(_ error: AuthenticatorError) -> String {
        [error.message, error.hint].compactMap(\.self)
            .map { $0.prefix(1).uppercased() + $0.dropFirst() + "." }.joined(separator: " ")
    }
}
