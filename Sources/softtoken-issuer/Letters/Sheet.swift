// The sheet that goes on another way than the mail: the activation code, the issuer's key, and what
// to do; as text, and as a page that is printed on one side. Bound by CONTRACT §6.
import Activation
import ProgramSupport

extension Letter {
    private var title: String {
        code == nil ? "Your soft token" : "Activation code of your soft token"
    }

    private var addressee: String {
        "For \(content.account), from \(content.issuer). Token \(content.serial)."
    }

    /// What is to be typed or compared, with what it is.
    private var figures: [(name: String, text: String)] {
        var figures: [(name: String, text: String)] = []
        if let code { figures.append(("Activation code", code)) }
        if let verification { figures.append(("Verification of your request", verification)) }
        return figures + [("Key of \(content.issuer)", content.fingerprint)]
    }

    private var steps: [String] {
        var steps: [String] = []
        if verification != nil {
            steps.append(
                "Run softtoken request on the device that is to show your one-time passwords. It "
                    + "shows a verification: go on only if every letter is the same as above.")
        }
        steps += [
            "Run softtoken activate on the device that is to show your one-time passwords, and "
                + "never on the computer that you send prescriptions from. If the device has no "
                + "softtoken, ask \(content.issuer) for it.",
            "Paste the link from the mail of \(content.issuer), or the whole mail.",
            "Where you are asked whether you send prescriptions from this computer, type no. If you "
                + "do send them from it, stop, and take another device.",
            "Where a key is shown, compare it with the key above, and type yes only if every letter "
                + "is the same.",
        ]
        if code != nil {
            steps.append("Type the activation code. Nothing is shown while you type.")
        }
        return steps + [
            "Name the token, or press Enter for the name that is shown.",
            "Choose a PIN of four digits, or type yours if the device has one. Write it nowhere and "
                + "tell nobody: nobody of \(content.issuer) asks for it\(code == nil ? "" : ", or for the code").",
        ]
    }

    private var ending: [String] {
        var ending = ["The link can be used once, until \(ends)."]
        let minutes = (content.terms.pendingSeconds + 59) / 60
        if minutes > 0 {
            ending.append(
                "For \(minutes) \(minutes == 1 ? "minute" : "minutes") after its activation the "
                    + "token may not be accepted yet.")
        }
        let compared = verification == nil ? "key" : "verification or the key"
        return ending + [
            "If the \(compared) is another one, activate nothing and call \(content.issuer), by a "
                + "number that you know; then run softtoken activate again. Destroy this sheet once the "
                + "token is activated."
        ]
    }

    /// The sheet as text.
    var sheet: String {
        var parts = [wrapped(title), wrapped(addressee)]
        parts += figures.map { wrapped($0.name) + "\n\n    " + $0.text }
        parts += steps.enumerated().map { wrapped($1, indent: "\($0 + 1). ") }
        parts.append(wrapped(ending.joined(separator: " ")))
        return parts.joined(separator: "\n\n") + "\n"
    }

    /// The sheet as a page of HTML, which loads nothing and runs nothing.
    var page: String {
        let figures = figures.map {
            "<p class=\"name\">\(escapedXML($0.name))</p>\n<p class=\"figure\">\(escapedXML($0.text))</p>"
        }
        let steps = steps.map { "<li>\(escapedXML($0))</li>" }
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
            <meta name="referrer" content="no-referrer">
            <title>\(escapedXML(title))</title>
            <style>\(Letter.style)</style>
            </head>
            <body>
            <h1>\(escapedXML(title))</h1>
            <p>\(escapedXML(addressee))</p>
            \(figures.joined(separator: "\n"))
            <ol>
            \(steps.joined(separator: "\n"))
            </ol>
            \(ending.map { "<p>\(escapedXML($0))</p>" }.joined(separator: "\n"))
            </body>
            </html>

            """
    }

    /// Black on white, in the printer's own fonts; A4 and Letter alike.
    private static let style = """

        @page { margin: 20mm }
        body { max-width: 170mm; margin: 0 auto; padding: 5mm; color: #000; background: #fff;
          font: 12pt/1.45 sans-serif; overflow-wrap: anywhere }
        h1 { font-size: 18pt; margin: 0 0 6mm }
        .name { margin: 6mm 0 1mm; font-weight: bold }
        .figure { margin: 0 0 6mm; padding: 4mm; border: 0.5mm solid #000; text-align: center;
          font: bold 22pt/1.2 monospace; white-space: nowrap }
        li { margin: 2mm 0 }
        @media print { body { padding: 0 } }

        """
}

/// A paragraph in lines of 72 columns, broken between words alone.
///
/// - Parameter indent: what the first line begins with; the others begin with as many spaces.
func wrapped(_ paragraph: String, indent: String = "") -> String {
    wrapped(indent + paragraph, columns: 72, hanging: indent.count, commandsOf: nil)
        .joined(separator: "\n")
}
