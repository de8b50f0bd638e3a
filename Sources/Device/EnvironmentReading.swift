// Looks for what hides the device: several signs for each finding, because each sign alone can be
// missing. Bound by FORMAT.md §6.
internal import Linux

extension DeviceEnvironment {
    init(tree: SystemTree) {
        var findings: [Finding] = []
        let release = tree.line("/proc/sys/kernel/osrelease")
        if tree.isWSL(release: release) { findings.append(.wsl) }
        if tree.isContainer { findings.append(.container) }
        if tree.isUserNamespace { findings.append(.userNamespace) }
        if tree.isTimeNamespace { findings.append(.timeNamespace) }
        if tree.isVirtualMachine { findings.append(.virtualMachine) }
        if release.isEmpty || tree.isHidden { findings.append(.unreadable) }
        self.init(findings)
    }
}

extension SystemTree {
    fileprivate func isWSL(release: String) -> Bool {
        release.lowercased().holds("microsoft") || isPresent("/run/WSL")
    }

    fileprivate var isContainer: Bool {
        containerSigns.contains(where: isPresent) || isNamespace(.pid, otherThan: 4_026_531_836)
    }

    fileprivate var isUserNamespace: Bool {
        if isNamespace(.user, otherThan: 4_026_531_837) { return true }
        guard let map = bytes("/proc/self/uid_map") else { return false }
        let numbers = String(decoding: map, as: UTF8.self).split { $0 == " " || $0 == "\n" }
        return numbers != ["0", "0", "4294967295"]
    }

    fileprivate var isTimeNamespace: Bool {
        if isNamespace(.time, otherThan: 4_026_531_834) { return true }
        guard let offsets = bytes("/proc/self/timens_offsets") else { return false }
        let words = String(decoding: offsets, as: UTF8.self).split { $0 == " " || $0 == "\n" }
        return words.contains { Int64($0).map { $0 != 0 } ?? false }
    }

    /// Whether this process lies in another namespace than the kernel's first, whose inode numbers
    /// are fixed (linux/proc_ns.h). No such file: a kernel without that kind, no sign.
    private func isNamespace(_ kind: NamespaceKind, otherThan initial: UInt64) -> Bool {
        guard case .inode(let inode) = namespace(kind) else { return false }
        return inode != initial
    }

    fileprivate var isVirtualMachine: Bool {
        if isPresent("/sys/hypervisor/type") { return true }
        if line("/sys/devices/system/cpu/modalias", limit: 8192).holds(",009F") { return true }
        let names = ["sys_vendor", "product_name"].map { line("/sys/class/dmi/id/\($0)") }
        let text = names.joined(separator: "\n").uppercased()
        if hypervisorNames.contains(where: { text.holds($0) }) { return true }
        return line("/sys/firmware/devicetree/base/compatible").holds("dummy-virt")
    }

    /// Whether /proc isn't what it should be.
    fileprivate var isHidden: Bool {
        // Every kernel has mount namespaces: where they are missing, others may only seem to be.
        namespace(.mount) == .absent
            || NamespaceKind.allCases.contains { namespace($0) == .forged }
            || bytes("/proc/sys/kernel/random/boot_id").flatMap(normalUUID) == nil
    }
}

private let containerSigns = [
    "/run/.containerenv", "/.dockerenv", "/run/systemd/container", "/.flatpak-info",
]

/// As firmware names them (systemd's detect-virt and the clouds' documents).
private let hypervisorNames = [
    "QEMU", "KVM", "VMWARE", "VIRTUALBOX", "INNOTEK", "BOCHS", "PARALLELS", "VIRTUAL MACHINE",
    "AMAZON EC2", "GOOGLE COMPUTE ENGINE", "OPENSTACK", "DIGITALOCEAN", "HETZNER", "BHYVE",
    "APPLE VIRTUALIZATION",
]
