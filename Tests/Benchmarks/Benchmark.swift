// DESIGN §11's measures inside of one process, and of `show` with few and many tokens, as ratios in one
// run on one machine, interleaved with what they are compared with. Run by .ci/bench, whose table.py
// measures the rest:
//   softtoken-bench FOLDER        the folder of the release programs
// Each figure is a median; the minimum beside it tells how busy the machine was.
import Glibc

@main struct Benchmark {
    static func main() {
        guard CommandLine.arguments.count == 2 else {
            print("usage: softtoken-bench FOLDER")
            exit(64)
        }
        let program = CommandLine.arguments[1] + "/softtoken"
        do {
            let folder = try MadeUpHomes()
            defer { folder.remove() }
            try measureOTPs()
            try measureUnlock(folder.one)
            try measureShow(program, folder)
            try measureLinks()
        } catch {
            print("softtoken-bench: error: \(error)")
            exit(1)
        }
    }
}

/// DESIGN §11: `show --once` with 1,000 tokens takes 1.05 × what it takes with one, and 12 MiB
/// beyond the KDF's memory.
private func measureShow(_ program: String, _ homes: MadeUpHomes) throws {
    print("softtoken show --once (9 rounds)")
    let runs = [("with 1 token", homes.one, "1"), ("with 1,000 tokens", homes.many, "500")]
    var times: [[Double]] = [[], []]
    var peaks: [[Double]] = [[], []]
    for _ in 0..<9 {
        for (index, run) in runs.enumerated() {
            let child = try Child(
                [
                    program, "show", "--once", "--not-prescribing-device", "--pin-fd", "3",
                    tokenName(run.2),
                ], home: run.1.path, pin: homes.pin)
            times[index].append(child.seconds)
            peaks[index].append(Double(child.peakKibibytes) / 1024 - 256)
        }
    }
    let base = Figures(times[0])
    for (run, times) in zip(runs, times) {
        row(run.0, Figures(times), unit: "ms", scale: 1000, against: base)
    }
    for (run, peaks) in zip(runs, peaks) {
        row("peak beyond 256 MiB, " + run.0, Figures(peaks), unit: "MiB")
    }
}
