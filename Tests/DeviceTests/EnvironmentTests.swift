// What hides a device, and remote logins, from made-up /proc and /sys. Bound by FORMAT.md §6.
import Foundation
import Linux
import Testing

@testable import Device

@Suite struct EnvironmentTests {
    @Test("An ordinary laptop has no finding")
    func laptop() {
        #expect(MadeUpSystem.laptop().environment == DeviceEnvironment())
    }

    @Test(
        "A file tells what surrounds the program",
        arguments: [
            ("/proc/sys/kernel/osrelease", "4.4.0-19041-Microsoft\n", .wsl),
            ("/proc/sys/kernel/osrelease", "5.15.153.1-microsoft-standard-WSL2\n", .wsl),
            ("/run/WSL", "", .wsl),
            ("/run/.containerenv", "", .container), ("/.dockerenv", "", .container),
            ("/run/systemd/container", "lxc\n", .container), ("/.flatpak-info", "", .container),
            ("/sys/hypervisor/type", "xen\n", .virtualMachine),
            ("/sys/class/dmi/id/sys_vendor", "QEMU\n", .virtualMachine),
            ("/sys/class/dmi/id/sys_vendor", "innotek GmbH\n", .virtualMachine),
            ("/sys/class/dmi/id/sys_vendor", "VMware, Inc.\n", .virtualMachine),
            ("/sys/class/dmi/id/product_name", "Virtual Machine\n", .virtualMachine),
            ("/sys/class/dmi/id/product_name", "KVM\n", .virtualMachine),
            (
                "/sys/devices/system/cpu/modalias", "cpu:type:x86:feature:,0001,009F\n",
                .virtualMachine
            ),
            ("/sys/firmware/devicetree/base/compatible", "linux,dummy-virt\0", .virtualMachine),
            ("/proc/sys/kernel/osrelease", "", .unreadable),
            ("/proc/sys/kernel/random/boot_id", "x\n", .unreadable),
        ] as [(String, String, DeviceEnvironment.Finding)])
    func files(path: String, text: String, finding: DeviceEnvironment.Finding) {
        var system = MadeUpSystem.laptop()
        system[path] = text
        #expect(system.environment.findings == [finding])
    }

    @Test(
        "A namespace that isn't the kernel's first is found",
        arguments: [
            (.user, .userNamespace), (.time, .timeNamespace), (.pid, .container),
        ] as [(NamespaceKind, DeviceEnvironment.Finding)])
    func namespaces(kind: NamespaceKind, finding: DeviceEnvironment.Finding) {
        var system = MadeUpSystem.laptop()
        system.namespaces[kind] = .other
        #expect(system.environment.findings == [finding])
    }

    @Test("A user namespace that nothing tells is one; the others are then told by it")
    func untoldNamespaces() {
        var system = MadeUpSystem.laptop()
        system.namespaces = [:]
        #expect(system.environment.findings == [.userNamespace])
        system.namespaces = [.user: .initial]
        #expect(system.environment.findings == [])
    }

    @Test(
        "The administrator is believed where /etc is this device's own",
        arguments: DeviceEnvironment.Finding.allCases)
    func administrator(finding: DeviceEnvironment.Finding) {
        let isBelieved = [.wsl, .timeNamespace, .virtualMachine].contains(finding)
        #expect(DeviceEnvironment([finding]).believesAdministrator == isBelieved)
        #expect(DeviceEnvironment().believesAdministrator)
    }

    @Test("The kernel tells of each kind what this system's own links tell")
    func thisSystem() throws {
        let initial: [NamespaceKind: Int] = [
            .user: 4_026_531_837, .pid: 4_026_531_836, .time: 4_026_531_834,
        ]
        for (kind, inode) in initial {
            let link = try? FileManager.default.destinationOfSymbolicLink(
                atPath: "/proc/self/ns/\(kind.rawValue)")
            let isInitial = link == nil || link == "\(kind.rawValue):[\(inode)]"
            #expect(readNamespace(kind) == (isInitial ? .initial : .other))
        }
    }

    @Test("Findings stand in the order in which they are named")
    func order() {
        #expect(
            DeviceEnvironment(DeviceEnvironment.Finding.allCases.reversed()).findings.map(\.name)
                == [
                    "wsl", "container", "user-namespace", "time-namespace", "virtual-machine",
                    "unreadable",
                ])
    }
}

@Suite struct RemoteLoginTests {
    /// Processes from this one's parent up: (name, id); the last one's parent is `root`.
    private func system(_ ancestors: [(String, Int)], root: Int = 0) -> MadeUpSystem {
        var system = MadeUpSystem()
        system.namespaces[.pid] = .initial
        system["/proc/self/stat"] = "999 (softtoken) R \(ancestors.first?.1 ?? root) 999 999 0\n"
        for (index, (name, id)) in ancestors.enumerated() {
            let parent = index + 1 < ancestors.count ? ancestors[index + 1].1 : root
            system["/proc/\(id)/stat"] = "\(id) (\(name)) S \(parent) \(id) \(id) 0 -1\n"
        }
        return system
    }

