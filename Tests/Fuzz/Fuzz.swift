// The fuzzer: one program, a target for each format that comes from outside. Each target checks what
// must hold for whatever is accepted, not only that nothing crashes. Run by .ci/fuzz:
//   softtoken-fuzz list
//   softtoken-fuzz seeds PACKAGE FOLDER
//   softtoken-fuzz TARGET [LIBFUZZER OPTION…] [FOLDER…]
import Glibc

/// One format and what must hold for it.
struct FuzzTarget: Sendable {
    let name: String
    /// Tries one input.
    let attempt: @Sendable ([UInt8]) -> Void
}

let allTargets: [FuzzTarget] =
    linkTargets + chipTargets + jsonTargets + recordTargets + keystoreTargets + stateTargets
    + logTargets
    + issuerTargets

/// Ends the process, so that libFuzzer keeps the input, unless the property holds.
func require(_ holds: @autoclosure () -> Bool, _ property: StaticString) {
    guard !holds() else { return }
    fatalError("broken property: \(property)")
}

private typealias Callback = @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
    _ callback: Callback
) -> Int32

/// The target that this process runs; set once, before the first input.
nonisolated(unsafe) private var chosen: FuzzTarget?

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    chosen?.attempt(Array(UnsafeBufferPointer(start: bytes, count: count)))
    return 0
}

// SwiftPM links an executable with `main` defined as its module's own.
@_cdecl("softtoken_fuzz_main")
public func fuzzMain(
    _ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> Int32 {
    guard count > 1, let arguments, let word = arguments[1] else { return usage() }
    switch String(cString: word) {
    case "list":
        for target in allTargets { print(target.name) }
        return 0
    case "seeds":
        guard count == 4, let package = arguments[2], let folder = arguments[3] else {
            return usage()
        }
        writeSeeds(ofPackage: String(cString: package), to: String(cString: folder))
        return 0
    case let name:
        guard let target = allTargets.first(where: { $0.name == name }) else { return usage() }
        chosen = target
        // libFuzzer gets the same arguments without the target's name.
        arguments[1] = arguments[0]
        var rest: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = arguments + 1
        var restCount = count - 1
        return runDriver(&restCount, &rest, fuzzOneInput)
    }
}

private func usage() -> Int32 {
    print("usage: softtoken-fuzz list | seeds PACKAGE FOLDER | TARGET [OPTION…] [FOLDER…]")
    return 64
}

/// Bytes taken from the front of an input.
struct InputReader {
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    /// The next byte; 0 at the end.
    mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

    /// The next bytes, with zeros after the end.
    mutating func bytes(_ count: Int) -> [UInt8] {
        let taken = Array(rest.prefix(count))
        rest = rest.dropFirst(count)
        return taken + [UInt8](repeating: 0, count: count - taken.count)
    }

    mutating func integer() -> UInt64 { bytes(8).reduce(0) { $0 << 8 | UInt64($1) } }
}
