// A PIN is counted before it is tried, delayed from the fifth wrong one on, and the last one erases.
// Bound by DESIGN §1.5, §4.
internal import Linux

let attemptChecks: [Check] = [
    Check("a right PIN gives a one-time password") { (_, home) throws(SystemError) in
        let end = try home.show(Home.pin)
        let isOTP =
            end.output.count == 7 && end.output.dropLast().allSatisfy { (0x30...0x39).contains($0) }
        return .init(end.code == 0 && isOTP, "exit \(end.code), \(end.output.count - 1) digits")
    },
    Check("a malformed PIN costs no attempt") { (bench, home) throws(SystemError) in
        let copy = try bench.copy(of: home, named: "malformed")
        let end = try copy.show("12a4")
        let left = try copy.attemptsLeft()
        return .init(end.code == 64 && left == 10, "exit \(end.code), \(words(left))")
    },
    Check("a wrong PIN is counted") { (bench, home) throws(SystemError) in
        let copy = try bench.copy(of: home, named: "wrong")
        let end = try copy.show(Home.wrongPIN)
        let left = try copy.attemptsLeft()
        return .init(
            end.code == 77 && left == 9 && !end.holdsOTP, "exit \(end.code), \(words(left))")
    },
    Check("killed while the key is derived, a PIN is neither tried nor counted") {
        (bench, home) throws(SystemError) in
        let copy = try bench.copy(of: home, named: "killed-in-kdf")
        var wasSeen = false
        let end = try copy.start(Home.showing, answers: [Home.pin]).killed { resident in
            // Argon2id has 256 MiB; nothing else has a quarter of that.
            wasSeen = resident > 64 << 20
            return wasSeen
        }
        guard wasSeen else { return .skipped("the moment was not met") }
        let left = try copy.attemptsLeft()
        return .init(
            !end.holdsOTP && left == 10, "exit \(end.code), no one-time password, \(words(left))")
    },
    Check("the count is on the disk before the PIN is tried") {
        (bench, home) throws(SystemError) in
        // Killed as soon as the first record is in place, the right PIN has to have cost an attempt.
        // Where the kill came when the count was set back already, another round tells.
        for round in 1...20 {
            let copy = try bench.copy(of: home, named: "killed-at-count-\(round)")
            let watch = try FolderWatch(copy.state)
            let end = try copy.start(Home.showing, answers: [Home.pin]).killed { _ in
                watch.wasMoved(to: "attempts")
            }
            let left = try copy.attemptsLeft()
            guard end.holdsOTP || left == 10 else {
                return .init(end.code == 137 && left == 9, "exit \(end.code), \(words(left))")
            }
        }
        return .failed("in no round it was counted before the one-time password was there")
    },
    Check("from the fifth wrong PIN on a delay is in force, for the right one, too") {
        (bench, home) throws(SystemError) in
        let copy = try bench.copy(of: home, named: "delay")
        for _ in 1...5 { _ = try copy.show(Home.wrongPIN) }
        let end = try copy.show(Home.pin)
        let isDelayed = try copy.status(has: "\"keystore\":\"delayed\"")
        let left = try copy.attemptsLeft()
        return .init(
            end.code == 75 && isDelayed && left == 5, "exit \(end.code), \(words(left))")
    },
    Check("at the limit the keys are gone, and the right PIN no longer opens") {
        (bench, _) throws(SystemError) in
        let home = bench.home("limit")
        _ = try home.activate(SampleLink.three)
        let ends = try [Home.wrongPIN, Home.wrongPIN, Home.wrongPIN, Home.pin].map {
            (pin) throws(SystemError) in try home.show(pin).code
        }
        let left = [
            "\(home.data)/keystore", "\(home.state)/device-key", "\(home.state)/device-share",
        ]
        .filter(isSystemPathPresent)
        return .init(
            ends == [77, 77, 83, 83] && left.isEmpty,
            "exit \(ends.map(String.init).joined(separator: ", ")); "
                + (left.isEmpty ? "no key is left" : "left: \(left)"))
    },
    Check("an attempt record that is deleted leaves one attempt, and both leave none") {
        (bench, home) throws(SystemError) in
        let copy = try bench.copy(of: home, named: "deleted")
        _ = try removeUserFile(copy.state + "/attempts")
        let left = try copy.attemptsLeft()
        _ = try removeUserFile(copy.data + "/attempts")
        let end = try copy.show(Home.pin)
        return .init(left == 1 && end.code == 83, "\(words(left)); then exit \(end.code)")
    },
    Check("attempt records that are put back leave one attempt") {
        (bench, home) throws(SystemError) in
        let copy = try bench.copy(of: home, named: "put-back")
        let files = [copy.state + "/attempts", copy.data + "/attempts"]
        let before = try files.map { (file) throws(SystemError) in try readSystemFile(file) }
        for _ in 1...2 { _ = try copy.show(Home.wrongPIN) }
        for (file, bytes) in zip(files, before) { try replaceUserFile(file, bytes: bytes) }
        let left = try copy.attemptsLeft()
        return .init(left == 1, words(left))
    },
]

private func words(_ left: Int?) -> String {
    left.map { "\($0) attempt\($0 == 1 ? "" : "s") left" } ?? "no attempts told"
}