    @Test(
        "A login over the network is found among the ancestors",
        arguments: [
            "sshd", "sshd-session", "dropbear", "mosh-server", "telnetd", "in.telnetd",
            "tailscaled", "ttyd", "xrdp", "xrdp-sesman", "xrdp-sesexec", "Xvnc", "Xtigervnc",
            "x11vnc", "waypipe",
        ])
    func servers(name: String) {
        let tree = system([("bash", 50), (name, 40), ("sshd", 30), ("systemd", 1)]).tree
        #expect(isRemoteLogin(sshConnection: nil, tree: tree) == true)
        let container = system([("bash", 50), (name, 1)]).tree
        #expect(isRemoteLogin(sshConnection: nil, tree: container) == true)
    }

    @Test(
        "A session that logind calls remote is, whatever its ancestors",
        arguments: [
            "0::/user.slice/user-1000.slice/session-c12.scope\n",
            "0::/user.slice/user-1000.slice/session-c12.scope/tmux\n",
            "12:pids:/user.slice\n1:name=systemd:/user.slice/user-1000.slice/session-c12.scope\n",
        ])
    func sessions(groups: String) {
        var system = system([("bash", 50), ("init", 1)])
        system["/proc/self/cgroup"] = groups
        #expect(isRemoteLogin(sshConnection: nil, tree: system.tree) == false)
        let state = "# This is private data. Do not parse.\nUID=1000\nACTIVE=1\n"
        system["/run/systemd/sessions/c12"] = state + "REMOTE=0\nTYPE=wayland\n"
        #expect(isRemoteLogin(sshConnection: nil, tree: system.tree) == false)
        system["/run/systemd/sessions/c12"] = state + "REMOTE=1\nTYPE=tty\n"
        #expect(isRemoteLogin(sshConnection: nil, tree: system.tree) == true)
        #expect(isRemoteLogin(sshConnection: nil, tree: MadeUpSystem().tree) == nil)
    }

    @Test(
        "What only resembles a session's scope is none",
        arguments: [
            "0::/user.slice/user@1000.service/app.slice\n", "0::/\n", "0::/session-.scope\n",
            "0::/session-..scope\n", "0::/my-session-1.scope\n", "0::/session-1.slice\n",
        ])
    func otherScopes(groups: String) { #expect(loginSession(in: groups) == nil) }

    @Test("A login at this device is told to be one")
    func local() {
        let tree = system([("bash", 50), ("gnome-terminal-", 40), ("systemd", 1)]).tree
        #expect(isRemoteLogin(sshConnection: nil, tree: tree) == false)
    }

    @Test(
        "SSH_CONNECTION alone is enough, whatever it says",
        arguments: ["", "10.0.0.1 5 10.0.0.2 22"])
    func variable(value: String) {
        #expect(isRemoteLogin(sshConnection: value, tree: MadeUpSystem().tree) == true)
    }

    @Test(
        "A name that only holds a server's is not one",
        arguments: [
            "sshd-keygen", "my sshd", "sshd) S 1 (x", "(sshd)",
        ])
    func otherNames(name: String) {
        let tree = system([("bash", 50), (name, 40), ("init", 1)]).tree
        #expect(isRemoteLogin(sshConnection: nil, tree: tree) == false)
    }

    @Test("It can't be told where a step can't be read")
    func unreadable() {
        var hidden = system([("bash", 50), ("x", 40), ("init", 1)])
        hidden["/proc/40/stat"] = nil
        #expect(isRemoteLogin(sshConnection: nil, tree: hidden.tree) == nil)
        #expect(isRemoteLogin(sshConnection: nil, tree: MadeUpSystem().tree) == nil)
    }

    @Test("It can't be told where an ancestor lies outside of the pid namespace")
    func outside() {
        #expect(isRemoteLogin(sshConnection: nil, tree: system([("bash", 50)]).tree) == nil)
        #expect(isRemoteLogin(sshConnection: nil, tree: system([]).tree) == nil)
        var contained = system([("bash", 50), ("sh", 1)])
        contained.namespaces[.pid] = .other
        #expect(isRemoteLogin(sshConnection: nil, tree: contained.tree) == nil)
    }

    @Test("The walk ends after 64 steps, loop or not")
    func bounded() {
        let loop = system([("a", 50), ("b", 40)], root: 50).tree
        #expect(isRemoteLogin(sshConnection: nil, tree: loop) == nil)
        func depth(_ count: Int) -> Bool? {
            let chain = (0..<count - 1).map { ("sh", 5000 - $0) } + [("init", 1)]
            return isRemoteLogin(sshConnection: nil, tree: system(chain).tree)
        }
        #expect(depth(64) == false)
        #expect(depth(65) == nil)
    }

    @Test(
        "A status that isn't one is none",
        arguments: [
            "", "1 init S 0", "1 )init( S 0", "1 (init)", "1 (init) S", "1 (init) S x",
            "1 (init) S -1",
        ])
    func statuses(text: String) {
        #expect(ProcessStatus(stat: Array(text.utf8)) == nil)
    }
}
