// Runs confined-act, which confines itself and tries one thing; a test process itself has threads and cannot.

import Glibc
import Kernel

enum Probe {
    /// Beside the test program; nil where the package has no such target, and the tests then say that they are skipped.
    static let program: Path? = {
        let own: [Path] = realpath("/proc/self/exe", nil).map { resolved in
            defer { free(resolved) }
            return [Path(String(cString: resolved))]
        } ?? []
        let given = CommandLine.arguments.filter { $0.contains(".build/") || $0.hasSuffix(".xctest") }.map { Path($0) }
        let probe = (own + given).map { $0.parent / "confined-act" }
        return probe.first { path in path.withCString { access($0, X_OK) } == 0 }
    }()

    static let killed: Int32 = 128 + 31  // SIGSYS

    static func run(_ order: String..., inheriting raw: Int32? = nil) throws -> Int32 {
        guard let program else { return -1 }
        var spawn = Spawn(program: program, arguments: order.flatMap { $0.split(separator: " ") }.map { Array($0.utf8) })
        spawn.environment = [Array("SWIFT_BACKTRACE=enable=no".utf8)]
        if let raw { spawn.descriptors = [raw] }
        return try spawn.run()
    }
}

/// A folder with `in/file`, `out/` and `other/file`.
final class ProbeFolder {
    let path: String

    init() throws {
        var name = Array("/tmp/martlet-sandbox-XXXXXX".utf8CString)
        _ = mkdtemp(&name)
        path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        for folder in ["in", "out", "other"] { mkdir("\(path)/\(folder)", 0o700) }
        for file in ["in/file", "other/file", "out/file"] { close(creat("\(path)/\(file)", 0o600)) }
    }

    deinit {
        for file in ["in/file", "other/file", "out/file", "out/new", "out/sub/file", "in", "out/sub", "out", "other", ""] { remove("\(path)/\(file)") }
    }
}

/// A listening socket on a free port of loopback.
final class ProbeListener {
    let raw: Int32
    let port: UInt16

    init() {
        raw = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        let raw = raw
        var bytes: [UInt8] = [UInt8(AF_INET), 0, 0, 0, 127, 0, 0, 1] + [UInt8](repeating: 0, count: 8)
        var length: socklen_t = 16
        bytes.withUnsafeMutableBytes {
            $0.withMemoryRebound(to: sockaddr.self) {
                _ = bind(raw, $0.baseAddress, length)
                _ = listen(raw, 5)
                _ = getsockname(raw, $0.baseAddress, &length)
            }
        }
        port = UInt16(bytes[2]) << 8 | UInt16(bytes[3])
    }

    deinit { close(raw) }
}
