// A service's logs in a temporary spool, its commit thread when a test starts it, and clients that are only reply addresses.

import Glibc
import Kernel
import MailModel
import MailTestKit
import Spool
import SpoolFormat
import Synchronization
import Testing

@testable import Connection
@testable import SMTPProtocol
@testable import smtpd

/// A connection without a socket: what it is answered is kept.
final class TestWire: Wire<SessionAnswer> {
    let answers = Mutex<[String]>([])

    init(_ loops: LoopGroup) throws {
        super.init(arrival: Arrival(role: "smtp", peer: .unknown, local: .unknown), home: try #require(loops.homes.first), serverTLS: nil)
    }

    override func take(_ answer: SessionAnswer) { answers.withLock { $0.append(TestWire.code(answer)) } }

    private static func code(_ answer: SessionAnswer) -> String {
        switch answer {
        case .answer(.message(.accepted)): "250"
        case .answer(.message(.temporary(let reply))), .answer(.message(.refused(let reply))): "\(reply.code)"
        case .answer, .authentication, .policy, .filter, .silence: "\(answer)"
        }
    }
}

/// One service; its thread stands still, as while a sync hangs, until `run`.
final class Bench {
    let tree = TemporarySpool()
    let loops = LoopGroup()
    let logs: IntakeLogs
    let intake: Intake
    private var isRunning = false

    init() throws {
        let spool = try DirectoryDescriptor(opening: Path(tree.path))
        let host = try #require(Domain("mx.example.org"))
        logs = try IntakeLogs(spool: spool, owner: .smtpd, origin: .smtpd, trace: TraceField(host: host), retention: { 86400 })
        intake = try Intake(origin: .smtpd, bigFolder: spool.path / LogName(.smtpd, .mail).path / "big", segment: logs.mail.log.end.segment)
    }

    deinit {
        if isRunning { intake.stop() }
        loops.stop()
    }

    /// Sendable: the logs go to the thread, and a test looks at them only after it has stopped.
    private struct Handed: @unchecked Sendable { let logs: IntakeLogs }

    func run() {
        isRunning = true
        let (intake, handed) = (intake, Handed(logs: logs))
        startThread { intake.run(handed.logs) }
    }

    func stop() {
        intake.stop()
        isRunning = false
    }

    func client() throws -> TestWire { try TestWire(loops) }

    func message(_ content: AcceptedContent, for client: TestWire) throws -> Acceptance {
        let recipient = try #require(EmailAddress("alice@example.org"))
        return Acceptance(
            envelope: Envelope(sender: .null, recipients: [recipient], body: .sevenBit),
            facts: AcceptFacts(
                size: content.inlineLength, messageID: nil, receivedCount: 0, clientName: Array("x".utf8), isExtended: true,
                isTLS: false, identity: nil, isSpilled: false),
            peer: Array("192.0.2.1".utf8), tls: nil, content: content, replyTo: client.replyAddress)
    }

    /// Every line of a log of the service.
    func lines(_ log: String) -> [String] {
        tree.names("smtpd/\(log)").filter { $0.hasSuffix(".log") }.sorted().flatMap {
            String(decoding: tree.read("smtpd/\(log)/\($0)"), as: UTF8.self).split(separator: "\n").map(String.init)
        }
    }
}

/// Waits until `condition` holds, at most 60 seconds.
func eventually(_ condition: () -> Bool) -> Bool {
    for _ in 0..<6000 {
        if condition() { return true }
        usleep(10_000)
    }
    return condition()
}
