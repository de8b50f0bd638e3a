// What surrounds the program and can hide which device it runs on. A value and its words; how it
// is read stands in EnvironmentReading.swift. Bound by DESIGN §6 (`.unverified`) and FORMAT.md §6.

/// What was found around the program.
package struct DeviceEnvironment: Equatable, Sendable {
    /// One thing that keeps a device from being shown to be another one, in the order in which a
    /// verdict names them: what is nearest to the program first. Raw values are stable names.
    package enum Finding: String, CaseIterable, Sendable {
        case wsl
        case container
        case userNamespace = "user-namespace"
        case filtered
        case timeNamespace = "time-namespace"
        case virtualMachine = "virtual-machine"
        case unreadable
    }

    /// In their order, each once.
    package let findings: [Finding]

    package init(_ findings: [Finding] = []) {
        self.findings = Finding.allCases.filter { findings.contains($0) }
    }

    /// Whether the administrator's files can be believed here, and their absence too: /etc is this
    /// device's own, and nobody but root has mounted anything over it.
    package var believesAdministrator: Bool {
        !findings.contains(.container) && !canBeMadeUp
    }

    /// Whether the caller, whoever that is, can have made up or taken away what is read here: then
    /// an attestation holds for one use.
    package var canBeMadeUp: Bool {
        findings.contains { [.userNamespace, .filtered, .unreadable].contains($0) }
    }
}

extension DeviceEnvironment.Finding {
    /// What was found and why it matters: one sentence, lower case, no full stop.
    package var sentence: String {
        switch self {
        case .wsl: "this is Linux inside of Windows (WSL), which hides the computer it runs on"
        case .container: "this is a container, which hides the computer it runs on"
        case .userNamespace: "this is a user namespace, where any device can be made up"
        case .filtered:
            "this program's system calls are filtered by whoever started it, so that files can be "
                + "hidden from it"
        case .timeNamespace: "this is a time namespace, where the clocks are not the device's"
        case .virtualMachine: "this is a virtual machine, which hides the computer it runs on"
        case .unreadable:
            "this device can't be told: files that everyone may read can't be read here"
        }
    }

    package var advice: String {
        switch self {
        case .wsl: "use a Linux device of its own, apart from the Windows computer"
        case .container: "run softtoken outside of the container"
        case .userNamespace, .filtered, .timeNamespace: "run softtoken from an ordinary terminal"
        case .virtualMachine: "run softtoken on a device of its own, not inside of another"
        case .unreadable: "run softtoken from an ordinary terminal, with /proc mounted"
        }
    }
}
