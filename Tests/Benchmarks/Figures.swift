// Medians and minima of what was measured, and how they are printed.
import Glibc

struct Figures {
    let median: Double
    let minimum: Double

    init(_ values: [Double]) {
        let sorted = values.sorted()
        median = sorted[sorted.count / 2]
        minimum = sorted[0]
    }
}

/// A line of the report; with `base`, the ratios of medians and of minima too.
func row(
    _ name: String, _ figures: Figures, unit: String, scale: Double = 1,
    against base: Figures? = nil
) {
    var text = "  " + name + String(repeating: " ", count: max(1, 42 - name.count))
    text += "median \(rounded(figures.median * scale)) \(unit)"
    text += ", least \(rounded(figures.minimum * scale)) \(unit)"
    if let base {
        text += ", ratio \(rounded(figures.median / base.median))"
        text += " (of the least \(rounded(figures.minimum / base.minimum)))"
    }
    print(text)
}

func rounded(_ number: Double) -> String {
    guard number < 100 else { return String(Int(number.rounded())) }
    let hundredths = Int((abs(number) * 100).rounded())
    let fraction = String(hundredths % 100 + 100).dropFirst()
    return (number < 0 ? "-" : "") + "\(hundredths / 100).\(fraction)"
}

/// The seconds of processor time that this process has used.
func processorSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// The seconds that the body took.
func seconds(_ body: () throws -> Void) rethrows -> Double {
    let duration = try ContinuousClock().measure(body)
    return Double(duration.components.seconds)
        + Double(duration.components.attoseconds) / 1e18
}
