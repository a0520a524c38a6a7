// confined-act: confines itself as told, then tries one thing. Exit code: 0 it worked, else its errno; the tests read it.
// Runs as the tests · Reads and writes only what a test gives it · Never installed

import CLinux
import Glibc
import Kernel
import Sandbox

/// `read=PATH write=PATH net=none|handed|listening|connect:PORT|open child=PID files=N` in any order, then `--`, an action, its arguments.
struct Order {
    var confinement = Confinement(readable: [], writable: [], network: .none)
    var action: [String] = []

    init(_ words: [String]) {
        let parts = words.split(separator: "--", maxSplits: 1, omittingEmptySubsequences: false).map(Array.init)
        for word in parts.first ?? [] {
            let pair = word.split(separator: "=", maxSplits: 1).map(String.init)
            guard pair.count == 2 else { continue }
            set(pair[0], pair[1])
        }
        action = parts.count > 1 ? parts[1] : []
    }

    private mutating func set(_ key: String, _ value: String) {
        switch key {
        case "read": confinement.readable.append(Path(value))
        case "write": confinement.writable.append(Path(value))
        case "child": confinement.child = Int32(value)
        case "files": confinement.descriptors = UInt64(value)
        case "net":
            switch value {
            case "none": confinement.network = .none
            case "handed": confinement.network = .handed
            case "listening": confinement.network = .listening
            case "open": confinement.network = .connecting(toPorts: nil)
            default: confinement.network = .connecting(toPorts: UInt16(value.dropFirst(8)).map { [$0] } ?? [])
            }
        default: exit(64)
        }
    }
}

func outcome(_ result: Int) -> Int32 { result >= 0 ? 0 : errno }
func outcome(_ result: Int32) -> Int32 { outcome(Int(result)) }

func connect(to port: UInt16) -> Int32 {
    let raw = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard raw >= 0 else { return errno }
    var bytes: [UInt8] = [UInt8(AF_INET), 0, UInt8(port >> 8), UInt8(port & 255), 127, 0, 0, 1] + [UInt8](repeating: 0, count: 8)
    return bytes.withUnsafeMutableBytes { $0.withMemoryRebound(to: sockaddr.self) { outcome(Glibc.connect(raw, $0.baseAddress, 16)) } }
}

/// One letter a folder: `w` if a file can be made there and its `file` written, `r` if that can be read, else `-`.
func printRights(in folders: ArraySlice<String>) -> Int32 {
    for folder in folders {
        let new = folder + "/new"
        let writes = martlet_openat(AT_FDCWD, folder + "/file", O_RDWR, 0) >= 0
            && martlet_openat(AT_FDCWD, new, O_WRONLY | O_CREAT | O_EXCL, 0o600) >= 0 && unlink(new) == 0
        let reads = martlet_openat(AT_FDCWD, folder + "/file", O_RDONLY, 0) >= 0
        print(writes ? "w" : reads ? "r" : "-")
    }
    return 0
}

func attempt(_ action: [String]) -> Int32 {
    let path = action.count > 1 ? action[1] : ""
    func argument(_ index: Int) -> Int { action.count > index ? Int(action[index]) ?? 0 : 0 }
    switch action.first {
    case "read": return outcome(martlet_openat(AT_FDCWD, path, O_RDONLY, 0))
    case "rights": return printRights(in: action.dropFirst())
    case "create": return outcome(martlet_openat(AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL, 0o600))
    case "rename": return outcome(rename(path, action[2]))
    case "link": return outcome(symlink("/etc/passwd", path))
    case "truncate": return outcome(truncate(path, 0))
    case "connect": return connect(to: UInt16(path) ?? 0)
    case "socket": return outcome(socket(path == "inet6" ? AF_INET6 : path == "unix" ? AF_UNIX : AF_INET, Int32(SOCK_DGRAM.rawValue), 0))
    case "accept": return outcome(accept(3, nil, nil))
    case "signal": return outcome(kill(Int32(path) ?? 0, 0))
    case "thread": return WorkerThread.run() ? 0 : 11
    case "call": return outcome(martlet_try_call(martlet_call_number(path), argument(2), argument(3), argument(4)))
    case "number": return outcome(martlet_try_call(argument(1), 0, 0, 0))
    case "execute":
        _ = try? Spawn(program: Path(path), arguments: []).run()
        var arguments: [UnsafeMutablePointer<CChar>?] = [strdup(path), nil]
        return outcome(execv(path, &arguments))
    case "core": return martlet_hard_limit(Int32(MARTLET_LIMIT_CORE)) == 0 ? 0 : 1
    case "files": return martlet_hard_limit(Int32(MARTLET_LIMIT_DESCRIPTORS)) == UInt64(path) ? 0 : 1
    default: return 64
    }
}

enum WorkerThread {
    static func startIdle() {
        var thread = pthread_t()
        pthread_create(&thread, nil, { _ in
            Glibc.pause()
            return nil
        }, nil)
    }

    /// A thread made after the confinement: it must work, and be bound.
    static func run() -> Bool {
        var thread = pthread_t()
        let result = pthread_create(&thread, nil, { _ in
            let raw = martlet_openat(AT_FDCWD, "/etc/passwd", O_RDONLY, 0)
            return UnsafeMutableRawPointer(bitPattern: raw >= 0 ? 1 : 2)
        }, nil)
        guard result == 0 else { return false }
        var value: UnsafeMutableRawPointer?
        pthread_join(thread, &value)
        return value == UnsafeMutableRawPointer(bitPattern: 2)
    }
}

let order = Order(Array(CommandLine.arguments.dropFirst()))
if order.action.first == "late" { WorkerThread.startIdle() }
do {
    let warnings = try order.confinement.apply()
    for warning in warnings { writeToStandardError(Array("confined-act: \(warning)\n".utf8)) }
} catch {
    writeToStandardError(Array("confined-act: \(error)\n".utf8))
    exit(70)
}
exit(attempt(order.action))
