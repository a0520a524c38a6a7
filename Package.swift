// swift-tools-version: 6.2
// The target list is the layer list: a target may depend on those of lower layers only (etc/dev/lint checks it).
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]
// Small generic code on bytes is everywhere; without this it runs unspecialised across targets, several times slower.
let optimised: [SwiftSetting] = strict + [.unsafeFlags(["-cross-module-optimization"], .when(configuration: .release))]
// What is tested is optimised; optimising the tests themselves costs more than all of their running.
let unoptimised: [SwiftSetting] = strict + [.unsafeFlags(["-Onone"], .when(configuration: .release))]

/// A library of ours: sources under `Sources/<name>`.
func library(_ name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = []) -> Target {
    .target(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: optimised)
}

/// A program: one folder, one `Main.swift` whose header says what it may do.
func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: optimised)
}

/// The tests of one target: `Tests/<name>Tests`, mirroring its sources.
func tests(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: name + "Tests", dependencies: [.init(stringLiteral: name), "MailTestKit"] + dependencies,
        path: "Tests/\(name)Tests", swiftSettings: unoptimised)
}

let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
    .product(name: "NIOTLS", package: "swift-nio"),
    .product(name: "NIOSSL", package: "swift-nio-ssl"),
]
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let cryptoExtras: Target.Dependency = .product(name: "CryptoExtras", package: "swift-crypto")

