// TLS: the upgrade in place, what an attacker slips in before it, implicit TLS, reload, and the client's side.

import Glibc
import Synchronization
import Testing

@testable import Connection

/// A folder with the given certificate and key as files; gone with the value.
final class CertificateFolder {
    let path: String
    var chain: [UInt8] { Array("\(path)/chain.pem".utf8) }
    var key: [UInt8] { Array("\(path)/key.pem".utf8) }

    init(_ certificate: String = mailCertificate, _ key: String = mailKey) throws {
        var name = Array("/tmp/martlet-tls-XXXXXX".utf8CString)
        guard mkdtemp(&name) != nil else { throw TestFailure("mkdtemp") }
        path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        try put(certificate, key)
    }

    func put(_ certificate: String, _ key: String) throws {
        for (file, text) in [("chain.pem", certificate), ("key.pem", key)] {
            guard let out = fopen("\(path)/new", "w") else { throw TestFailure("fopen") }
            fputs(text + "\n", out)
            fclose(out)
            rename("\(path)/new", "\(path)/\(file)")
        }
    }

    deinit { for file in ["/chain.pem", "/key.pem", ""] { remove(path + file) } }
}

/// A client that says what it is told, upgrades at `begin`, and keeps every line it reads.
final class DialDriver: SessionDriver {
    typealias Answer = Never

    final class Log: Sendable {
        let state = Mutex((lines: [String](), endings: [Ending](), tls: TLSFacts?.none))
        var lines: [String] { state.withLock { $0.lines } }
        var endings: [Ending] { state.withLock { $0.endings } }
        var tls: TLSFacts? { state.withLock { $0.tls } }
    }

    let log: Log
    let script: String
    let afterwards: String
    let tls: ClientTLS?
    let name: [UInt8]?
    private var input: [UInt8] = []
    private var steps: [(Wire<Never>) -> Void] = []

    init(_ log: Log, script: String, afterwards: String, tls: ClientTLS?, name: [UInt8]?) {
        self.log = log
        self.script = script
        self.afterwards = afterwards
        self.tls = tls
        self.name = name
    }

    var wantsInput: Bool { steps.isEmpty }
    func opened(_ wire: Wire<Never>) {
        if let facts = wire.tls { log.state.withLock { $0.tls = facts } }
        steps.append { [script] in $0.send(Array(script.utf8)) }
    }
    func received(_ bytes: ArraySlice<UInt8>) {
        input += bytes
        while let end = input.firstIndex(of: 0x0A) {
            let line = String(decoding: input[..<end].filter { $0 != 0x0D }, as: UTF8.self)
            input.removeFirst(end + 1)
            log.state.withLock { $0.lines.append(line) }
            if line == "begin", let tls { steps.append { [name] in $0.startTLS(tls, serverName: name) } }
        }
    }
    func step(_ wire: Wire<Never>) -> Bool {
        guard !steps.isEmpty else { return false }
        steps.removeFirst()(wire)
        return true
    }
    func secured(_ tls: TLSFacts) {
        log.state.withLock { $0.tls = tls }
        steps.append { [afterwards] in $0.send(Array(afterwards.utf8)) }
    }
    func deadlinePassed() {}
    func shutdownRequested() {}
    func ended(_ ending: Ending) { log.state.withLock { $0.endings.append(ending) } }
}

@Suite(.serialized) struct TLSTests {
    private func dial(
        _ bench: Bench, script: String, afterwards: String = "", tls: ClientTLS?, name: String? = nil, implicit: Bool = false
    ) -> DialDriver.Log {
        let log = DialDriver.Log()
        let name = name.map { Array($0.utf8) }
        let target = SocketName(address: Array("127.0.0.1".utf8), port: bench.listener.port)
        Dialer(loops: bench.loops).dial(
            target, as: ListenerRole("client"), timeout: .seconds(5),
            implicitTLS: implicit ? tls.map { ImplicitTLS($0, serverName: name) } : nil
        ) { DialDriver(log, script: script, afterwards: afterwards, tls: tls, name: name) }
        return log
    }

    private func server(_ folder: CertificateFolder) throws -> ServerTLS {
        try ServerTLS(chainFile: folder.chain, keyFile: folder.key)
    }

