// swift-tools-version: 6.2
// The separation of pop3d and imapd, measured: see README.md. Builds against the real Connection and Kernel, by links.
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "separation",
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
    ],
    targets: [
        .target(name: "CLinux", linkerSettings: [.linkedLibrary("crypt"), .linkedLibrary("resolv")]),
        .target(name: "Kernel", dependencies: ["CLinux"], swiftSettings: strict),
        .target(
            name: "Connection",
            dependencies: [
                "Kernel", "CLinux", .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOTLS", package: "swift-nio"), .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ], swiftSettings: strict),
        .executableTarget(name: "separation", dependencies: ["Connection", "Kernel"], swiftSettings: strict),
    ]
)
