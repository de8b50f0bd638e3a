// softtoken-issuer: makes activation links and checks one-time passwords. The order at start is
// DESIGN §8's; the exit codes are CONTRACT §2's.
import ArgumentParser
import Linux
import ProgramSupport
import SoftTokenCore

/// Where this program's words go.
let output = ProgramOutput(program: "softtoken-issuer") {
    wrapped($0, columns: $1, hanging: $2, commandsOf: SoftTokenIssuer.self)
}

@main struct Main {
    static func main() { endProcess(run()) }

    private static func run() -> Int32 {
        do throws(Failure) {
            try ProgramStart.guardProcess(program: output.program)
            try ProgramStart.blockNetwork()
            try carryOut(try StartArguments.take())
            return 0
        } catch {
            output.report(error)
            return error.exitCode.rawValue
        }
    }

    private static func carryOut(_ start: borrowing StartArguments) throws(Failure) {
        do {
            var command = try SoftTokenIssuer.parseAsRoot(start.arguments)
            if let inspect = command as? Inspect { return try inspect.run(start) }
            guard start.link == nil else {
                throw Failure.usage("this command takes no activation link")
            }
            try command.run()
        } catch let error as Failure {
            throw error
        } catch {
            guard SoftTokenIssuer.exitCode(for: error) == .success else {
                throw usageError(
                    parserMessage: SoftTokenIssuer.message(for: error), start.arguments,
                    root: SoftTokenIssuer.self)
            }
            try output.help { SoftTokenIssuer.fullMessage(for: error, columns: $0) }
        }
    }
}