    @Test func theUpgradeHappensInPlace() throws {
        let folder = try CertificateFolder()
        let bench = Bench(tls: try server(folder))
        let log = dial(bench, script: "echo clear\r\ntls\r\n", afterwards: "echo secret\r\nquit\r\n", tls: try .opportunistic())
        #expect(eventually { log.endings.count == 1 })
        #expect(log.lines == ["hello", "clear", "begin", "secret", "bye"])
        #expect(log.tls == TLSFacts(version: .tls13, isVerified: false))
        #expect(bench.log.state.withLock { $0.secured } == 1)
    }

    @Test func whatCameBeforeTheHandshakeIsForgotten() throws {
        let folder = try CertificateFolder()
        let bench = Bench(tls: try server(folder))
        let log = dial(bench, script: "tls\r\necho injected\r\n", afterwards: "echo genuine\r\nquit\r\n", tls: try .opportunistic())
        #expect(eventually { log.endings.count == 1 })
        #expect(!log.lines.contains("injected"))
    }

    @Test func bytesHeldBehindTheServersReplyEndTheClient() throws {
        let listener = TestListener()
        let loops = LoopGroup()
        let log = DialDriver.Log()
        let tls = try ClientTLS.opportunistic()
        let target = SocketName(address: Array("127.0.0.1".utf8), port: listener.port)
        Dialer(loops: loops).dial(target, as: ListenerRole("client"), timeout: .seconds(5)) {
            DialDriver(log, script: "tls\r\n", afterwards: "", tls: tls, name: nil)
        }
        let raw = accept(listener.raw, nil, nil)
        let text = Array("begin\r\n".utf8)
        _ = send(raw, text, text.count, 0)
        usleep(100_000)
        let injected = Array("250 injected\r\n".utf8)
        _ = send(raw, injected, injected.count, 0)
        #expect(eventually { log.endings.count == 1 })
        if case .tlsFailed? = log.endings.first {} else { Issue.record("\(log.endings)") }
        close(raw)
        loops.stop()
    }

    @Test func implicitTLSGreetsAfterTheHandshake() throws {
        let folder = try CertificateFolder()
        let bench = Bench(tls: try server(folder), implicitTLS: true)
        let log = dial(bench, script: "echo in\r\nquit\r\n", tls: try .opportunistic(), implicit: true)
        #expect(eventually { log.endings.count == 1 })
        #expect(log.lines == ["hello tls", "in", "bye"])
    }

    @Test func aVerifyingClientTakesTheRightNameOnly() throws {
        let folder = try CertificateFolder()
        let bench = Bench(tls: try server(folder))
        let verified = try ClientTLS.verified(rootsFile: folder.chain)
        let right = dial(bench, script: "tls\r\n", afterwards: "quit\r\n", tls: verified, name: "mail.example.test")
        #expect(eventually { right.endings.count == 1 })
        #expect(right.tls?.isVerified == true)
        let wrong = dial(bench, script: "tls\r\n", afterwards: "quit\r\n", tls: verified, name: "other.example.test")
        #expect(eventually { wrong.endings.count == 1 })
        #expect(wrong.tls == nil)
        if case .tlsFailed? = wrong.endings.first {} else { Issue.record("\(wrong.endings)") }
    }

    @Test func aReplacedCertificateServesNewConnections() throws {
        let folder = try CertificateFolder()
        let tls = try server(folder)
        let bench = Bench(tls: tls)
        #expect(try !tls.reloadIfChanged())
        try folder.put(otherCertificate, otherKey)
        #expect(try tls.reloadIfChanged())
        let verified = try ClientTLS.verified(rootsFile: folder.chain)
        let log = dial(bench, script: "tls\r\n", afterwards: "quit\r\n", tls: verified, name: "other.example.test")
        #expect(eventually { log.endings.count == 1 })
        #expect(log.tls?.isVerified == true)
    }

    @Test func aBadPairLeavesTheOldOneInUse() throws {
        let folder = try CertificateFolder()
        let tls = try server(folder)
        try folder.put(otherCertificate, mailKey)
        #expect(throws: TLSError.self) { try tls.reloadIfChanged() }
        let bench = Bench(tls: tls)
        let log = dial(bench, script: "tls\r\n", afterwards: "quit\r\n", tls: try .opportunistic())
        #expect(eventually { log.tls != nil })
    }

