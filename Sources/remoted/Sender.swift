// The network half of remoted: finds servers on worker threads, talks to them on a loop, posts reports to the main thread.

import Configuration
import Connection
import Kernel
import MailModel
import MailPolicy
import Privileges
import Resolver
import SpoolFormat
import SMTPProtocol
import Synchronization

/// Sends jobs; each job gets exactly one report.
final class Sender: Sendable {
    /// What the configuration says of attempts that begin now.
    private struct Settings: Sendable {
        let configuration: Configuration
        let finder: DestinationFinder

        init(_ configuration: Configuration, _ addresses: [[UInt8]]) {
            self.configuration = configuration
            let resolver = StubResolver(
                servers: configuration.dns.servers.map { ($0.host, $0.port) }, trust: configuration.dns.trustAD.trust, remembers: true)
            finder = DestinationFinder(resolver: resolver, smarthost: configuration.remote.smarthost, port: UInt16(clamping: configuration.remote.port),
                sockets: configuration.remote.sockets, ownListeners: OwnListeners(configuration.listen, addresses: addresses))
        }
    }

    private let current: Mutex<Settings>
    /// Of this machine, as they were at the start.
    private let addresses: [[UInt8]]
    private var settings: Settings { current.withLock { $0 } }
    let relays: RelayBook
    private let dialer: Dialer
    private let kept: KeptConnections
    private let unreachable = Mutex(UnreachableHosts<SocketName>())
    private let workers = WorkerPool(threads: 8)
    private let tls: ClientTLS?
    private let proving = ProvingTLS()
    private let policies: PolicyBook
    private let sessions = Mutex<[RecordLine]>([])
    private let reports = Mutex<[JobReport]>([])
    private let isDraining = Atomic<Bool>(false)
    private let wakeup: WakeupHolder

    private final class WakeupHolder: Sendable {
        let wakeup: Wakeup
        init(_ wakeup: consuming Wakeup) { self.wakeup = wakeup }
    }

    init(_ configuration: Configuration, addresses: [[UInt8]]) {
        self.addresses = addresses
        current = Mutex(Settings(configuration, addresses))
        relays = RelayBook(folder: configuration.paths.relay)
        let loops = LoopGroup(loops: 1)
        dialer = Dialer(loops: loops, limit: Sender.most(configuration))
        kept = KeptConnections(limit: configuration.remote.connections)
        policies = PolicyBook(configuration, loops: loops)
        tls = try? ClientTLS.opportunistic()
        do throws(KernelError) { wakeup = WakeupHolder(try Wakeup()) } catch {
            writeToStandardError(Array("remoted: \(error)\n".utf8))
            Identity.exit(75)
        }
    }

    /// Connections that only wait for the answer to QUIT count too.
    private static func most(_ configuration: Configuration) -> Int { configuration.remote.connections * 4 }

    func adopt(_ configuration: Configuration) {
        current.withLock { $0 = Settings(configuration, addresses) }
        dialer.limit(to: Sender.most(configuration))
        kept.dismissAll(limit: configuration.remote.connections)
    }

    /// Readable when there are reports.
    var descriptor: Int32 { wakeup.wakeup.descriptor.raw }

    func takeReports() -> [JobReport] {
        wakeup.wakeup.clear()
        return reports.withLock { reports in
            defer { reports = [] }
            return reports
        }
    }

    /// What is to be said of connections since the last call.
    func takeSessions() -> [RecordLine] {
        sessions.withLock { sessions in
            defer { sessions = [] }
            return sessions
        }
    }

    /// Ends what has not begun to send its message, and gives the rest this long.
    func drain(within limit: Duration) {
        isDraining.store(true, ordering: .releasing)
        kept.dismissAll()
        dialer.drain(within: limit) { _ in }
    }

    /// On a connection that its lane has kept, or on a new one.
    func send(_ job: Job, _ content: OutgoingContent) {
        guard !stops, !job.options.requiresTLS, !job.isTooLate(at: .now()), let connection = kept.take(for: job, relays) else { return sendAnew(job, content) }
        let attempt = connection.terms.taking(job, content)
        // Whose addresses are not ASCII is read through before it goes: not on this thread.
        guard job.options.isUTF8 else { return attempt.begin(connection.targets, with: self, on: connection) }
        workers.submit { [self] in attempt.begin(connection.targets, with: self, on: connection) }
    }

