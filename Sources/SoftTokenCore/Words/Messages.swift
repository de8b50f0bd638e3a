// Every cause in words: what happened and why, what to do, the exit code. One table for every app:
// lower case, no full stop, words that a doctor understands at seven in the morning.
// Bound by CONTRACT §2, DESIGN §1.9 and STYLE 16.
import Activation
import Device
import Keystore
import Linux

/// What is said about a cause.
struct Message: Equatable, Sendable {
    let code: ExitStatus
    /// What happened and why; nil if it was said already.
    let error: String?
    /// What to do next; not how this or that app does it.
    let hint: String?
    /// What of the hint an app has a way for: an option, a button.
    let remedy: AuthenticatorError.Remedy?

    init(
        _ code: ExitStatus, _ error: String?, hint: String? = nil,
        _ remedy: AuthenticatorError.Remedy? = nil
    ) {
        self.code = code
        self.error = error
        self.hint = hint
        self.remedy = remedy
    }
}

extension AuthenticatorError.Cause {
    var message: Message {
        switch self {
        case .sameDevice(let evidence):
            Message(
                .prescribingDevice,
                evidence.label.isEmpty
                    ? "this is \(evidence.deviceName): \(evidence.words)"
                    : "this is \(evidence.deviceName), which sends prescriptions: \(evidence.words)",
                hint: evidence.advice)
        case .recordOfThisDevice(let evidence):
            Message(
                .prescribingDevice, "this record is of this very device: \(evidence.words)",
                hint: "forbid the record of the computer you send prescriptions from, and "
                    + "keep the soft token on another device")
        case .remoteLogin:
            Message(
                .remoteLogin,
                "this is a remote login: it would show the one-time password on another machine",
                hint: "run softtoken at this device itself")
        case .loginNotTold:
            Message(
                .remoteLogin,
                "it can't be told whether this is a remote login, which would show the one-time "
                    + "password on another machine",
                hint: "run softtoken in a session at this device itself; where /proc hides other "
                    + "users' processes, the administrator can allow it (\"remote\": true)")
        case .policyNotTold:
            Message(
                .separation,
                "an older keystore was put back, which need not have seen the administrator's "
                    + "policy, and that can't be told here",
                hint: "run softtoken from an ordinary terminal, outside of a container")
        case .configurationChanged:
            Message(
                .tryLater,
                "this device's administrator changed a file in /etc/softtoken while this command "
                    + "waited",
                hint: "try again")
        case .separationNotVerified(let reason):
            Message(
                .separation,
                "policy wants this device shown to be apart from the prescribing one, but "
                    + reason.sentence, hint: reason.advice)
        case .attestationMissing(let reason):
            Message(
                .separation,
                "nobody attested that this is not the prescribing device, and \(reason.sentence)",
                hint: (reason.adviceBeforeAttesting.map { $0 + "; otherwise, " } ?? "")
                    + "if you do not send prescriptions from this device, attest that", .attest)
        case .attestationDenied:
            Message(
                .separation, "it was not attested that you prescribe on another computer than this",
                hint:
                    "use another device; if you answered yes by mistake, run it again and answer no"
            )
        case .clockUnconfirmed(let doubt): doubt.message
        case .clockContradicted:
            Message(
                .clock, "this device's clock shows another day than the one that was given",
                hint: "set the clock, then try again")
        case .unsignedLink:
            Message(
                .policy, "your administrator allows signed links only, and this link is not signed",
                hint: "ask the issuer for a link for SoftToken")
        case .untrustedIssuer(let fingerprint, let standing):
            Message(
                .policy, "\(standing.refusal), whose key is \(fingerprint)",
                hint: "compare it with what the issuer tells you, then trust it",
                .trustIssuer(fingerprint: fingerprint))
        case .easyPIN:
            Message(
                .policy, "this PIN is easy to guess",
                hint:
                    "choose one without a year, a date, a pattern or repeated digits, or have one "
                    + "drawn", .drawPIN)
        case .activation(let error): error.message
        case .device(let error): error.message
        case .linkExpired:
            Message(
                .linkSpent, "this link has expired",
                hint: "ask the issuer of the token for a new link")
        case .linkUsed:
            Message(
                .linkSpent, "this link has been used on this device already",
                hint:
                    "if the token is gone, or was never here, ask the issuer for a new link; if that "
                    + "one is refused, too, for another in five minutes")
        case .tokenExpired:
            Message(
                .tokenExpired, "this token has expired",
                hint: "ask the issuer of the token for a new link")
        case .counterExhausted:
            Message(
                .tokenExpired, "this token's counter is at its end",
                hint: "ask the issuer of the token for a new link")
        case .logNotWhole(let flaw):
            Message(
                .rejected, "the audit log is not whole: \(flaw.words)",
                hint: "tell your EPCS administrator within one business day")
        case .malformedPIN:
            Message(
                .usage, "a PIN is exactly four digits; this was not, and no attempt was spent",
                hint: "try again with your four-digit PIN")
        case .malformedNewPIN:
            Message(
                .usage, "a PIN is exactly four digits; this was not", hint: "choose four digits")
        case .unacceptableName:
            Message(
                .usage, "a name has 1 to 64 bytes, and no character that can't be shown",
                hint: "choose another name")
        case .noSuchToken(let nearest):
            Message(
                .notFound, "there is no such token",
                hint: nearest.map { "did you mean \($0)?" }, .listTokens)
        case .ambiguousToken(let names):
            Message(
                .usage, "several tokens fit",
                hint: "name one of them in full: \(names.prefix(4).joined(separator: ", "))"
                    + (names.count > 4 ? " and \(names.count - 4) more" : ""))
        case .hasPIN:
            Message(
                .usage, "the keystore has a PIN already",
                hint: "have none drawn, and change it later", .keepPIN)
        case .hasProtector:
            Message(
                .usage, "the keystore that is here already keeps its share elsewhere",
                hint: "choose none, or move the share", .moveShare)
        case .notConfirmed(.removing):
            Message(.usage, "nothing was removed", hint: "answer yes to remove the token", .confirm)
        case .notConfirmed(.resetting):
            Message(.usage, "nothing was destroyed", hint: "answer yes to reset", .confirm)
        // Who said no knows what they did.
        case .declined(.removing): Message(.usage, "nothing was removed")
        case .declined(.resetting): Message(.usage, "nothing was destroyed")
        case .noSuchIssuer:
            Message(
                .usage, "this key is not among the trusted ones",
                hint: "look at the list of the trusted ones", .listIssuers)
        case .administratorsIssuer:
            Message(
                .usage, "the administrator trusts this key",
                hint: "root can take its file out of /etc/softtoken/issuers")
        case .unacceptableLabel:
            Message(
                .usage, "this label is too long or can't be shown", hint: "use 1 to 64 letters")
        case .keystore(let error): error.message
        case .configuration(let path, let reason):
            Message(
                .configuration, "\(path): \(reason)",
                hint: "ask this device's administrator to mend it")
        case .noHome:
            Message(
                .configuration, "there is no home folder: HOME is not set to an absolute path",
                hint: "set HOME, then try again")
        case .oneFolder:
            Message(
                .configuration, "XDG_DATA_HOME and XDG_STATE_HOME are the same folder",
                hint: "give each its own: the files in the two must not mix")
        case .system(let error): error.message
        case .app(let message): message
        }
    }

