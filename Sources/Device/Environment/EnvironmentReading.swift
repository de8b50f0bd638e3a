// Looks for what hides the device: several signs for each finding, because each sign alone can be
// missing. Bound by FORMAT.md §6.
internal import Linux

extension DeviceEnvironment {
    /// Reads what surrounds the program.
    package static func read() -> DeviceEnvironment { DeviceEnvironment(tree: .real) }

    init(tree: SystemTree) {
        var findings: [Finding] = []
        let release = tree.line("/proc/sys/kernel/osrelease")
        if tree.isWSL(release: release) { findings.append(.wsl) }
        if tree.isContainer { findings.append(.container) }
        if tree.isUserNamespace { findings.append(.userNamespace) }
        if tree.isFilteredByCaller { findings.append(.filtered) }
        if tree.namespace(.time) == .other { findings.append(.timeNamespace) }
        if tree.isVirtualMachine { findings.append(.virtualMachine) }
        // Without a boot_id a container on the prescribing device is not known by its kernel.
        let isBootTold = !release.isEmpty && tree.bootID != nil
        if !isBootTold || tree.areNamespacesHidden { findings.append(.unreadable) }
        self.init(findings)
    }
}

extension SystemTree {
    fileprivate func isWSL(release: String) -> Bool {
        release.lowercased().holds("microsoft") || isPresent("/run/WSL")
    }

    fileprivate var isContainer: Bool {
        containerSigns.contains(where: isPresent) || namespace(.pid) == .other
    }

    /// What can't be shown to be the first one is another: whoever made it made up the rest too.
    fileprivate var isUserNamespace: Bool { namespace(.user) != .initial }

    /// Only root starts a process in another pid namespace and not in another user namespace: what
    /// runs containers filters all of them. What can't be told is a filter.
    fileprivate var isFilteredByCaller: Bool {
        let isRootsContainer = namespace(.pid) == .other && !isUserNamespace
        return !isRootsContainer && isFiltered() != false
    }

    fileprivate var areNamespacesHidden: Bool {
        !isUserNamespace && (namespace(.pid) == .unknown || namespace(.time) == .unknown)
    }

    fileprivate var isVirtualMachine: Bool {
        if isPresent("/sys/hypervisor/type") { return true }
        if line("/sys/devices/system/cpu/modalias", limit: 8192).holds(",009F") { return true }
        let names = ["sys_vendor", "product_name"].map { line("/sys/class/dmi/id/\($0)") }
        let text = names.joined(separator: "\n").uppercased()
        if hypervisorNames.contains(where: { text.holds($0) }) { return true }
        return line("/sys/firmware/devicetree/base/compatible").holds("dummy-virt")
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
