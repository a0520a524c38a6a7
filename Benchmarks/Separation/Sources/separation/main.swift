// separation one|two PORT [CHAIN KEY]: serves the toy dialogue in one process or in two. With a certificate, TLS comes first.
// separation idle: starts as the other shapes do, then ends: the price of a process for each connection.

import Connection
import Glibc
import Kernel

func say(_ text: String, to raw: Int32) { _ = Array(text.utf8).withUnsafeBytes { write(raw, $0.baseAddress, $0.count) } }

func fail(_ text: String) -> Never {
    say("separation: \(text)\n", to: 2)
    exit(1)
}

func serve<Driver: SessionDriver>(_ raw: Int32, _ files: [String], _ loops: LoopGroup, _ make: @escaping @Sendable (Arrival) -> Driver) throws {
    let tls = files.count == 2 ? try ServerTLS(chainFile: Array(files[0].utf8), keyFile: Array(files[1].utf8)) : nil
    let options = AcceptorOptions(limits: ConnectionLimits(total: 20000, perPeer: 20000), tls: tls)
    Acceptor(loops: loops, options: options, makeDriver: make).listen(on: raw, role: ListenerRole("toy", isImplicitTLS: tls != nil))
}

let arguments = Array(CommandLine.arguments.dropFirst())
var most = rlimit(rlim_cur: 20000, rlim_max: 20000)
setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &most)

switch arguments.first {
case "one":
    let listener = try Listening.bind(address: "127.0.0.1", port: UInt16(arguments[1]) ?? 0)
    let pool = WorkerPool(threads: 2)
    try serve(listener.release(), Array(arguments.dropFirst(2)), LoopGroup()) { _ in WholeDriver(pool) }
case "two":
    let listener = try Listening.bind(address: "127.0.0.1", port: UInt16(arguments[1]) ?? 0)
    guard let pair = FrontChannel.pair() else { fail("no channel") }
    var front = Spawn(program: Path("/proc/self/exe"), arguments: [Array("front".utf8)] + arguments.dropFirst(2).map { Array($0.utf8) })
    front.descriptors = [listener.raw, pair.front]
    say("front \(try front.start())\n", to: 1)
    close(pair.front)
    let loops = LoopGroup()
    let pool = WorkerPool(threads: 2)
    let sessions = SessionHost<AfterDriver>(loops: loops, most: 20000)
    let door = SessionDoor<Int>(adopting: pair.session)
    door.start(
        step: { id, step in
            guard case .start = step else { return }
            pool.submit { door.accept(id, as: 1) }
        },
        handedOver: { guest in sessions.adopt(guest) { _ in AfterDriver() } },
        ended: { exit(0) })
case "front":
    let door = FrontDoor(adopting: 4)
    door.start(drain: {}, ended: { exit(0) })
    try serve(3, Array(arguments.dropFirst()), LoopGroup()) { _ in FrontDriver(door) }
case "idle": exit(0)
default: fail("one|two PORT [CHAIN KEY]")
}
while true { pause() }
