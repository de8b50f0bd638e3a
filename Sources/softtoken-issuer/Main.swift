// softtoken-issuer: makes activation links and checks one-time passwords. The order at start is
// DESIGN §8's; the exit codes are CONTRACT §2's.
import ArgumentParser
import Glibc
import Keystore
import Linux

@main struct Main {
    static func main() {
        var arguments: [String] = []
        do {
            let start = try prepare()
            arguments = start.arguments
            let command = try SoftTokenIssuer.parseAsRoot(arguments)
            try run(command, start)
        } catch {
            exit(report(error, arguments))
        }
    }

    /// Nothing of this process in a core file, no strange descriptor, no network; then the arguments.
    private static func prepare() throws(Failure) -> StartArguments {
        do throws(SystemError) {
            try ProcessGuard.openStandardDescriptors()
            ProcessGuard.setDefaults(program: "softtoken-issuer")
            try ProcessGuard.forbidMemoryImages()
            try Sandbox.blockNetwork()
        } catch { throw Failure(error) }
        do throws(KeystoreError) {
            let start = try StartArguments.take()
            ProcessGuard.closeInheritedDescriptors(
                keeping: descriptorsNamed(in: start.arguments) + keyDescriptors(start.arguments))
            return start
        } catch { throw Failure(error) }
    }

    private static func run(
        _ command: any ParsableCommand, _ start: borrowing StartArguments
    ) throws {
        var command = command
        if let inspect = command as? Inspect { return try inspect.run(start) }
        guard start.link == nil else {
            throw Failure(.usage, "this command takes no activation link")
        }
        try command.run()
    }

    /// Says what ended the command, and gives its exit code.
    private static func report(_ error: any Error, _ arguments: [String]) -> Int32 {
        if let failure = error as? Failure {
            Console.report(failure)
            return failure.status.rawValue
        }
        let code = SoftTokenIssuer.exitCode(for: error)
        guard code != .success else {
            return (try? Console.print(SoftTokenIssuer.fullMessage(for: error))) == nil ? 74 : 0
        }
        Console.report(
            .usage(parserMessage: SoftTokenIssuer.message(for: error), arguments))
        // ArgumentParser's own code for usage is EX_USAGE, 64.
        return code.rawValue
    }
}

/// N of `--key-fd N`, `--key-fd=N` and the like.
func keyDescriptors(_ arguments: [String]) -> [Int32] {
    let options = ["--key-fd", "--records-key-fd", "--code-fd"]
    let apart = zip(arguments, arguments.dropFirst()).filter { options.contains($0.0) }.map(\.1)
    let joined = arguments.compactMap { argument in
        options.first { argument.hasPrefix($0 + "=") }.map { argument.dropFirst($0.utf8.count + 1) }
    }
    return (apart + joined.map(String.init)).compactMap { Int32($0) }.filter { $0 >= 0 }
}
