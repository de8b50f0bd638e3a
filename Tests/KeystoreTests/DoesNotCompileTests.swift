// STYLE 7, 8, 20: what the types promise must not compile. Each fragment in DoesNotCompile/ names the
// diagnostic that it has to cause; `control` compiles, so that a broken set-up can't pass for a
// promise. They are compiled up to the ownership checks, which `-typecheck` leaves out, and with
// `@testable`, so that not even the module's own files could do it.
import Foundation
import Testing

@Suite("What does not compile", .enabled(if: Compiler.isThere))
struct DoesNotCompileTests {
    static let fragments: [String] =
        (try? FileManager.default.contentsOfDirectory(atPath: Compiler.fragments.path)
            .filter { $0.hasSuffix(".swift.txt") }.sorted()) ?? []

    @Test("The control compiles")
    func control() throws {
        #expect(DoesNotCompileTests.fragments.count >= 16)
        let (status, text) = try Compiler.compile("control.swift.txt")
        #expect(status == 0, "\(text)")
    }

    @Test("The fragment is rejected for its own reason", arguments: fragments)
    func fragment(name: String) throws {
        guard name != "control.swift.txt" else { return }
        let source = try String(
            contentsOf: Compiler.fragments.appending(path: name), encoding: .utf8)
        let mark = "// expected: "
        let first = try #require(source.split(separator: "\n").first)
        try #require(first.hasPrefix(mark))
        let (status, text) = try Compiler.compile(name)
        #expect(status != 0, "it compiles")
        let errors = text.split(separator: "\n").filter { $0.contains(" error: ") }
        #expect(errors.contains { $0.contains(first.dropFirst(mark.count)) }, "\(text)")
    }
}

private enum Compiler {
    static let fragments = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "DoesNotCompile")

    /// Where the built modules lie: beside the test bundle, which is this process's program.
    private static let products: URL? = {
        let programs =
            [URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()]
            + CommandLine.arguments.map { URL(filePath: $0) }
        return programs.map { $0.deletingLastPathComponent() }.first {
            FileManager.default.fileExists(
                atPath: $0.appending(path: "Modules/Keystore.swiftmodule").path)
        }
    }()

    static let isThere: Bool = {
        if products == nil { print("no built modules beside the test bundle: nothing is compiled") }
        return products != nil
    }()

    static func compile(_ name: String) throws -> (status: Int32, text: String) {
        let products = try #require(products)
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "softtoken-fragment-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let source = folder.appending(path: "Fragment.swift")
        try FileManager.default.copyItem(at: fragments.appending(path: name), to: source)
        let maps = [
            products.appending(path: "CLinux.build/module.modulemap"),
            packageRoot.appending(path: "Keystore/CSodium/module.modulemap"),
            packageRoot.appending(path: "Keystore/CNettle/module.modulemap"),
            packageRoot.appending(path: "Keystore/CHogweed/module.modulemap"),
        ]
        return try run(
            [
                "swiftc", "-emit-sil", "-o", "/dev/null", "-parse-as-library", "-swift-version",
                "6",
                "-enable-experimental-feature", "Lifetimes", "-module-cache-path",
                folder.appending(path: "cache").path, "-I",
                products.appending(path: "Modules").path,
            ] + maps.flatMap { ["-Xcc", "-fmodule-map-file=\($0.path)"] } + [source.path])
    }
}

/// Runs a program of the PATH, and gives its exit code and all that it wrote.
func run(_ command: [String]) throws -> (status: Int32, text: String) {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = command
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: data, as: UTF8.self))
}
