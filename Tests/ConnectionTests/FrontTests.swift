// The two ends of the channel joined in one process: login, hand-over in clear and over TLS, and a front that lies.

import CLinux
import Glibc
import Synchronization
import Testing

@testable import Connection

/// Before login: `user NAME` asks, success hands over.
final class GateDriver: SessionDriver {
    typealias Answer = AuthenticationReply
    private let door: FrontDoor
    private var input: [UInt8] = []
    private var id: FrontID = 0
    private var isWaiting = false
    private var reply: AuthenticationReply?

    init(_ door: FrontDoor) { self.door = door }

    var wantsInput: Bool { !isWaiting }
    func opened(_ wire: Wire<AuthenticationReply>) { wire.send("who?\r\n") }
    func received(_ bytes: ArraySlice<UInt8>) { input += bytes }

    func step(_ wire: Wire<AuthenticationReply>) -> Bool {
        if let reply {
            self.reply = nil
            answer(reply, wire)
            return true
        }
        guard !isWaiting, let end = input.firstIndex(of: 0x0A) else { return false }
        let line = Array(input[..<end].filter { $0 != 0x0D })
        input.removeFirst(end + 1)
        isWaiting = true
        let home = wire.replyAddress
        let start = AuthenticationStart(arrival: wire.arrival, tls: wire.tls, mechanism: Array("USER".utf8), initialResponse: line)
        id = door.begin(start) { home.deliver($0) }
        return true
    }

    private func answer(_ reply: AuthenticationReply, _ wire: Wire<AuthenticationReply>) {
        switch reply {
        case .success: wire.handOver(id, bytes: input, through: door)
        case .challenge(let bytes):
            let home = wire.replyAddress
            door.respond(bytes + bytes, to: id) { home.deliver($0) }
        case .failure(_, let text):
            isWaiting = false
            wire.send(text)
        }
    }

    func answered(_ answer: AuthenticationReply) { reply = answer }
    func deadlinePassed() {}
    func shutdownRequested() {}
}

/// Front and session process on two loops; `user no` is refused, `user twice` is challenged first.
final class TwoProcesses: Sendable {
    static let limits = ConnectionLimits(total: 200, perPeer: 200)
    let loops = LoopGroup(loops: 2)
    let listener = TestListener()
    let log = EchoDriver.Log()
    let accounts = Mutex<[String]>([])
    let ends = Mutex<[String]>([])
    let front: FrontDoor
    let session: SessionDoor<String>
    let gate: Acceptor<GateDriver>
    let sessions: SessionHost<EchoDriver>

    init(tls: ServerTLS? = nil) throws {
        guard let pair = FrontChannel.pair() else { throw TestFailure("no channel") }
        let front = FrontDoor(adopting: pair.front)
        let session = SessionDoor<String>(adopting: pair.session)
        self.front = front
        self.session = session
        gate = Acceptor(loops: loops, options: AcceptorOptions(limits: TwoProcesses.limits, tls: tls)) { _ in GateDriver(front) }
        sessions = SessionHost(loops: loops, most: 200)
        gate.listen(on: listener.raw, role: ListenerRole("gate", isImplicitTLS: tls != nil))
        start()
    }

    private func start() {
        session.start(
            step: { [session] id, step in
                switch step {
                case .start(let start):
                    switch start.initialResponse {
                    case Array("no".utf8): session.refuse(id, code: 1, data: Array("no such\r\n".utf8))
                    case Array("twice".utf8): session.challenge(id, Array("ab".utf8))
                    default: session.accept(id, as: String(decoding: start.initialResponse ?? [], as: UTF8.self))
                    }
                case .response(let bytes): session.accept(id, as: String(decoding: bytes, as: UTF8.self))
                case .abandoned: break
                }
            },
            handedOver: { [weak self, log] guest in
                self?.accounts.withLock { $0.append(guest.account) }
                self?.sessions.adopt(guest) { EchoDriver($0.arrival, log: log) }
            }, ended: { [weak self] in self?.ends.withLock { $0.append("session") } })
        front.start(
            drain: { [weak self] in self?.gate.drain { _ in } },
            ended: { [weak self] in self?.ends.withLock { $0.append("front") } })
    }

    /// Ends everything in an order that leaves nothing running on a loop that is gone.
    func stop() {
        session.close()
        front.close()
        _ = eventually { ends.withLock { $0.count } == 2 }
        gate.drain(within: .zero) { _ in }
        sessions.drain(within: .zero) { _ in }
        _ = eventually { gate.connectionCount + sessions.sessionCount == 0 }
        loops.stop()
    }

    func client() throws -> TestClient {
        guard let client = TestClient(port: listener.port), client.line() == "who?" else { throw TestFailure("no greeting") }
        return client
    }
}

@Suite(.serialized) struct FrontTests {
    @Test func aLoginMovesTheSocketWithWhatWasRead() throws {
        let both = try TwoProcesses()
        defer { both.stop() }
        let client = try both.client()
        client.write("anna\r\necho pipelined\r\n")
        #expect(client.line() == "hello")
        #expect(client.line() == "pipelined")
        #expect(eventually { both.gate.connectionCount == 0 })
        client.write("big 2000000\r\nquit\r\n")
        #expect(client.drainToEnd() == 2_000_005)
        #expect(both.accounts.withLock { $0 } == ["anna"])
        #expect(both.log.state.withLock { $0.arrivals.first?.peer.address } == Array("127.0.0.1".utf8))
    }