    var kind: AuthenticatorError.Kind {
        switch self {
        case .malformedPIN, .malformedNewPIN, .unacceptableName, .ambiguousToken, .hasPIN,
            .hasProtector, .notConfirmed, .declined, .unacceptableLabel, .keystore(.nameTaken):
            .malformedAnswer
        case .keystore(.wrongPIN): .wrongPIN
        case .keystore(.delayed): .delayed
        case .keystore(.erased), .keystore(.erasedNow), .keystore(.attemptRecordsLost),
            .keystore(.closedByChip):
            .erased
        case .noSuchToken, .noSuchIssuer, .administratorsIssuer, .keystore(.missing),
            .keystore(.tokenMissing):
            .notFound
        case .app: .ownReason
        default: kindOfCode
        }
    }

    private var kindOfCode: AuthenticatorError.Kind {
        switch message.code {
        case .prescribingDevice, .separation, .foreignDevice, .linkSpent, .tokenExpired, .clock,
            .remoteLogin, .policy:
            .refused
        case .rejected: .rejected
        default: .failed
        }
    }
}

extension ClockDoubt {
    fileprivate var message: Message {
        let since =
            switch self {
            case .beforeBaseline(let time):
                "it was \(LocalTime(atUnixSeconds: time).date) here already"
            case .beforeLink(let time):
                "the link was made on \(LocalTime(atUnixSeconds: time).date)"
            }
        return Message(
            .clock,
            "this device's clock can't be right: \(since); a wrong clock makes wrong "
                + "one-time passwords",
            hint: "set the clock; if it is right, confirm today's date", .confirmDate)
    }
}

