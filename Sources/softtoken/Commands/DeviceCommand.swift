// `softtoken device …`: which computers prescriptions are sent from, and whether this is one.
// Bound by CONTRACT §1, §3 (`device check`) and DESIGN §6.
import Activation
import ArgumentParser
import Device
import Keystore
import Linux
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
    @OptionGroup var common: CommonOptions

    func execute(_ context: inout Context) throws(Failure) {
        let registration = try registering { () throws(RegistrationError) in
            try PrescribingMarker.register(label: label)
        }
        if case .standing(let record) = registration {
            Output.note(
                "this computer was registered before"
                    + (record.label.isEmpty ? "" : ", as \(record.label)")
                    + "; softtoken device unregister makes room for another label")
        }
        try Output.line(registration.record.text)
    }
}

struct UnregisterCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "unregister", abstract: "Take that mark away.")
    @OptionGroup var common: CommonOptions

    func execute(_ context: inout Context) throws(Failure) {
        let wasRegistered = try registering { () throws(RegistrationError) in
            try PrescribingMarker.unregister()
        }
        Output.note(
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

    func execute(_ context: inout Context) throws(Failure) {
        // What begins as a link does, and isn't written as a record is, was taken out of argv.
        guard context.link == nil else { throw .authenticator(.record(.notARecord)) }
        let authenticator = try context.authenticator()
        try authenticating { () throws(AuthenticatorError) in
            try authenticator.checkPlace(.manage, answers: Answers(isInteractive: false))
        }
        let record = try parsedRecord()
        try authenticating { () throws(AuthenticatorError) in
            try authenticator.checkIsAnotherDevice(record)
        }
        let console = try Console(pinDescriptor: common.pinDescriptor)
        var session = try openSession(authenticator, console)
        try authenticating { () throws(AuthenticatorError) in
            try authenticator.forbid(&session, record)
        }
        Output.note("the record is kept: softtoken will refuse to run on that computer")
    }

    private func parsedRecord() throws(Failure) -> PrescribingRecord {
        let isText = record.hasPrefix(PrescribingRecord.prefix)
        let bytes = try isText ? Array(record.utf8) : readInput(record)
        do throws(PrescribingRecordError) {
            return try PrescribingRecord(parsingFile: bytes)
        } catch { throw .authenticator(.record(error)) }
    }
}

struct DeviceListCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List this computer's mark and the records that are kept.")
    @OptionGroup var common: CommonOptions

    func execute(_ context: inout Context) throws(Failure) {
        let authenticator = try context.authenticator()
        try confine(authenticator)
        let facts = try authenticating { () throws(AuthenticatorError) in
            try authenticator.facts()
        }
        switch authenticator.surroundings.marker {
        case .absent: Output.note("this computer is not marked as one that sends prescriptions")
        case .damaged: try Output.line("this computer  (marked; its record is damaged)")
        case .record(let record): try Output.line("this computer  \(record.row)")
        }
        for record in facts.records { try Output.line("another computer  \(record.row)") }
    }
}

struct DeviceCheckCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Say whether this device is apart from those that send prescriptions.")
    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var common: CommonOptions

    func execute(_ context: inout Context) throws(Failure) {
        let authenticator = try context.authenticator()
        try confine(authenticator)
        let facts = try authenticating { () throws(AuthenticatorError) in
            try authenticator.facts()
        }
        let verdict = try authenticating { () throws(AuthenticatorError) in
            try authenticator.verdict(facts)
        }
        if case .same = verdict {} else { try facts.checkIsKnown() }
        if json {
            try Output.json([
                "separation": .string(verdict.name),
                "evidence": .array(verdict.evidenceNames.map { .string($0) }),
                "reason": .string(verdict.reason),
            ])
        } else {
            try Output.line("\(verdict.name): \(verdict.reason)")
            if let advice = verdict.advice { Output.note("softtoken: hint: \(advice)") }
        }
        if case .same = verdict { throw .reported(code: 80) }
    }
}

extension PrescribingRecord {
    fileprivate var row: String { (label.isEmpty ? "(no label)" : label) + "  " + text }
}

private func registering<R>(_ body: () throws(RegistrationError) -> R) throws(Failure) -> R {
    do throws(RegistrationError) { return try body() } catch {
        switch error {
        case .notRoot: throw .notRoot
        case .record(.unacceptableLabel):
            throw .usage("this label is too long or can't be shown", hint: "use 1 to 64 letters")
        case .record(let error): throw .authenticator(.record(error))
        case .file(let problem): throw .administratorFile(problem)
        }
    }
}

/// A small file that a person names: a record, an issuer's key.
///
/// - Throws: `Failure.noInput`.
func readInput(_ path: String) throws(Failure) -> [UInt8] {
    do throws(SystemError) { return try readSystemFile(path, limit: 65_536) } catch {
        throw error.isNotFound ? .noInput(path: path) : .system(error)
    }
}
