// SASL steps of strangers wait in a bounded queue, and are not begun for who is gone.

import Configuration
import Directory
import Glibc
import Kernel
import MailModel
import SMTPProtocol
import Synchronization
import Testing

@testable import Connection
@testable import smtpd

@Suite(.serialized) struct AuthenticationBridgeTests {
    private func shared(_ bench: Bench, _ workers: WorkerPool) throws -> SharedParts {
        let host = try #require(Domain("mx.example.org"))
        return SharedParts(
            session: ServerConfiguration(service: .submission, hostName: host), intake: bench.intake,
            directory: RecipientDirectory(Configuration()),
            authenticators: AuthenticatorPool { Authenticator(folder: "/nowhere", defaultDomain: nil, cache: LoginCache()) },
            workers: workers, trace: TraceField(host: host), commandTimeout: .seconds(300), dataTimeout: .seconds(600), failureDelay: .zero, plaintext: .always,
            smtp: Configuration().smtp)
    }

    @Test func beyondTheBoundItIsUnavailableForNow() throws {
        let (bench, workers) = (try Bench(), WorkerPool(threads: 1, mostOffered: 0))
        let wire = try bench.client()
        var bridge = AuthenticationBridge(try shared(bench, workers))
        bridge.begin(Array("PLAIN".utf8), Array("\0alice\0secret".utf8), from: [], wire)
        #expect(eventually { wire.answers.withLock { $0.count } == 1 })
        #expect(wire.answers.withLock { $0.first?.contains("too many logins wait") } == true)
        workers.stop()
    }

    @Test func whoIsGoneIsNotTried() throws {
        let (bench, workers) = (try Bench(), WorkerPool(threads: 1))
        let isOpen = Atomic<Bool>(false)
        workers.submit { while !isOpen.load(ordering: .acquiring) { usleep(1000) } }
        let (gone, here) = (try bench.client(), try bench.client())
        let parts = try shared(bench, workers)
        for wire in [gone, here] {
            var bridge = AuthenticationBridge(parts)
            bridge.begin(Array("PLAIN".utf8), Array("\0alice\0secret".utf8), from: [], wire)
        }
        gone.isGone.store(true, ordering: .relaxed)
        isOpen.store(true, ordering: .releasing)
        #expect(eventually { here.answers.withLock { $0.count } == 1 })
        #expect(gone.answers.withLock { $0 } == [])
        workers.stop()
    }
}
