// The process from its first instruction to its exit code: no memory image, links out of argv, no
// network, then the arguments, then the command; one catch at the top. Bound by DESIGN §8 ("Order at
// start"), CONTRACT §2 and STYLE 16.
import ArgumentParser
import Linux
import ProgramSupport
import SoftTokenCore

@main struct Main {
    static func main() { endProcess(run()) }

    private static func run() -> Int32 {
        do throws(AuthenticatorError) {
            var context = try prepared()
            let arguments = context.arguments
            if let status = PlainStatus(plainArguments: arguments) {
                try status.execute()
                return 0
            }
            guard !arguments.isEmpty || context.link != nil else {
                try printFirstScreen()
                return 0
            }
            guard let command = try parsed(arguments) else { return 0 }
            guard context.link == nil || type(of: command).takesLinks else {
                throw .misplacedLink
            }
            return carriedOut(command, &context)
        } catch {
            return reported(error)
        }
    }

    /// Carries a command out, and holds the window that was opened for it.
    private static func carriedOut(_ command: any Command, _ context: inout Context) -> Int32 {
        var code: Int32 = 0
        do throws(AuthenticatorError) { try command.execute(&context) } catch {
            code = reported(error)
        }
        guard command.holdsWindow == .always || command.holdsWindow == .afterFailure && code != 0,
            isTerminal(0)
        else { return code }
        output.note("Press a key to close this window.")
        waitForKey(at: 0)
        return code
    }

    private static func reported(_ error: AuthenticatorError) -> Int32 {
        output.report(error, remedy: error.remedy?.command)
        return error.exitCode.rawValue
    }

    /// What comes before anything is read.
    private static func prepared() throws(AuthenticatorError) -> Context {
        try ProgramStart.guardProcess(program: output.program)
        try ProgramStart.allowFiles()
        let link = try GivenLink.takenFromArguments()
        let arguments = try ProgramStart.arguments()
        if HandlerWindowCommand.isMeant(by: arguments) { return Context(arguments: arguments) }
        var handover: LinkHandover?
        if link != nil, LinkHandover.isWanted(by: arguments) { handover = try LinkHandover() }
        try ProgramStart.blockNetwork()
        return Context(arguments: arguments, link: link, handover: handover)
    }

    /// Parses the arguments; nil when help, the version or a completion script was printed.
    private static func parsed(_ arguments: [String]) throws(AuthenticatorError) -> (any Command)? {
        do {
            var command = try SoftTokenCommand.parseAsRoot(arguments)
            if let command = command as? any Command { return command }
            try command.run()
            return nil
        } catch {
            guard SoftTokenCommand.exitCode(for: error) == .success else {
                throw usageError(
                    parserMessage: SoftTokenCommand.message(for: error), arguments,
                    root: SoftTokenCommand.self,
                    secretOptions: ["--pin", "--code", "--activation-code"],
                    misplacedLink: .misplacedLink)
            }
            try output.help { SoftTokenCommand.fullMessage(for: error, columns: $0) }
            return nil
        }
    }
}
