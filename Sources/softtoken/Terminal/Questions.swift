// The questions of activation and use, in the words that a prescriber reads. Bound by DESIGN §6, §7.
import Device
import Keystore
import Linux
import SoftTokenCore

extension Console {
    /// The attestation: true if the prescriber says that this is not the prescribing device.
    func attests(_ reason: UnverifiedReason) throws(Failure) -> Bool {
        let advice = reason.adviceBeforeAttesting.map { "; \($0)" } ?? ""
        say(
            "It can't be shown that this is not the computer you prescribe with: "
                + "\(reason.sentence)\(advice).")
        // Anything else is no attestation.
        return try answer(
            "the attestation",
            prompt: "Is this the computer you send prescriptions from? "
                + "Type no to attest that it is not: ") == "no"
    }

    /// The clock: true if date and time are confirmed.
    func confirmsClock(_ doubt: ClockDoubt) throws(Failure) -> Bool {
        let now = try running(ClockReading.now).unixSeconds
        say("This device's clock may be wrong, and a wrong clock makes wrong one-time passwords.")
        return try isYes(
            "the confirmation of the clock",
            prompt: "It shows \(LocalTime(atUnixSeconds: now).date) "
                + "\(LocalTime(atUnixSeconds: now).hoursAndMinutes). Is that right? Type yes: ")
    }

    /// Trust in a new issuer, by its fingerprint.
    func trusts(_ fingerprint: String, issuer: String) throws(Failure) -> Bool {
        say(
            "\(issuer) is new to this device. Compare its key with the one that you were told with "
                + "the activation code, by telephone or on paper, and not with the mail:")
        say("    \(fingerprint)")
        return try answer(
            "trust in the issuer",
            prompt: "Does the issuer tell you the same key? Type yes to trust it: ") == "yes"
    }

    /// An answer in words. An Enter too many, at the end of a paste for instance, is none.
    private func answer(_ question: String, prompt: String) throws(Failure) -> String {
        while true {
            let typed = try line(question, prompt: prompt)
            guard typed.isEmpty, isInteractive else { return typed }
        }
    }
}

extension Console {
    /// A name for a token; nil for an empty answer.
    func name(_ prompt: String) throws(Failure) -> String? {
        while true {
            let typed = try line("the name", prompt: prompt)
            if typed.isEmpty { return nil }
            if isAcceptableText(typed, bytes: 1...64) { return typed }
            guard isInteractive else { throw .unacceptableName }
            say("A name has 1 to 64 bytes, and no character that can't be shown.")
        }
    }
}

/// A moment as people say it: the time of day, and the date where it is not today's.
func clockText(_ unixSeconds: Int64, now: Int64) -> String {
    LocalTime(atUnixSeconds: unixSeconds).hoursAndMinutes(seenAtUnixSeconds: now)
}
