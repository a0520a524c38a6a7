// Runs etc/dev/lint: on this checkout, or on a small tree made for one claim.

import Foundation

/// What `etc/dev/lint` said of a tree.
struct LintRun {
    let status: Int32
    /// One a violation.
    let lines: [String]
    /// The last line, which counts them; a script that broke off did not write it.
    let verdict: String

    /// This checkout, seen from this file.
    static let checkout = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    init(on root: URL) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-B", LintRun.checkout.appendingPathComponent("etc/dev/lint").path, root.path]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        status = process.terminationStatus
        let said = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
        lines = said.dropLast()
        verdict = said.last ?? ""
    }

    /// Makes a tree of these files, lints it, removes it.
    static func on(_ files: [String: String]) throws -> LintRun {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("martlet-lint-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: root) }
        for (name, text) in files {
            let file = root.appendingPathComponent(name)
            try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
        return try LintRun(on: root)
    }

    /// The violations of one rule.
    func violations(of rule: String) -> [String] { lines.filter { $0.contains(": \(rule): ") } }
}