extension KeystoreError {
    var message: Message {
        switch self {
        case .missing:
            Message(
                .notFound, "no token has been activated here",
                hint: "activate one with the link from your mail", .activate)
        case .erased(_, let left):
            Message(
                .erased, "too many wrong PINs: the keystore was erased, and its tokens are gone",
                hint: "tell your EPCS administrator within one business day, and ask for a new link"
                    + (left.isEmpty ? "" : "; \(leftWords(left))")
            )
        case .erasedNow: KeystoreError.erased(atUnixSeconds: 0).message
        case .attemptRecordsLost:
            Message(
                .erased, "both attempt records are missing or altered, so no attempt is left",
                hint: "tell your EPCS administrator, then make room for a new link", .reset)
        case .damaged(let part):
            Message(
                .rejected, "the \(part.words) is damaged; this costs no attempt",
                hint:
                    "put back a whole backup of both folders, or ask for a new link and make room "
                    + "for it", .reset)
        case .foreign:
            Message(
                .foreignDevice,
                "this keystore was made on another device, or this one's machine-id or disk was "
                    + "changed since, and it opens only as it was",
                hint: "a new or changed device needs a new link; make room for it", .reset)
        case .deviceKeyMissing(let folder):
            Message(
                .foreignDevice,
                "\(folder) has no device key: that folder is missing or empty, or another than this "
                    + "keystore was made with",
                hint: "put it back, or set XDG_STATE_HOME as it was then; a keystore that was "
                    + "copied from another device opens there only: ask for a new link, and make "
                    + "room for it", .reset)
        case .foreignChip:
            Message(
                .foreignDevice,
                "this computer's TPM does not hold this keystore's share: it was cleared, is another "
                    + "one, or these files are older than the PIN",
                hint:
                    "put back the newest files; if the TPM was cleared the tokens are gone: ask for a "
                    + "new link, and make room for it", .reset)
        case .closedByChip:
            Message(
                .erased,
                "the TPM has counted too many wrong PINs, more than the files here say, which were "
                    + "put back: the keystore was erased, and its tokens are gone",
                hint: "tell your EPCS administrator within one business day, and ask for a new link"
            )
        case .chip(let trouble): trouble.message
        case .machineIDUnreadable:
            Message(
                .inputOutput,
                "the keystore is bound to this machine's id and disk, and one of them can't be read",
                hint: "run softtoken outside of a container, and have /etc/machine-id and "
                    + "/dev/disk mended; nothing was lost")
        case .problem(let problem): problem.message
        case .system(let error): error.message
        case .wrongPIN(let left, let delay):
            Message(
                .wrongPIN,
                "wrong PIN; \(left) \(left == 1 ? "attempt is" : "attempts are") left before the keystore "
                    + "is erased",
                hint: left == 1
                    ? "one more wrong PIN erases the keystore\(waiting(delay))"
                    : delay > 0 ? "try again in \(durationWords(delay))" : nil)
        case .delayed(let seconds):
            Message(
                .tryLater, "after several wrong PINs you have to wait",
                hint: seconds > 0 ? "try again in \(durationWords(seconds))" : "try again now")
        case .busy:
            Message(.tryLater, "another softtoken is at work", hint: "try again when it has ended")
        case .changed:
            Message(
                .tryLater, "the keystore was changed while this command waited", hint: "try again")
        case .outOfMemory:
            Message(
                .inputOutput, "there is not enough memory to check the PIN; no attempt was spent",
                hint: "close other programs, then try again")
        case .boxNotOpened, .malformedBox, .malformedSeed:
            Message(
                .rejected, "the link's seed can't be read", hint: "ask the issuer for a new link")
        case .nameTaken:
            Message(.usage, "a token of this name is here already", hint: "choose another name")
        case .tokenMissing: AuthenticatorError.Cause.noSuchToken().message
        case .full:
            Message(
                .cannotCreate,
                "the keystore is full: it holds as many tokens, prescribing records or issuers "
                    + "as it can",
                hint: "remove what you don't need; records go with a reset alone", .reset)
        case .counterExhausted: AuthenticatorError.Cause.counterExhausted.message
        case .counterUnknown:
            Message(
                .tokenExpired,
                "an older keystore was put back, or the log was missing or altered, so that this "
                    + "token's next counter is not known and it makes no one-time password any more",
                hint: "ask for a new link, and remove this token")
        }
    }

    private func waiting(_ seconds: Int) -> String {
        seconds > 0 ? "; wait \(durationWords(seconds)) before you try" : ""
    }
}

/// What an erasure left in a chip that it could not ask, and what takes it out.
func leftWords(_ handles: [UInt32]) -> String {
    "what is left in the TPM (\(handleWords(handles))) opens nothing; the next activation takes it out, "
        + "if the TPM can be used then, and so can its owner (tpm2_nvundefine -C o HANDLE)"
}

func handleWords(_ handles: [UInt32]) -> String {
    handles.map { "0x" + String($0, radix: 16) }.joined(separator: " ")
}

extension ChipTrouble {
    fileprivate var message: Message {
        Message(
            self == .busy ? .tryLater : .protectorUnreachable, "the TPM can't be used: \(reason)",
            hint: hint)
    }