let package = Package(
    name: "martlet",
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-certificates", exact: "1.21.1"),
        .package(url: "https://github.com/apple/swift-asn1", exact: "1.7.4"),
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        .package(url: "https://github.com/LebJe/TOMLKit", exact: "0.6.0"),
    ],
    targets: [
        // L0: pure. No I/O, no clock, the standard library alone.
        library("MailModel"),
        library("MailFormat", ["MailModel"]),
        library("SASLProtocol"),
        library("SMTPProtocol", ["MailModel", "SASLProtocol"]),
        library("MilterProtocol", ["MailModel"]),
        library("POP3Protocol", ["MailModel", "SASLProtocol"]),
        library("IMAPProtocol", ["MailModel", "MailFormat", "SASLProtocol"]),
        library("SpoolFormat", ["MailModel"]),
        library("Audit", ["SpoolFormat", "MailModel"]),
        library("MailPolicy", ["SpoolFormat", "MailModel"]),

        // L1: the kernel of the operating system, as we use it.
        .target(name: "CLinux", linkerSettings: [.linkedLibrary("crypt"), .linkedLibrary("resolv")]),
        library("Kernel", ["CLinux"]),
        library("Sandbox", ["Kernel", "CLinux"]),

        // L2: what is on disk and in DNS.
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        library("Spool", ["Kernel", "SpoolFormat", "MailModel"]),
        library("Mailbox", ["Kernel", "MailModel", "MailFormat"]),
        library("Directory", ["Kernel", "MailModel", "SASLProtocol", "CSQLite", "CLinux", crypto, cryptoExtras]),
        library("DirectoryDatabase", ["Directory", "Kernel", "MailModel", "CSQLite", grdb, crypto]),
        library("Configuration", ["Kernel", "MailPolicy", "MailModel", .product(name: "TOMLKit", package: "TOMLKit")]),
        library("Resolver", ["Kernel", "MailPolicy", "MailModel", "CLinux"]),

        // L3: what each may do, how a daemon lives, and how it talks.
        library("Privileges", ["Sandbox", "Configuration", "Spool", "Kernel", "MailModel"]),
        library("Daemon", ["Kernel", "Sandbox", "Configuration", "Spool", "SpoolFormat", "MailModel",
                           .product(name: "Logging", package: "swift-log")]),
        library("Connection", ["Kernel", "CLinux", .product(name: "NIOHTTP1", package: "swift-nio")] + nio),
        library("Login", ["Daemon", "Privileges", "Connection", "Directory", "Mailbox", "Spool", "SpoolFormat", "Sandbox", "Configuration", "Kernel",
                          "MailModel", "SASLProtocol"]),

        // The programs.
        program("smtpd", ["Daemon", "Privileges", "Connection", "Spool", "SpoolFormat", "Directory", "Configuration", "Sandbox", "Kernel",
                          "SMTPProtocol", "SASLProtocol", "MilterProtocol", "MailPolicy", "MailModel", "MailFormat", "Resolver"]),
        program("queued", ["Daemon", "Privileges", "Spool", "SpoolFormat", "Directory", "Configuration", "Sandbox", "Kernel", "MailModel",
                           "MailFormat", crypto]),
        program("locald", ["Daemon", "Privileges", "Spool", "SpoolFormat", "Mailbox", "Configuration", "Sandbox", "Kernel", "MailModel"]),
        program("remoted", ["Daemon", "Privileges", "Connection", "Spool", "SpoolFormat", "Resolver", "Configuration", "Sandbox", "Kernel",
                            "SMTPProtocol", "SASLProtocol", "MailPolicy", "MailModel", "MailFormat",
                            .product(name: "X509", package: "swift-certificates"), .product(name: "SwiftASN1", package: "swift-asn1"), crypto]),
        program("pop3d", ["Login", "Daemon", "Connection", "Spool", "SpoolFormat", "Mailbox", "Directory", "Configuration", "Sandbox",
                          "Kernel", "POP3Protocol", "SASLProtocol", "MailModel"]),
        program("imapd", ["Login", "Daemon", "Connection", "Spool", "SpoolFormat", "Mailbox", "Directory", "Configuration", "Sandbox",
                          "Kernel", "IMAPProtocol", "SASLProtocol", "MailModel", "MailFormat"]),
        program("mailctl", ["Audit", "Spool", "SpoolFormat", "Directory", "DirectoryDatabase", "Configuration", "Kernel", "MailModel", "Mailbox",
                            "Connection", "Resolver", "MailPolicy",
                            .product(name: "ArgumentParser", package: "swift-argument-parser"),
                            .product(name: "X509", package: "swift-certificates"),
                            .product(name: "SwiftASN1", package: "swift-asn1"), crypto]),
        program("sendmail", ["Configuration", "Kernel", "MailModel", "MailFormat", "SpoolFormat"]),

        // The proof of what the programs may not do, and the only holder of the code that tries it.
        .target(name: "CProbe"),
        program("sandbox-probe", ["Privileges", "Sandbox", "Configuration", "Kernel", "CProbe"]),

        // Tests mirror the sources.
        tests("Kernel"),
        tests("MailModel"),
        tests("SpoolFormat", ["MailModel"]),
        tests("Audit", ["SpoolFormat", "MailModel"]),
        tests("MailPolicy", ["SpoolFormat", "MailModel"]),
        tests("Spool", ["Kernel", "SpoolFormat", "MailModel"]),
        tests("Directory", ["DirectoryDatabase", "Kernel", "MailModel", "SASLProtocol"]),
        tests("mailctl", ["Configuration", "Directory", "DirectoryDatabase", "Kernel", "MailModel", "Mailbox", "Spool", "SpoolFormat"]),
        tests("smtpd", ["Configuration", "Connection", "Daemon", "Directory", "Kernel", "MailModel", "MilterProtocol", "SMTPProtocol", "Spool", "SpoolFormat"]),
        tests("imapd", ["Mailbox", "IMAPProtocol"]),
        tests("IMAPProtocol", ["MailModel", "MailFormat", "SASLProtocol"]),
        tests("POP3Protocol", ["SASLProtocol"]),
        tests("MailFormat", ["MailModel"]),
        tests("Configuration", ["Kernel"]),
        tests("SMTPProtocol"),
        tests("MilterProtocol", ["MailModel"]),
        tests("SASLProtocol"),
        tests("Resolver", ["MailModel", "MailPolicy"]),
        tests("queued", ["Configuration", "Kernel", "MailModel", "Spool", "SpoolFormat"]),
        tests("remoted", ["Configuration", "Connection", "Kernel", "MailModel", "Spool", "SpoolFormat"]),
        tests("sendmail", ["Kernel", "MailModel", "SpoolFormat"]),
        tests("Connection", ["CLinux"]),
        tests("Sandbox", ["CLinux", "Kernel"]),
        tests("Mailbox", ["Kernel", "MailModel"]),
        .executableTarget(
            name: "confined-act", dependencies: ["Sandbox", "Kernel", "CLinux"], path: "Tests/ConfinedAct", swiftSettings: optimised),
        .testTarget(name: "ArchitectureTests", path: "Tests/ArchitectureTests", swiftSettings: unoptimised),
        .target(name: "MailTestKit", dependencies: [], path: "Tests/MailTestKit", swiftSettings: optimised),
    ]
)