    @Test func rubbishInsteadOfAHandshakeEndsThatSessionOnly() throws {
        let folder = try CertificateFolder()
        let bench = Bench(tls: try server(folder))
        for rubbish in [[UInt8](repeating: 0, count: 4000), [0x16, 3, 1, 0xFF, 0xFF], Array("EHLO x\r\n".utf8), [0x15, 3, 3, 0, 2, 2, 0]] {
            let client = try bench.greeted()
            client.write("tls\r\n")
            #expect(client.line() == "begin")
            client.write(rubbish)
            client.shutdownWrites()
            _ = client.drainToEnd()
        }
        #expect(eventually { bench.service.connectionCount == 0 })
        let client = try bench.greeted()
        client.write("echo fine\r\n")
        #expect(client.line() == "fine")
    }

    /// The limit is the handshake's, also where the dialogue has none, or a longer one: what stood before must not be waited for.
    @Test(arguments: [nil, Duration.seconds(3600)]) func whoNeverBeginsTheHandshakeIsEnded(_ silence: Duration?) throws {
        let folder = try CertificateFolder()
        let bench = Bench(tls: try server(folder), silence: silence, handshake: .milliseconds(200))
        let client = try bench.greeted()
        client.write("tls\r\n")
        #expect(client.line() == "begin")
        #expect(client.fill() == 0)
        #expect(eventually { bench.log.endings == [.stalled] })
    }

    @Test func silenceIsNoLongerForTheHandshakeThanForTheDialogue() throws {
        let folder = try CertificateFolder()
        let bench = Bench(tls: try server(folder), silence: .seconds(2), handshake: .seconds(3600))
        let client = try bench.greeted()
        client.write("tls\r\n")
        #expect(client.line() == "begin")
        #expect(client.fill() == 0)
        #expect(eventually { bench.log.endings == [.stalled] })
    }

    @Test func whoNeverSpeaksWhereTLSComesFirstIsEnded() throws {
        let folder = try CertificateFolder()
        let bench = Bench(tls: try server(folder), implicitTLS: true, handshake: .milliseconds(200))
        #expect(try bench.client().fill() == 0)
        #expect(eventually { bench.log.endings == [.stalled] })
    }

    /// Each byte is heard, and none of them moves the end.
    @Test func whoTricklesAHandshakeIsEndedToo() throws {
        let folder = try CertificateFolder()
        let bench = Bench(tls: try server(folder), silence: .seconds(3600), handshake: .milliseconds(500))
        let client = try bench.greeted()
        client.write("tls\r\n")
        #expect(client.line() == "begin")
        // A record of 512 octets, and in it a ClientHello of 508.
        for byte in [0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3] + [UInt8](repeating: 1, count: 300) where bench.log.endings.isEmpty {
            client.write([byte])
            usleep(20_000)
        }
        #expect(eventually { bench.log.endings == [.stalled] })
    }

    @Test func largeDataGoesThroughTLSWhole() throws {
        let folder = try CertificateFolder()
        let bench = Bench(tls: try server(folder))
        let log = dial(bench, script: "tls\r\n", afterwards: "big 3000000\r\nquit\r\n", tls: try .opportunistic())
        #expect(eventually { log.endings.count == 1 })
        #expect(log.lines.last.map { $0.utf8.count } == 3_000_003)
    }

    @Test func aRefusedConnectionIsToldToTheDriver() throws {
        let loops = LoopGroup()
        let log = DialDriver.Log()
        var port: UInt16 = 0
        do { port = TestListener().port }
        Dialer(loops: loops).dial(SocketName(address: Array("127.0.0.1".utf8), port: port), as: ListenerRole("client"), timeout: .seconds(5)) {
            DialDriver(log, script: "", afterwards: "", tls: nil, name: nil)
        }
        #expect(eventually { log.endings.count == 1 })
        if case .notConnected? = log.endings.first {} else { Issue.record("\(log.endings)") }
        loops.stop()
    }

    @Test func whatOurOwnLimitOrDrainKeepsFromBeginningSaysNothingOfThePeer() throws {
        let loops = LoopGroup()
        let listener = TestListener()
        let (full, stopping) = (Dialer(loops: loops, limit: 0), Dialer(loops: loops))
        stopping.drain { _ in }
        for dialer in [full, stopping] {
            let log = DialDriver.Log()
            dialer.dial(SocketName(address: Array("127.0.0.1".utf8), port: listener.port), as: ListenerRole("client"), timeout: .seconds(5)) {
                DialDriver(log, script: "", afterwards: "", tls: nil, name: nil)
            }
            #expect(eventually { log.endings.count == 1 })
            if case .notBegun? = log.endings.first {} else { Issue.record("\(log.endings)") }
        }
        loops.stop()
    }
}