    /// One clause, for errors and for `status`.
    var reason: String {
        switch self {
        case .absent: "this computer shows none to programs: there is no /dev/tpmrm0"
        case .notPermitted: "you may not open /dev/tpmrm0"
        case .ownerAuthorization: "an authorization is set for its owner, which SoftToken has not"
        case .noRoom: "it has no room for two more indices"
        case .doesNotCount: "it did not count wrong PINs as it must when it was tried out"
        case .answered(let code): "it answered with the code 0x\(String(code, radix: 16))"
        case .notAnswering: "it can't be spoken to, or somebody alters what it says"
        case .busy: "it is busy"
        case .notArmed:
            "the PIN was right, but the TPM was not set back to count the next wrong ones"
        }
    }

    /// What to do.
    var hint: String? {
        switch self {
        case .absent: "if the computer has a TPM, have it switched on in its firmware settings"
        case .notPermitted(let group):
            "have yourself added to the group that may (\(group ?? "mostly tss")), then log in again"
        case .ownerAuthorization: "ask this computer's administrator"
        case .noRoom: "tpm2_getcap handles-nv-index lists what is in it"
        case .doesNotCount, .answered:
            "report what the status says of it: that helps to mend this"
        case .notAnswering, .busy: "try again; no attempt was spent here"
        case .notArmed: "try again: the next right PIN does that"
        }
    }
}

extension KeystoreError.Part {
    fileprivate var words: String {
        switch self {
        case .keystore: "keystore"
        case .deviceKey: "device key"
        case .deviceShare: "device share"
        }
    }
}

extension FileProblem {
    fileprivate var message: Message {
        switch self {
        case .system(let error): error.message
        case .wrongOwner(let path):
            isRunByRoot
                ? Message(
                    .configuration, "\(path) belongs to another user than root",
                    hint: "run softtoken without sudo, as the user whose it is")
                : Message(
                    .configuration, "\(path) belongs to another user",
                    hint: "if it is yours: sudo chown -R \(userID) \(path)")
        case .openToOthers(let path, let mode):
            Message(
                .configuration, "\(path) is open to other users",
                hint: "chmod \(String(mode, radix: 8)) \(path)")
        case .writableByOthers: administratorsMessage
        case .notPlain(let path):
            Message(
                .configuration, "\(path) is a symbolic link or no plain file or folder",
                hint: "put the real one in its place")
        case .tooLong(let path): Message(.rejected, "\(path) is too long")
        }
    }
}

extension FileProblem {
    /// What is said of a file of the administrator's.
    fileprivate var administratorsMessage: Message {
        switch self {
        case .system(let error): error.message
        case .wrongOwner(let path), .writableByOthers(let path), .openToOthers(let path, _),
            .notPlain(let path), .tooLong(let path):
            AuthenticatorError.Cause.configuration(path: path, reason: reason).message
        }
    }
}

extension SystemError {
    fileprivate var message: Message {
        if isDiskFull {
            return Message(
                .inputOutput, "the disk is full: \(subject) can't be written; nothing was lost",
                hint: "free some space, then try again")
        }
        let verb =
            switch operation {
            case .open: "opened"
            case .create: "created"
            case .read: "read"
            case .write, .sync: "written"
            case .rename: "replaced"
            case .remove: "removed"
            case .inspect: "looked at"
            case .lock: "locked"
            case .start: "started"
            }
        let isCreation = operation == .create && !isInputOutput
        return Message(
            isCreation ? .cannotCreate : .inputOutput,
            "\(subject) can't be \(verb): \(reason.lowercased())")
    }
}

extension ActivationError {
    fileprivate var message: Message {
        switch self {
        case .outOfMemory: Message(.inputOutput, explanation, hint: hint)
        case .severalLinks: Message(.usage, explanation, hint: hint)
        default: Message(.rejected, explanation, hint: hint)
        }
    }
}

extension DeviceError {
    fileprivate var message: Message {
        switch self {
        case .notRoot:
            Message(.configuration, "only root can do this", hint: "run it again with sudo")
        case .file(let problem): problem.administratorsMessage
        case .nothingToRecogniseBy:
            Message(
                .inputOutput, "this device shows nothing that it could be recognised by",
                hint: "have a machine-id made for it (systemd-machine-id-setup)")
        default:
            Message(
                .rejected, "this is no prescribing record, or a damaged one",
                hint: "copy the whole line that softtoken device register prints")
        }
    }
}

extension IssuerStanding {
    fileprivate var refusal: String {
        switch self {
        case .new: "nobody here trusts this link's issuer"
        case .otherName: "this link's issuer is trusted here under another name alone"
        case .otherKey: "another key is trusted here under the name of this link's issuer"
        }
    }
}
