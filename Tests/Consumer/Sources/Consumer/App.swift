// A small app: it reads what to do from standard input, a command a line, with the answers to its
// questions on the lines behind, and goes on after an error. `--confined` as its argument gives up all
// that `softtoken` gives up; a device is registered with `--register LABEL` and `--unregister`.
import SoftTokenCore

@main
enum App {
    static func main() {
        do throws(AuthenticatorError) {
            let arguments = Array(CommandLine.arguments.dropFirst())
            switch arguments.first {
            case "--register":
                let label = arguments.dropFirst().joined(separator: " ")
                print(try Authenticator.registerDevice(label: label).record.text)
            case "--unregister": print("was registered", try Authenticator.unregisterDevice())
            case "--sample": try run(try Authenticator(sampleConfinedTo: .none))
            // The status of a folder that can't be used is one, too.
            case "--status": printStatus(try Authenticator.status(confinement: .process))
            case "--confined": try run(try Authenticator(confinement: .process))
            default: try run(try Authenticator(confinement: .none))
            }
        } catch { report(error) }
    }

    private static func run(
        _ authenticator: consuming Authenticator
    ) throws(AuthenticatorError) {
        var authenticator = authenticator
        var person = Keypad()
        while let command = try? Keypad.line() {
            let words = command.split(separator: " ").map(String.init)
            do throws(AuthenticatorError) {
                try use(words, &authenticator, &person)
                print("done", command)
            } catch { report(error) }
        }
    }

    private static func use(
        _ words: [String], _ authenticator: inout Authenticator, _ person: inout Keypad
    ) throws(AuthenticatorError) {
        let argument = words.count > 1 ? words[1] : nil
        switch (words.first, argument) {
        case ("activate", _): try activate(argument, &authenticator, person)
        case ("show", _): try show(argument, authenticator, person)
        case ("display", let seconds?):
            try display(nil, seconds: Int(seconds) ?? 30, authenticator, person)
        case ("list", _): try list(authenticator, person)
        case ("rename", let token?) where words.count == 3:
            print("renamed", try authenticator.rename(token, to: words[2], asking: person))
        case ("remove", let token?):
            print("removed", try authenticator.remove(token, asking: person).name)
        case ("pin", _): try authenticator.changePIN(asking: person)
        case ("status", _): printStatus(try authenticator.status())
        case ("log", _): try printLog(authenticator)
        case ("request", _):
            let request = try authenticator.request(replacingLiving: argument == "new")
            print("request", request.text, request.verification)
        case ("devices", _): try printDevices(authenticator)
        case ("forbid", let record?): try forbid(record, authenticator, person)
        case ("trust", let file?): try trust(file, authenticator, person)
        case ("distrust", let fingerprint?): try distrust(fingerprint, authenticator, person)
        case ("reset", _): try authenticator.reset(asking: person)
        default: try setUp(words, &person)
        }
    }

    /// What is said before anything is asked: the options of a command.
    private static func setUp(_ words: [String], _ person: inout Keypad) throws(AuthenticatorError)
    {
        switch words {
        case ["script"]: person.canBeAsked = false
        case ["attest"]: person.given.isAttested = true
        case ["draw"]: person.given.drawsPIN = true
        case ["ask"]: person = Keypad()
        case _ where words.first == "named": person.given.name = words.last
        case _ where words.first == "dated": person.given.date = words.last
        case _ where words.first == "trusted": person.given.trustedFingerprint = words.last
        default: throw AuthenticatorError(.usage, "there is no such command")
        }
    }

    private static func report(_ error: AuthenticatorError) {
        print("error", error.kind, error.exitCode.rawValue, error.message ?? "-")
        if let hint = error.hint { print("hint", hint) }
        if let remedy = error.remedy { print("remedy", remedy) }
        if let left = error.attemptsLeft { print("attempts left", left) }
        if let seconds = error.secondsToWait { print("seconds to wait", seconds) }
    }
}
