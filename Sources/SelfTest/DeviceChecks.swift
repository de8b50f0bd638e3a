// A keystore opens where it was made, whole, and nowhere else. Bound by DESIGN §3 and CONTRACT §2.
internal import Linux

let deviceChecks: [Check] = [
    Check("a keystore without this device's key is another device's") {
        (bench, home) throws(SystemError) in
        let copy = try bench.copy(of: home, named: "without-state")
        for file in systemFolderNames(copy.state) {
            _ = try removeUserFile("\(copy.state)/\(file)")
        }
        return try told(copy, 82)
    },
    Check("under another machine-id it is another device's") { (bench, home) throws(SystemError) in
        let copy = try bench.copy(of: home, named: "other-machine")
        let other = copy.path + "/machine-id"
        try replaceUserFile(other, bytes: Array("0123456789abcdef0123456789abcdef\n".utf8))
        guard isSystemPathPresent("/usr/bin/unshare"), isSystemPathPresent("/etc/machine-id") else {
            return .skipped("needs unshare(1) and a machine-id")
        }
        let script = "mount --bind '\(other)' /etc/machine-id && exec '\(ownProgram)' show --once"
        let end = try copy.start(
            "/usr/bin/unshare", ["--map-root-user", "--mount", "/bin/sh", "-c", script],
            [Home.pin]
        ).end()
        guard end.complaint.holds("softtoken:") else {
            return .skipped("this system lets nobody bind another machine-id")
        }
        return .init(end.code == 82 && !end.holdsOTP, "exit \(end.code)")
    },
    Check("a flipped bit is damage, and not a wrong PIN") { (bench, home) throws(SystemError) in
        let copy = try bench.copy(of: home, named: "flipped")
        try copy.change(copy.data + "/keystore") { bytes in bytes[bytes.count / 2] ^= 1 }
        return try told(copy, 65)
    },
]

private func told(_ home: Home, _ code: Int32) throws(SystemError) -> Check.Finding {
    let end = try home.show(Home.pin)
    return .init(end.code == code && !end.holdsOTP, "exit \(end.code)")
}
