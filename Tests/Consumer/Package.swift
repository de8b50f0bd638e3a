// swift-tools-version:6.2
// An app of its own, outside of the package: what is public is all that it has. DESIGN §2 ("The door
// is real").
import PackageDescription

let package = Package(
    name: "consumer",
    dependencies: [.package(name: "softtoken", path: "../..")],
    targets: [
        .executableTarget(
            name: "Consumer",
            dependencies: [.product(name: "SoftTokenCore", package: "softtoken")])
    ])