    @Test func aRefusalLeavesThePeerAtTheFront() throws {
        let both = try TwoProcesses()
        defer { both.stop() }
        let client = try both.client()
        client.write("no\r\n")
        #expect(client.line() == "no such")
        client.write("twice\r\n")
        #expect(client.line() == "hello")
        #expect(both.accounts.withLock { $0 } == ["abab"])
    }

    @Test func manyLoginsAtOnceAllArrive() throws {
        let both = try TwoProcesses()
        defer { both.stop() }
        let clients = try (0..<100).map { _ in try both.client() }
        for (number, client) in clients.enumerated() { client.write("user\(number)\r\necho \(number)\r\n") }
        for (number, client) in clients.enumerated() {
            #expect(client.line() == "hello")
            #expect(client.line() == "\(number)")
        }
    }

    @Test func overTLSTheBytesAreRelayed() throws {
        let folder = try CertificateFolder()
        let both = try TwoProcesses(tls: ServerTLS(chainFile: folder.chain, keyFile: folder.key))
        defer { both.stop() }
        let log = DialDriver.Log()
        let tls = try ClientTLS.opportunistic()
        let script = "bertha\r\necho in\r\nbig 3000000\r\nquit\r\n"
        Dialer(loops: both.loops).dial(
            SocketName(address: Array("127.0.0.1".utf8), port: both.listener.port), as: ListenerRole("client"), timeout: .seconds(5),
            implicitTLS: ImplicitTLS(tls, serverName: nil)
        ) { DialDriver(log, script: script, afterwards: "", tls: nil, name: nil) }
        #expect(eventually { log.endings.count == 1 })
        #expect(log.lines.prefix(3) == ["who?", "hello", "in"])
        #expect(log.lines.last.map { $0.utf8.count } == 3_000_003)
        #expect(eventually { both.gate.connectionCount == 0 && both.sessions.sessionCount == 0 })
    }

    @Test(arguments: [
        FrontRequest.handOver(1, []).encoded, FrontRequest.handOver(77, []).encoded, [9, 9, 9], [],
        FrontRequest.start(1, AuthenticationStart(arrival: FrontFrameTests.arrival, tls: nil, mechanism: [], initialResponse: nil)).encoded,
    ])
    func aLyingFrontLosesTheChannelAndGainsNothing(_ lie: [UInt8]) throws {
        let pair = try #require(FrontChannel.pair())
        let door = SessionDoor<String>(adopting: pair.session)
        let handed = Mutex(0)
        let ended = Mutex(false)
        door.start(
            step: { _, _ in }, handedOver: { _ in handed.withLock { $0 += 1 } }, ended: { ended.withLock { $0 = true } })
        let start = AuthenticationStart(arrival: FrontFrameTests.arrival, tls: nil, mechanism: [], initialResponse: nil)
        let honest = FrontRequest.start(1, start).encoded
        #expect(martlet_send_message(pair.front, honest, honest.count, -1) == honest.count)
        // Undecided yet: neither its hand-over nor a descriptor with anything else is taken.
        _ = martlet_send_message(pair.front, lie, lie.count, pair.front)
        if lie.isEmpty { martlet_shutdown(pair.front) }
        #expect(eventually { ended.withLock { $0 } })
        #expect(handed.withLock { $0 } == 0)
        martlet_close(pair.front)
    }

    @Test func anAcceptedConnectionIsHandedOverOnce() throws {
        let pair = try #require(FrontChannel.pair())
        let door = SessionDoor<String>(adopting: pair.session)
        let handed = Mutex<[String]>([])
        let ended = Mutex(false)
        door.start(
            step: { id, _ in door.accept(id, as: "carl") },
            handedOver: { guest in
                handed.withLock { $0.append(guest.account) }
                martlet_close(guest.raw)
            }, ended: { ended.withLock { $0 = true } })
        let start = AuthenticationStart(arrival: FrontFrameTests.arrival, tls: nil, mechanism: [], initialResponse: nil)
        for request in [FrontRequest.start(1, start), .handOver(1, []), .handOver(1, [])] {
            let bytes = request.encoded
            let descriptor: Int32 = if case .handOver = request { 0 } else { -1 }
            _ = martlet_send_message(pair.front, bytes, bytes.count, descriptor)
        }
        #expect(eventually { ended.withLock { $0 } })
        #expect(handed.withLock { $0 } == ["carl"])
        martlet_close(pair.front)
    }

    @Test func theEndOfOneProcessIsToldToTheOther() throws {
        let both = try TwoProcesses()
        defer { both.stop() }
        both.session.close()
        #expect(eventually { both.ends.withLock { Set($0) } == ["session", "front"] })
    }

    @Test func aDrainStopsTheFront() throws {
        let both = try TwoProcesses()
        defer { both.stop() }
        let client = try both.client()
        client.write("dora\r\n")
        #expect(client.line() == "hello")
        both.session.drain()
        #expect(eventually {
            guard let late = TestClient(port: both.listener.port) else { return true }
            var limit: [Int] = [0, 50_000]  // a timeval
            setsockopt(late.raw, SOL_SOCKET, SO_RCVTIMEO, &limit, 16)
            return late.line() == nil
        })
        client.write("echo still\r\n")
        #expect(client.line() == "still")
    }
}
