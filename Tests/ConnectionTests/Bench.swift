// One service on one loop with one toy driver a connection: what most tests here begin with.

import Synchronization

@testable import Connection

final class Bench {
    let loops = LoopGroup(loops: 1)
    let pool = WorkerPool(threads: 2)
    let listener = TestListener()
    let log = EchoDriver.Log()
    let troubles = Troubles()
    let service: Acceptor<EchoDriver>

    final class Troubles: Sendable {
        let lines = Mutex<[String]>([])
        var count: Int { lines.withLock { $0.count } }
    }

    init(
        limits: ConnectionLimits = ConnectionLimits(), tls: ServerTLS? = nil, implicitTLS: Bool = false, silence: Duration? = nil,
        handshake: Duration = .seconds(30)
    ) {
        let (log, pool, troubles) = (log, pool, troubles)
        var options = AcceptorOptions(
            limits: limits, tls: tls, refusal: { refusal, _ in Array("refused \(refusal)\r\n".utf8) },
            trouble: { line in troubles.lines.withLock { $0.append(line) } })
        options.handshake = handshake
        service = Acceptor(loops: loops, options: options) { EchoDriver($0, log: log, pool: pool, silence: silence) }
        service.listen(on: listener.raw, role: ListenerRole("echo", isImplicitTLS: implicitTLS))
    }

    deinit {
        loops.stop()
        pool.stop()
    }

    func client() throws -> TestClient {
        guard let client = TestClient(port: listener.port) else { throw TestFailure("cannot connect") }
        return client
    }

    func greeted() throws -> TestClient {
        let client = try client()
        guard client.line() == "hello" else { throw TestFailure("no greeting") }
        return client
    }
}

struct TestFailure: Error {
    let reason: String
    init(_ reason: String) { self.reason = reason }
}
