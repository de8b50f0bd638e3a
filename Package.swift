// swift-tools-version:6.2
// SoftToken: the house, floor by floor. Imports point down only; .ci/check-imports holds them to it.
import PackageDescription

/// Every target is held to the same rules; `unsafe` is a word the compiler demands.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableExperimentalFeature("Lifetimes"),
    .treatAllWarnings(as: .error),
]
let tests: [SwiftSetting] = [.swiftLanguageMode(.v6), .enableExperimentalFeature("Lifetimes")]
let argumentParser = Target.Dependency.product(
    name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "softtoken",
    products: [
        .library(name: "SoftTokenCore", targets: ["SoftTokenCore"]),
        .executable(name: "softtoken", targets: ["softtoken"]),
        .executable(name: "softtoken-issuer", targets: ["softtoken-issuer"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2")
    ],
    targets: [
        // Floor 0: arithmetic without secrets, and the operating system.
        .target(name: "OTP", swiftSettings: strict),
        .target(name: "CLinux"),
        .target(name: "Linux", dependencies: ["CLinux"], swiftSettings: strict),
        // Floor 1: the security kernel.
        .systemLibrary(
            name: "CSodium", path: "Keystore/CSodium", pkgConfig: "libsodium",
            providers: [.apt(["libsodium-dev"])]),
        .systemLibrary(
            name: "CNettle", path: "Keystore/CNettle", pkgConfig: "nettle",
            providers: [.apt(["nettle-dev"])]),
        .systemLibrary(
            name: "CHogweed", path: "Keystore/CHogweed", pkgConfig: "hogweed",
            providers: [.apt(["nettle-dev", "libgmp-dev"])]),
        .target(
            name: "Keystore",
            dependencies: ["OTP", "Linux", "CLinux", "CSodium", "CNettle", "CHogweed"],
            path: "Keystore",
            exclude: ["CSodium", "CNettle", "CHogweed", "FORMAT.md", "Vectors"],
            swiftSettings: strict),
        // Floor 2: links and devices.
        .target(
            name: "Activation", dependencies: ["OTP", "Linux", "Keystore"], exclude: ["FORMAT.md"],
            swiftSettings: strict),
        // The issuer's own, above links; softtoken has no way here.
        .target(
            name: "KeystoreIssuer",
            dependencies: ["OTP", "Linux", "Keystore", "Activation", "CSodium", "CNettle"],
            swiftSettings: strict),
        .target(
            name: "Device", dependencies: ["Linux", "Keystore"], exclude: ["FORMAT.md"],
            swiftSettings: strict),
        // Floor 3: the one public door.
        .target(
            name: "SoftTokenCore",
            dependencies: ["OTP", "Linux", "Keystore", "Activation", "Device"],
            swiftSettings: strict),
        // What argument-parser uses of Foundation: in the release programs it is used instead.
        .target(name: "ParserFoundation", swiftSettings: strict),
        // What both programs say of themselves.
        .target(
            name: "ProgramSupport",
            dependencies: [
                "SoftTokenCore", "Activation", "Linux", "ParserFoundation", argumentParser,
            ],
            swiftSettings: strict),
        .target(
            name: "SelfTest", dependencies: ["SoftTokenCore", "Linux"], swiftSettings: strict),
        // Floor 4: the programs. softtoken is outside of the package: it sees what is public, which is
        // the door, and of Linux what a program needs (terminal, signals, files of its user's).
        .executableTarget(
            name: "softtoken",
            dependencies: ["SoftTokenCore", "ProgramSupport", "SelfTest", "Linux", argumentParser],
            exclude: ["Manual"], packageAccess: false, swiftSettings: strict),
        .systemLibrary(
            name: "CExpat", path: "Sources/softtoken-issuer/CExpat", pkgConfig: "expat",
            providers: [.apt(["libexpat1-dev"])]),
        .systemLibrary(
            name: "CSQLite", path: "Sources/softtoken-issuer/CSQLite", pkgConfig: "sqlite3",
            providers: [.apt(["libsqlite3-dev"])]),
        .executableTarget(
            name: "softtoken-issuer",
            dependencies: [
                "ProgramSupport", "SoftTokenCore", "OTP", "Linux", "CLinux", "Keystore",
                "KeystoreIssuer",
                "Activation", "Device", "CExpat", "CSQLite", argumentParser,
            ],
            exclude: ["CExpat", "CSQLite", "Manual", "RECORDS.md"], swiftSettings: strict),
        // The reader of Keystore/Vectors, which two floors' tests share.
        .target(name: "VectorFiles", path: "Tests/VectorFiles", swiftSettings: tests),
        .testTarget(name: "OTPTests", dependencies: ["OTP"], swiftSettings: tests),
        .testTarget(name: "LinuxTests", dependencies: ["Linux"], swiftSettings: tests),
        .testTarget(
            name: "KeystoreTests",
            dependencies: ["Keystore", "KeystoreIssuer", "OTP", "Linux", "VectorFiles"],
            exclude: ["DoesNotCompile"], swiftSettings: tests),
        .testTarget(
            name: "ActivationTests",
            dependencies: ["Activation", "Keystore", "KeystoreIssuer", "Linux", "OTP"],
            exclude: ["Vectors", "Mails", "make_vectors.py", "make_mails.py"],
            swiftSettings: tests),
        .testTarget(
            name: "DeviceTests", dependencies: ["Device", "Keystore", "Linux"],
            exclude: ["Vectors", "make_vectors.py"], swiftSettings: tests),
        .testTarget(
            name: "SoftTokenCoreTests",
            dependencies: [
                "SoftTokenCore", "Keystore", "KeystoreIssuer", "Activation", "Device", "Linux",
                "OTP", "VectorFiles",
            ], swiftSettings: tests),
        .testTarget(
            name: "softtokenTests",
            dependencies: ["softtoken", "SoftTokenCore", "ProgramSupport", "ParserFoundation"],
            swiftSettings: tests),
        .testTarget(
            name: "IssuerTests",
            dependencies: [
                "softtoken-issuer", "Activation", "Keystore", "KeystoreIssuer", "Linux", "OTP",
                "ProgramSupport", "SoftTokenCore",
            ], swiftSettings: tests),
    ])

// The fuzzer and the benchmark are built only when asked for (.ci/fuzz, .ci/bench), so that ordinary
// builds don't carry them.
if Context.environment["SOFTTOKEN_FUZZ"] != nil {
    // The readers of softtoken-issuer as a library: an executable can't be imported by another.
    package.products = []
    package.targets.removeAll { $0.name == "softtoken-issuer" || $0.type == .test }
    package.targets += [
        .target(
            name: "IssuerReaders",
            dependencies: [
                "OTP", "Linux", "Keystore", "KeystoreIssuer", "Activation", "SoftTokenCore",
                "CExpat",
            ],
            path: "Sources/softtoken-issuer", exclude: ["CExpat", "CSQLite", "RECORDS.md"],
            sources: [
                "CSV/CSVReader.swift", "CSV/Dates.swift",
                "Messages.swift", "PSKC/KeyFailures.swift", "PSKC/KnownElements.swift",
                "PSKC/OTPCheck.swift",
                "PSKC/PSKCContainer.swift", "PSKC/PSKCKeyPackage.swift", "PSKC/PSKCKeyring.swift",
                "PSKC/PSKCPolicy.swift",
                "PSKC/PSKCProtection.swift", "PSKC/RecordsProtection.swift",
                "PSKC/RecordEdit.swift", "PSKC/UserID.swift",
                "PSKC/XMLElement.swift", "PSKC/XMLEncoding.swift", "PSKC/XMLReader.swift",
            ], swiftSettings: strict),
        .executableTarget(
            name: "softtoken-fuzz",
            dependencies: [
                "OTP", "Linux", "Keystore", "Activation", "Device", "SoftTokenCore",
                "IssuerReaders", "KeystoreIssuer",
            ],
            path: "Tests/Fuzz", swiftSettings: tests),
    ]
}
if Context.environment["SOFTTOKEN_BENCH"] != nil {
    package.targets += [
        .systemLibrary(
            name: "COath", path: "Tests/Benchmarks/COath", pkgConfig: "liboath",
            providers: [.apt(["liboath-dev"])]),
        .executableTarget(
            name: "softtoken-bench",
            dependencies: ["OTP", "Linux", "Keystore", "KeystoreIssuer", "Activation", "COath"],
            path: "Tests/Benchmarks",
            exclude: ["COath", "rest.py", "runs.py", "store.py", "table.py"], swiftSettings: tests),
    ]
}
