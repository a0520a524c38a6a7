// The network half of remoted: finds servers on worker threads, talks to them on a loop, posts results to the main thread.

import Configuration
import Connection
import Kernel
import MailModel
import Resolver
import SMTPProtocol
import Synchronization

/// Sends jobs; each copy of each job gets exactly one result.
final class Sender: Sendable {
    private let configuration: Configuration
    private let finder: DestinationFinder
    private let dialer = Dialer(loops: LoopGroup(loops: 1))
    private let workers = WorkerPool(threads: 8)
    private let tls: ClientTLS?
    private let results = Mutex<[RemoteResult]>([])
    private let wakeup: WakeupHolder

    private final class WakeupHolder: Sendable {
        let wakeup: Wakeup
        init(_ wakeup: consuming Wakeup) { self.wakeup = wakeup }
    }

    init(_ configuration: Configuration) {
        self.configuration = configuration
        let resolver = StubResolver(servers: configuration.dns.servers.map { ($0.host, $0.port) })
        finder = DestinationFinder(resolver: resolver, smarthost: configuration.remote.smarthost, port: UInt16(clamping: configuration.remote.port))
        tls = try? ClientTLS.opportunistic()
        do throws(KernelError) { wakeup = WakeupHolder(try Wakeup()) } catch {
            writeToStandardError(Array("remoted: \(error)\n".utf8))
            Identity.exit(75)
        }
    }

    /// Readable when there are results.
    var descriptor: Int32 { wakeup.wakeup.descriptor.raw }

    func takeResults() -> [RemoteResult] {
        wakeup.wakeup.clear()
        return results.withLock { results in
            defer { results = [] }
            return results
        }
    }

    func send(_ job: Job, _ content: OutgoingContent) {
        workers.submit { [self] in
            switch finder.targets(for: job) {
            case .failed(let outcome): post(job.copies.map { RemoteResult(copy: $0, outcome: outcome, host: job.domain.bytes, tls: nil) })
            case .found(let targets): attempt(job, content, targets[...], last: nil)
            }
        }
    }

    /// Tries one server; if it cannot be reached or will not talk, the next.
    private func attempt(_ job: Job, _ content: OutgoingContent, _ targets: ArraySlice<Target>, last: DeliveryOutcome?) {
        guard let target = targets.first else {
            let outcome = last ?? .temporary(EnhancedStatus(.temporary, 4, 1), reason: Array("no server could be reached".utf8))
            return post(job.copies.map { RemoteResult(copy: $0, outcome: outcome, host: job.domain.bytes, tls: nil) })
        }
        let policy: ClientConfiguration.TLSPolicy =
            switch configuration.remote.tls {
            case .opportunistic: tls == nil ? .never : .opportunistic
            case .required: .required
            case .never: .never
            }
        let settings = ClientConfiguration(clientName: configuration.hostname, tls: policy)
        let message = OutgoingMessage(sender: job.sender, recipients: job.copies.map(\.address), size: content.length, body: .eightBitMIME)
        let host = Array("\(target.host) [\(target.socket)]".utf8)
        dialer.dial(target.socket, as: "smtp", timeout: configuration.remote.connectTimeout) { [self] in
            RemoteDriver(settings, message, content: content, tls: tls, serverName: target.host.bytes) { [self] results, ending, tls in
                let rest = targets.dropFirst()
                guard let results, !Sender.speaksOfHost(results) || rest.isEmpty else {
                    let reason = results?.first.map(\.outcome) ?? .temporary(EnhancedStatus(.temporary, 4, 1), reason: Array("\(target.socket): \(ending)".utf8))
                    return workers.submit { self.attempt(job, content, rest, last: reason) }
                }
                post(zip(job.copies, results).map { RemoteResult(copy: $0, outcome: $1.outcome, host: host, tls: tls) })
            }
        }
    }

    /// Nothing was said about a recipient: another server of the domain may do better.
    private static func speaksOfHost(_ results: [RecipientResult]) -> Bool {
        results.allSatisfy { result in
            guard case .temporary = result.outcome else { return false }
            switch result.stage {
            case .greeting, .hello, .startTLS, .handshake, .authentication: return true
            case .reset, .mail, .recipients, .data, .content, .end, .idle, .quit, .closed: return false
            }
        }
    }

    private func post(_ found: [RemoteResult]) {
        results.withLock { $0 += found }
        wakeup.wakeup.signal()
    }
}
