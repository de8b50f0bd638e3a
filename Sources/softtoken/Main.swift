// The process from its first instruction to its exit code: no memory image, links out of argv, no
// network, then the arguments, then the command; one catch at the top. Bound by DESIGN §8 ("Order at
// start"), CONTRACT §2 and STYLE 16.
import ArgumentParser
import Keystore
import Linux
import SoftTokenCore

@main struct Main {
    static func main() { endProcess(run()) }

    private static func run() -> Int32 {
        do throws(Failure) {
            var context = try prepared()
            let arguments = ArgumentVector.arguments()
            if let status = Status(plainArguments: arguments) {
                try status.execute(context)
                return 0
            }
            guard let command = try parsed(arguments) else { return 0 }
            guard context.link == nil || type(of: command).takesLinks else {
                throw .misplacedLink
            }
            try command.execute(&context)
            return 0
        } catch {
            let message = error.message
            Output.report(message)
            return message.code
        }
    }

    /// What comes before anything is read.
    private static func prepared() throws(Failure) -> Context {
        try running { () throws(SystemError) in
            try ProcessGuard.forbidMemoryImages()
            try ProcessGuard.openStandardDescriptors()
        }
        ProcessGuard.setDefaults(program: "softtoken")
        guard ProcessGuard.allowFiles(ofByteCount: 128 << 20) else { throw .fileSizeLimit }
        let link = try takenLink()
        guard ArgumentVector.isText else { throw .usage("an argument is not UTF-8 text") }
        let kept = descriptorsNamed(in: ArgumentVector.arguments())
        // One that isn't open now would be whatever this program opens next.
        for number in kept where !isDescriptorOpen(number) {
            throw .usage("descriptor \(number) is not open")
        }
        ProcessGuard.closeInheritedDescriptors(keeping: kept)
        try running { () throws(SystemError) in try Sandbox.blockNetwork() }
        return Context(link: link)
    }

    /// Moves the link argument out of argv; every other one is overwritten.
    private static func takenLink() throws(Failure) -> SecureBytes? {
        let positions = ArgumentVector.linkPositions
        defer { for position in positions { ArgumentVector.overwriteLink(at: position) } }
        guard let position = positions.first else { return nil }
        guard positions.count == 1 else {
            throw .usage(
                "there are several links, or other arguments that look like one",
                hint: "give one link at a time")
        }
        let count = ArgumentVector.linkByteCount(at: position)
        do throws(KeystoreError) {
            var link = try SecureBytes(count: count)
            link.write { (target: inout MutableSpan<UInt8>) in
                ArgumentVector.moveLink(at: position, into: &target)
            }
            return link
        } catch { throw .authenticator(.keystore(.outOfMemory)) }
    }

    /// Parses the arguments; nil when help, the version or a completion script was printed.
    private static func parsed(_ arguments: [String]) throws(Failure) -> (any Command)? {
        do {
            var command = try SoftTokenCommand.parseAsRoot(arguments)
            if let command = command as? any Command { return command }
            try command.run()
            return nil
        } catch {
            guard SoftTokenCommand.exitCode(for: error) == .success else {
                throw .usage(parserMessage: SoftTokenCommand.message(for: error), arguments)
            }
            try Output.line(SoftTokenCommand.fullMessage(for: error))
            return nil
        }
    }
}
