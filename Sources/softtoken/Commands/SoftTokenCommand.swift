// The command `softtoken` and its subcommands. Bound by CONTRACT §1.
import ArgumentParser
import ProgramSupport

struct SoftTokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "softtoken",
        abstract: "An offline soft token: one-time passwords that sign electronic prescriptions.",
        discussion: """
            Run it on a device that you do not send prescriptions from. SoftToken is not certified \
            for EPCS.
            """,
        version: """
            softtoken \(softtokenVersion)
            SoftToken is not certified for EPCS, and no module in it is FIPS 140 validated.
            """,
        subcommands: [
            ActivateCommand.self, ShowCommand.self, ListCommand.self, RenameCommand.self,
            RemoveCommand.self, PINCommand.self, StatusCommand.self, LogCommand.self,
            RequestCommand.self, DeviceCommand.self, IssuerCommand.self, HandlerCommand.self,
            ResetCommand.self, DemoCommand.self, SelfTestCommand.self,
        ])
}
