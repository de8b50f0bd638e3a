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

    @Test("A user namespace that nothing tells is one; another kind is unreadable")
    func untoldNamespaces() {
        var system = MadeUpSystem.laptop()
        system.namespaces = [:]
        #expect(system.environment.findings == [.userNamespace])
        for kind in [NamespaceKind.pid, .time] {
            system = .laptop()
            system.namespaces[kind] = .unknown
            #expect(system.environment.findings == [.unreadable])
        }
    }

    @Test("A filter that came with the process is found, but for a container's that root made")
    func filters() {
        var system = MadeUpSystem.laptop()
        for isFiltered in [true, nil] {
            system.isFiltered = isFiltered
            system.namespaces[.pid] = .initial
            #expect(system.environment.findings == [.filtered])
            system.namespaces[.pid] = .other
            #expect(system.environment.findings == [.container])
            system.namespaces[.user] = .other
            #expect(system.environment.findings == [.container, .userNamespace, .filtered])
            system.namespaces[.user] = .initial
        }
    }

    @Test("What the caller can have made up: attested at each use, and no administrator's word")
    func madeUp() {
        let found = DeviceEnvironment.Finding.allCases.filter {
            DeviceEnvironment([$0]).canBeMadeUp
        }
        #expect(found == [.userNamespace, .filtered, .unreadable])
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
            DeviceEnvironment(DeviceEnvironment.Finding.allCases.reversed()).findings.map(
                \.rawValue)
                == [
                    "wsl", "container", "user-namespace", "filtered", "time-namespace",
                    "virtual-machine", "unreadable",
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
            "x11vnc", "waypipe", "vncsession", "tigervncsession", "xpra", "gotty", "shellinaboxd",
            "tinysshd", "x2goagent", "nxagent", "nxnode.bin", "cockpit-bridge", "cockpit-session",
            "etserver", "etterminal", "rlogind", "in.rlogind", "rshd", "in.rshd",
        ])
    func servers(name: String) {
        let tree = system([("bash", 50), (name, 40), ("sshd", 30), ("systemd", 1)]).tree
        #expect(loginPlace(sshConnection: nil, tree: tree) == .remote)
        let container = system([("bash", 50), (name, 1)]).tree
        #expect(loginPlace(sshConnection: nil, tree: container) == .remote)
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
        #expect(loginPlace(sshConnection: nil, tree: system.tree) == .atDevice)
        let state = "# This is private data. Do not parse.\nUID=1000\nACTIVE=1\n"
        system["/run/systemd/sessions/c12"] = state + "REMOTE=0\nTYPE=wayland\n"
        #expect(loginPlace(sshConnection: nil, tree: system.tree) == .atDevice)
        system["/run/systemd/sessions/c12"] = state + "REMOTE=1\nTYPE=tty\n"
        #expect(loginPlace(sshConnection: nil, tree: system.tree) == .remote)
        #expect(loginPlace(sshConnection: nil, tree: MadeUpSystem().tree) == .untold)
    }

    @Test(
        "What only resembles a session's scope is none",
        arguments: [
            "0::/\n", "0::/session-.scope\n", "0::/session-..scope\n",
            "0::/my-session-1.scope\n", "0::/session-1.slice\n", "0::/user@.service\n",
            "0::/user@1.slice\n", "0::/user@../.service\n",
        ])
    func otherScopes(groups: String) { #expect(LoginGroup(cgroup: groups) == nil) }

    @Test("A login at this device is told to be one")
    func local() {
        let tree = system([("bash", 50), ("gnome-terminal-", 40), ("systemd", 1)]).tree
        #expect(loginPlace(sshConnection: nil, tree: tree) == .atDevice)
    }

    @Test(
        "SSH_CONNECTION alone is enough, whatever it says",
        arguments: ["", "10.0.0.1 5 10.0.0.2 22"])
    func variable(value: String) {
        #expect(loginPlace(sshConnection: value, tree: MadeUpSystem().tree) == .remote)
    }

    @Test(
        "A name that only holds a server's is not one",
        arguments: [
            "sshd-keygen", "my sshd", "sshd) S 1 (x", "(sshd)",
        ])
    func otherNames(name: String) {
        let tree = system([("bash", 50), (name, 40), ("init", 1)]).tree
        #expect(loginPlace(sshConnection: nil, tree: tree) == .atDevice)
    }

    @Test("It can't be told where a step can't be read")
    func unreadable() {
        var hidden = system([("bash", 50), ("x", 40), ("init", 1)])
        hidden["/proc/40/stat"] = nil
        #expect(loginPlace(sshConnection: nil, tree: hidden.tree) == .untold)
        #expect(loginPlace(sshConnection: nil, tree: MadeUpSystem().tree) == .untold)
    }

    @Test("In a container whoever is beyond the pid namespace is not seen")
    func outside() {
        for ancestors in [[("bash", 50)], [], [("bash", 50), ("sh", 1)]] {
            var contained = system(ancestors)
            contained.namespaces[.pid] = .other
            #expect(loginPlace(sshConnection: nil, tree: contained.tree) == .container)
            contained.namespaces[.pid] = .unknown
            #expect(loginPlace(sshConnection: nil, tree: contained.tree) == .untold)
        }
    }

    /// In a terminal of a desktop, which the user's manager started.
    private func terminal(_ sessions: String, _ state: [String: String]) -> MadeUpSystem {
        var system = system([("bash", 50), ("systemd", 40), ("systemd", 1)])
        system["/proc/self/cgroup"] =
            "0::/user.slice/user-1000.slice/user@1000.service/app.slice/vte-spawn-1.scope\n"
        system["/run/systemd/users/1000"] = "NAME=bob\nSTATE=active\n\(sessions)"
        for (name, text) in state { system["/run/systemd/sessions/\(name)"] = text }
        return system
    }

    @Test(
        "A desktop's terminal belongs to the session that logind calls the user's display",
        arguments: [
            ("DISPLAY=c3\nSESSIONS=c3\n", ["c3": "REMOTE=1\n"], LoginPlace.remote),
            ("DISPLAY=c3\nSESSIONS=5 c3\n", ["c3": "REMOTE=0\n", "5": "REMOTE=1\n"], .atDevice),
            ("DISPLAY=c3\nSESSIONS=5 c3\n", ["c3": "REMOTE=1\n", "5": "REMOTE=0\n"], .remote),
            ("SESSIONS=5 6\n", ["5": "REMOTE=0\n", "6": "REMOTE=1\n"], .remote),
            ("SESSIONS=5\n", ["5": "REMOTE=0\n"], .atDevice),
            ("DISPLAY=c3\n", [:], .atDevice), ("DISPLAY=../c3\n", [:], .atDevice),
            ("", [:], .atDevice),
        ])
    func desktops(sessions: String, state: [String: String], place: LoginPlace) {
        #expect(loginPlace(sshConnection: nil, tree: terminal(sessions, state).tree) == place)
    }

    @Test(
        "Where /proc hides the ancestors logind's word is enough, and without one it can't be told",
        arguments: [
            ("REMOTE=0\n", LoginPlace.atDevice), ("REMOTE=1\n", .remote), ("UID=1000\n", .untold),
        ])
    func hiddenProcesses(state: String, place: LoginPlace) {
        var system = terminal("DISPLAY=c3\n", ["c3": state])
        system["/proc/40/stat"] = nil
        #expect(loginPlace(sshConnection: nil, tree: system.tree) == place)
    }

    @Test(
        "What everyone may read and this process can't is not told, whatever else says",
        arguments: [
            "/proc/self/cgroup", "/run/systemd/users/1000", "/run/systemd/sessions/c3",
            "/proc/self/stat",
        ])
    func hiddenFiles(path: String) {
        var system = terminal("DISPLAY=c3\n", ["c3": "REMOTE=0\n"])
        system.unreadable = [path]
        #expect(loginPlace(sshConnection: nil, tree: system.tree) == .untold)
    }

    @Test("The walk ends after 64 steps, loop or not")
    func bounded() {
        let loop = system([("a", 50), ("b", 40)], root: 50).tree
        #expect(loginPlace(sshConnection: nil, tree: loop) == .untold)
        func depth(_ count: Int) -> LoginPlace {
            let chain = (0..<count - 1).map { ("sh", 5000 - $0) } + [("init", 1)]
            return loginPlace(sshConnection: nil, tree: system(chain).tree)
        }
        #expect(depth(64) == .atDevice)
        #expect(depth(65) == .untold)
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
