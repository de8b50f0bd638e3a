// `softtoken device …`: which computers prescriptions are sent from, and whether this is one.
// Bound by CONTRACT §1, §3 (`device check`) and DESIGN §6.
import ArgumentParser
import Linux
import ProgramSupport
import SoftTokenCore

struct DeviceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "device", abstract: "Tell prescribing computers and soft-token devices apart.",
        subcommands: [
            RegisterCommand.self, UnregisterCommand.self, ForbidCommand.self,
            DeviceListCommand.self, DeviceCheckCommand.self,
        ])
}

struct RegisterCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "register",
        abstract: "Mark this computer as one that sends prescriptions, and print its record.")
    @Option(
        help: ArgumentHelp(
            "What people call this computer, at most 64 bytes.", valueName: "TEXT"))
    var label = ""
    @OptionGroup(visibility: .hidden) var common: CommonOptions

    func execute(_ context: inout Context) throws(AuthenticatorError) {
        let words = ["device", "register"] + (label.isEmpty ? [] : ["--label", label])
        let registered = try asRoot(words) { () throws(AuthenticatorError) in
            try Authenticator.registerDevice(label: label)
        }
        if registered.wasRegistered {
            let former = registered.record.label
            output.note(
                "this computer was registered before" + (former.isEmpty ? "" : ", as \(former)")
                    + "; softtoken device unregister makes room for another label")
        }
        try output.line(registered.record.text)
        guard isTerminal(1) else { return }
        output.note(
            "Next, on the device with the soft token: softtoken device forbid, with that line; or "
                + "give the line to the issuer, for the link.")
    }
}

struct UnregisterCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "unregister", abstract: "Take that mark away.")
    @OptionGroup(visibility: .hidden) var common: CommonOptions

    func execute(_ context: inout Context) throws(AuthenticatorError) {
        let wasRegistered = try asRoot(["device", "unregister"]) {
            () throws(AuthenticatorError) in try Authenticator.unregisterDevice()
        }
        output.note(
            wasRegistered
                ? "this computer is no longer marked as one that sends prescriptions"
                : "this computer was not marked")
    }
}

struct ForbidCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "forbid",
        abstract: "Keep the record of a computer that sends prescriptions; needs the PIN.")
    static let takesLinks = true

    @Argument(
        help: ArgumentHelp(
            "What softtoken device register printed, or a file with it.", valueName: "RECORD"))
    var record: String
    @OptionGroup var common: CommonOptions

    func execute(_ context: inout Context) throws(AuthenticatorError) {
        // What begins as a link does, and isn't written as a record is, was taken out of argv.
        guard context.link == nil else {
            throw AuthenticatorError(
                .rejected, "this is no prescribing record, or a damaged one",
                hint: "copy the whole line that softtoken device register prints")
        }
        let authenticator = try context.authenticator()
        let console = try Console(pinDescriptor: common.pinDescriptor)
        try authenticator.check(.management, for: console)
        let record = try PrescribingDeviceRecord(parsing: try recordText())
        try authenticator.check(record)
        console.say(
            "A record that is kept can't be taken back here: softtoken reset alone removes it, with "
                + "all tokens.")
        var keystore = try authenticator.unlock(asking: console)
        try keystore.forbid(record)
        output.note("the record is kept: softtoken will refuse to run on that computer")
    }

    /// The record itself, or the file that holds it.
    private func recordText() throws(AuthenticatorError) -> [UInt8] {
        guard !record.hasPrefix(PrescribingDeviceRecord.prefix) else { return Array(record.utf8) }
        do throws(AuthenticatorError) { return try readInput(record) } catch {
            guard error.exitCode == .notFound else { throw error }
            throw AuthenticatorError(
                .notFound, error.message,
                hint:
                    "a record begins with \(PrescribingDeviceRecord.prefix); anything else is taken "
                    + "for a file's name")
        }
    }
}

struct DeviceListCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List this computer's mark and the records that are kept.")
    @OptionGroup(visibility: .hidden) var common: CommonOptions

    func execute(_ context: inout Context) throws(AuthenticatorError) {
        let devices = try context.authenticator().devices()
        switch devices.mark {
        case .none: output.note("this computer is not marked as one that sends prescriptions")
        case .damaged: try output.line("this computer  (marked; its record is damaged)")
        case .marked(let record): try output.line("this computer  \(record.row)")
        }
        for record in devices.records { try output.line("another computer  \(record.row)") }
    }
}

struct DeviceCheckCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Say whether this device is apart from those that send prescriptions.")
    @Flag(help: "Print JSON.") var json = false
    @OptionGroup(visibility: .hidden) var common: CommonOptions

    func execute(_ context: inout Context) throws(AuthenticatorError) {
        let separation = try context.authenticator().checkDevice()
        if json {
            try output.json([
                "separation": .text(separation.verdict.rawValue),
                "evidence": .array(separation.evidence.map { .text($0) }),
                "reason": .text(separation.reason),
            ])
        } else {
            try output.words(["\(separation.verdict.rawValue): \(separation.reason)"])
            if let advice = separation.advice { output.hint(advice) }
        }
        if separation.verdict == .same { throw .reported(.prescribingDevice) }
    }
}

/// Does what only root may; who is not root is told the whole command, because sudo looks for
/// programs in other folders than the shell does.
private func asRoot<R>(
    _ words: [String], _ body: () throws(AuthenticatorError) -> R
) throws(AuthenticatorError) -> R {
    do throws(AuthenticatorError) { return try body() } catch {
        guard error == .needsRoot else { throw error }
        let command = [systemLinkTarget("/proc/self/exe") ?? "softtoken"] + words
        throw AuthenticatorError(
            error.exitCode, error.message,
            hint: "run sudo " + shellCommand(command))
    }
}

extension PrescribingDeviceRecord {
    fileprivate var row: String { (label.isEmpty ? "(no label)" : label) + "  " + text }
}
