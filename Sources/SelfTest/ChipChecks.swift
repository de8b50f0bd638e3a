// With a chip a wrong PIN is counted where no file reaches. Bound by DESIGN §5.
internal import Linux

let chipChecks: [Check] = [
    Check("with every file put back the chip still counts, and closes") {
        (bench, _) throws(SystemError) in
        let home = bench.home("in-the-chip")
        let end = try home.activate(SampleLink.three, protector: "tpm2")
        guard end.code != 69 else { return .skipped("no TPM that this user can use") }
        var codes = [end.code]
        for number in 1...3 {
            let copy = try bench.copy(of: home, named: "in-the-chip-\(number)")
            codes.append(try copy.show(Home.wrongPIN).code)
        }
        codes.append(try home.show(Home.pin).code)
        // The closed gate is gone with that; where it wasn't closed, it goes now.
        _ = try home.run(["reset", "--yes"])
        return .init(
            codes == [0, 77, 77, 77, 83],
            "exit \(codes.map(String.init).joined(separator: ", "))")
    }
]