    func sendAnew(_ job: Job, _ content: OutgoingContent) {
        workers.submit { [self] in
            let generation = kept.generation
            let settings = settings
            guard !job.isTooLate(at: .now()) else { return post(job, RemoteResult.late(job)) }
            switch settings.finder.targets(for: job) {
            case .failed(let outcome): post(job, RemoteResult.same(outcome, for: job).map(\.ofDestination))
            case .found(let found):
                let targets = ordered(found, settings.configuration.retry)
                consult(settings, job, targets) {
                    Attempt(job: job, content: content, configuration: settings.configuration, resolver: settings.finder.resolver, finding: $0, generation: generation)
                        .begin(targets[...], with: self)
                }
            }
        }
    }

    /// The policy of the domain, where its own word is what led to the servers.
    private func consult(_ settings: Settings, _ job: Job, _ targets: [Target], then: @escaping @Sendable (STSFinding) -> Void) {
        let remote = settings.configuration.remote
        let isFixed = remote.tls == .never || remote.tls(for: job.domain) != nil
        guard remote.mtaSTS, !isFixed || job.options.requiresTLS, !job.domain.isAddressLiteral, targets.contains(where: { !$0.isNamed }) else {
            return then(STSFinding())
        }
        let means = PolicyBook.Means(
            resolver: settings.finder.resolver, port: UInt16(clamping: remote.mtaSTSPort), tls: proving.tls(remote.roots))
        // Those who wait for one policy must not wait for each other's questions too.
        policies.consult(job.domain, means) { [self] finding in later { then(finding) } }
    }

    private func ordered(_ targets: [Target], _ retry: Configuration.Retry) -> [Target] {
        unreachable.withLock {
            $0.ordered(targets, initial: retry.initial.components.seconds, maximum: retry.maximum.components.seconds, now: .now(), host: \.socket)
        }
    }

    /// What a connection that was begun says of its host.
    func note(_ target: Target, isReached: Bool, _ retry: Configuration.Retry) {
        unreachable.withLock {
            $0.note(target.socket, isReached: isReached, initial: retry.initial.components.seconds, maximum: retry.maximum.components.seconds, now: .now())
        }
    }

    /// One server's turn; `conclude` is called once, on its loop.
    func talk(
        _ attempt: Attempt, to targets: ArraySlice<Target>, _ security: Security, on connection: KeptConnection?,
        conclude: @escaping @Sendable (DialogueReport) -> Void
    ) {
        guard let target = targets.first else { return }
        let configuration = attempt.configuration
        let patience = Patience(command: configuration.remote.commandTimeout)
        let job = attempt.job, content = attempt.content
        let message = job.message(content, now: .now())
        if let connection {
            if !connection.offer(Errand(message: message, content: content, report: conclude)) { conclude(.stale) }
            return
        }
        let tls = tls(security, configuration)
        let encryption = tls == nil && security.policy.encryption == .opportunistic ? .never : security.policy.encryption.policy
        let machine = ClientConfiguration(
            clientName: configuration.hostname, dialect: target.transport == .lmtp ? .lmtp : .smtp, tls: encryption,
            credentials: security.login.map { ClientConfiguration.Credentials($0) })
        let implicit = target.transport == .smtps ? tls.map { ImplicitTLS($0, serverName: target.serverName) } : nil
        guard target.transport != .smtps || implicit != nil else {
            return post(job, RemoteResult.same(.temporary(EnhancedStatus(.temporary, 7, 5), reason: Array("TLS cannot be set up".utf8)), for: job))
        }
        let kept = job.options.requiresTLS ? nil : KeptConnection(attempt, targets, security, owner: kept)
        dialer.dial(target.socket, as: "smtp", timeout: configuration.remote.connectTimeout, implicitTLS: implicit) {
            RemoteDriver(
                ClientSession(configuration: machine, isTLS: implicit != nil, message: message), content: content, tls: tls, serverName: security.serverName,
                patience: patience, kept: kept, report: conclude)
        }
    }

    private func tls(_ security: Security, _ configuration: Configuration) -> ClientTLS? {
        switch security.policy.proof {
        case .nothing: tls
        case .name: proving.tls(configuration.remote.roots)
        case .demand(let demand): try? ClientTLS.checked(by: demand.check(names: security.names))
        }
    }

    func say(_ session: RecordLine) { sessions.withLock { $0.append(session) } }

    /// The next server is dialled from a worker: a chain of refusals must not grow the loop's stack.
    func later(_ work: @escaping @Sendable () -> Void) { workers.submit(work) }
    var stops: Bool { isDraining.load(ordering: .acquiring) }

    func post(_ job: Job, _ results: [RemoteResult]) {
        reports.withLock { $0.append(JobReport(job: job, results: results)) }
        wakeup.wakeup.signal()
    }
}
