// A tree with one file a row, and what the confined probe finds of it.

import Configuration
import Foundation
import Kernel
import Sandbox

/// The table of a test, and the folders that it names.
final class Matrix {
    struct BadTable: Error {}

    let programs: [String]
    let rows: [String]
    let cells: [[String]]
    private let root: URL
    private let configuration: Configuration

    /// Beside the test program; nil where the package has no such target.
    static let probe: URL? = {
        let own = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        let given = CommandLine.arguments.filter { $0.contains(".build/") }.map { URL(fileURLWithPath: $0) }
        return ([own] + given).map { $0.deletingLastPathComponent().appendingPathComponent("sandbox-probe") }
            .first { FileManager.default.isExecutableFile(atPath: $0.path) }
    }()

    init(_ text: String) throws {
        let lines = text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        programs = lines.first ?? []
        rows = lines.dropFirst().compactMap(\.first)
        cells = lines.dropFirst().map { Array($0.dropFirst()) }
        let width = programs.count
        guard !rows.isEmpty, cells.allSatisfy({ $0.count == width }) else { throw BadTable() }
        root = FileManager.default.temporaryDirectory.appendingPathComponent("martlet-privileges-\(UUID().uuidString)")
        var configuration = try Configuration.parse("", file: "test")
        configuration.resolvePaths(from: Path(root.path) / "etc")
        self.configuration = configuration
        for row in rows {
            let folder = root.appendingPathComponent(row)
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try Data().write(to: folder.appendingPathComponent("file"))
        }
    }

    deinit { try? FileManager.default.removeItem(at: root) }

    /// As the writer of snapshots does: another file gets the name.
    func replaceFile(in row: String) throws {
        let folder = root.appendingPathComponent(row)
        try Data([1]).write(to: folder.appendingPathComponent(".new"))
        guard rename(folder.appendingPathComponent(".new").path, folder.appendingPathComponent("file").path) == 0 else { throw BadTable() }
    }

    /// For each row `r`, `w` or `-`, tried by a process that is confined as the program is.
    func rights(of program: String) throws -> [String: String] {
        guard let probe = Matrix.probe, let confinement = Confinement.of(program, configuration) else { throw BadTable() }
        let process = Process()
        process.executableURL = probe
        process.arguments = confinement.readable.map { "read=\($0)" } + confinement.writable.map { "write=\($0)" } + ["--", "rights"]
            + rows.map { root.appendingPathComponent($0).path }
        process.environment = ["SWIFT_BACKTRACE": "enable=no", "LD_LIBRARY_PATH": ProcessInfo.processInfo.environment["LD_LIBRARY_PATH"] ?? ""]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let answers = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self).split(separator: "\n").map(String.init)
        process.waitUntilExit()
        guard answers.count == rows.count else { throw BadTable() }
        return Dictionary(uniqueKeysWithValues: zip(rows, answers))
    }
}

extension Confinement {
    /// The confinement of a column.
    static func of(_ program: String, _ configuration: Configuration) -> Confinement? {
        switch program {
        case "smtpd", "submission": ofSMTP(configuration, program)
        case "queued", "locald", "remoted": ofQueue(configuration, program)
        case "pop3d": ofPOP3(configuration)
        case "imapd": ofIMAP(configuration)
        case "front": ofFront(configuration)
        default: nil
        }
    }
}
