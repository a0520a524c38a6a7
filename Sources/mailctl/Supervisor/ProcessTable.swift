// What /proc says of processes.

import Configuration
import Kernel
import MailModel

enum ProcessTable {
    /// A process as /proc shows it.
    struct Process {
        let pid: Int32
        let uid: UInt32
        let arguments: [[UInt8]]
        let parentName: String?
        let started: WallTime?

        /// Whether it is this service's first process: a front is started with two arguments more.
        func isService(_ service: Service) -> Bool {
            guard let program = arguments.first, Path(program).lastComponent.bytes.elementsEqual(service.program.utf8),
                !arguments.contains(where: { $0.elementsEqual("--front".utf8) }),
                let flag = arguments.firstIndex(where: { $0.elementsEqual("--service".utf8) }), flag + 1 < arguments.count
            else { return false }
            return arguments[flag + 1].elementsEqual(service.rawValue.utf8)
        }

        /// The file behind `--config`.
        var configuration: Path? {
            guard let flag = arguments.firstIndex(where: { $0.elementsEqual("--config".utf8) }), flag + 1 < arguments.count else { return nil }
            return Path(arguments[flag + 1])
        }
    }

    /// Whether the pid is alive and, for a service, still that service: numbers are used again.
    static func isRunning(_ pid: Int32, service: Service?) -> Bool {
        guard let line = try? DirectoryDescriptor(opening: Path("/proc/\(pid)")).open("cmdline").read(4096, at: 0) else { return false }
        guard let service else { return String(decoding: line, as: UTF8.self).contains("mailctl") }
        return line.split(separator: 0).contains { $0.elementsEqual(service.rawValue.utf8) }
    }

    /// Every process whose command line may be read.
    static func all() -> [Process] {
        guard let entries = try? DirectoryDescriptor(opening: "/proc").list() else { return [] }
        return entries.compactMap { $0.name.decimalValue.flatMap(Int32.init(exactly:)) }.sorted().compactMap(process)
    }

    private static func process(_ pid: Int32) -> Process? {
        guard let folder = try? DirectoryDescriptor(opening: Path("/proc/\(pid)")), let uid = try? folder.status().owner,
            let line = try? folder.open("cmdline").read(4096, at: 0), !line.isEmpty, let stat = try? folder.open("stat").read(4096, at: 0)
        else { return nil }
        // The name of the program, in parentheses, may have anything in it: what counts is behind the last one.
        let fields = stat.lastIndex(of: UInt8(ascii: ")")).map { stat[($0 + 1)...].split(separator: 0x20) } ?? []
        guard fields.count > 20 else { return nil }
        let parentName = (try? DirectoryDescriptor(opening: Path("/proc/" + String(decoding: fields[1], as: UTF8.self))).open("comm").read(64, at: 0))
            .map { String(decoding: $0.filter { $0 != 0x0A }, as: UTF8.self) }
        let ticks = fields[19].decimalValue.map(Int64.init)
        return Process(
            pid: pid, uid: uid, arguments: line.split(separator: 0).map(Array.init), parentName: parentName,
            started: ticks.flatMap { ticks in bootTime.map { $0.adding(seconds: ticks / 100) } })
    }

    /// Of the machine, a line of /proc/stat. USER_HZ is 100 on every machine that Linux speaks to programs of.
    private static let bootTime: WallTime? = {
        guard let text = try? DirectoryDescriptor(opening: "/proc").open("stat").read(1 << 20, at: 0),
            let line = text.split(separator: 0x0A).first(where: { $0.starts(with: "btime ".utf8) }),
            let seconds = line.dropFirst(6).decimalValue
        else { return nil }
        return WallTime(nanoseconds: Int64(seconds) * 1_000_000_000)
    }()
}
