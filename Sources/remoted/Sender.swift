// The network half of remoted: finds servers on worker threads, talks to them on a loop, posts reports to the main thread.

import Configuration
import Connection
import Kernel
import MailModel
import Resolver
import SMTPProtocol
import Synchronization

/// Sends jobs; each job gets exactly one report.
final class Sender: Sendable {
    /// What the configuration says of attempts that begin now.
    private struct Settings: Sendable {
        let configuration: Configuration
        let finder: DestinationFinder

        init(_ configuration: Configuration) {
            self.configuration = configuration
            let resolver = StubResolver(servers: configuration.dns.servers.map { ($0.host, $0.port) })
            finder = DestinationFinder(resolver: resolver, smarthost: configuration.remote.smarthost, port: UInt16(clamping: configuration.remote.port))
        }
    }

    private let current: Mutex<Settings>
    private var settings: Settings { current.withLock { $0 } }
    private let dialer: Dialer
    private let kept: KeptConnections
    private let unreachable = Mutex(UnreachableHosts<SocketName>())
    private let workers = WorkerPool(threads: 8)
    private let tls: ClientTLS?
    private let reports = Mutex<[JobReport]>([])
    private let isDraining = Atomic<Bool>(false)
    private let wakeup: WakeupHolder

    private final class WakeupHolder: Sendable {
        let wakeup: Wakeup
        init(_ wakeup: consuming Wakeup) { self.wakeup = wakeup }
    }

    init(_ configuration: Configuration) {
        current = Mutex(Settings(configuration))
        dialer = Dialer(loops: LoopGroup(loops: 1), limit: Sender.most(configuration))
        kept = KeptConnections(limit: configuration.remote.connections)
        tls = try? ClientTLS.opportunistic()
        do throws(KernelError) { wakeup = WakeupHolder(try Wakeup()) } catch {
            writeToStandardError(Array("remoted: \(error)\n".utf8))
            Identity.exit(75)
        }
    }

    /// Connections that only wait for the answer to QUIT count too.
    private static func most(_ configuration: Configuration) -> Int { configuration.remote.connections * 4 }

    func adopt(_ configuration: Configuration) {
        current.withLock { $0 = Settings(configuration) }
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

    /// Ends what has not begun to send its message, and gives the rest this long.
    func drain(within limit: Duration) {
        isDraining.store(true, ordering: .releasing)
        kept.dismissAll()
        dialer.drain(within: limit) { _ in }
    }

    /// On a connection that its lane has kept, or on a new one.
    func send(_ job: Job, _ content: OutgoingContent) {
        guard !stops, !job.options.requiresTLS, !job.isTooLate(at: .now()), let connection = kept.take(LaneName(job)) else { return sendAnew(job, content) }
        connection.terms.taking(job, content).begin(connection.targets, with: self, on: connection)
    }

    fileprivate func sendAnew(_ job: Job, _ content: OutgoingContent) {
        workers.submit { [self] in
            let settings = settings
            guard !job.isTooLate(at: .now()) else {
                let late = DeliveryOutcome.temporary(EnhancedStatus(.temporary, 4, 7), reason: Array("the time that its sender allowed is over".utf8))
                return post(job, RemoteResult.same(late, for: job))
            }
            switch settings.finder.targets(for: job) {
            case .failed(let outcome): post(job, RemoteResult.same(outcome, for: job).map(\.ofDestination))
            case .found(let found):
                let targets = ordered(found, settings.configuration.retry)
                Attempt(job: job, content: content, configuration: settings.configuration, tls: policy(job, settings.configuration.remote.tls)).begin(targets[...], with: self)
            }
        }
    }

    private func ordered(_ targets: [Target], _ retry: Configuration.Retry) -> [Target] {
        unreachable.withLock {
            $0.ordered(targets, initial: retry.initial.components.seconds, maximum: retry.maximum.components.seconds, now: .now(), host: \.socket)
        }
    }

    /// What a connection that was begun says of its host.
    fileprivate func note(_ target: Target, isReached: Bool, _ retry: Configuration.Retry) {
        unreachable.withLock {
            $0.note(target.socket, isReached: isReached, initial: retry.initial.components.seconds, maximum: retry.maximum.components.seconds, now: .now())
        }
    }

    private func policy(_ job: Job, _ wish: RemoteTLS) -> ClientConfiguration.TLSPolicy {
        if job.options.requiresTLS { return .required }
        return switch wish {
        case .opportunistic: tls == nil ? .never : .opportunistic
        case .required: .required
        case .never: .never
        }
    }

    /// One server's turn; `conclude` is called once, on its loop.
    fileprivate func talk(_ attempt: Attempt, to target: Target, of targets: ArraySlice<Target>, on connection: KeptConnection?, conclude: @escaping @Sendable (DialogueReport) -> Void) {
        let configuration = attempt.configuration
        let patience = Patience(command: configuration.remote.commandTimeout)
        let machine = ClientConfiguration(clientName: configuration.hostname, tls: attempt.tls, usesChunking: attempt.content.isLines)
        let job = attempt.job, content = attempt.content
        // RFC 8689 §4.2.1: the server must prove its name. Seldom asked for, so the roots are read when they are needed.
        let tls = job.options.requiresTLS ? try? ClientTLS.verified(rootsFile: configuration.remote.roots.map(\.bytes)) : tls
        let message = job.message(content, now: .now())
        if let connection {
            if !connection.offer(Errand(message: message, content: content, report: conclude)) { conclude(.stale) }
            return
        }
        let kept = job.options.requiresTLS ? nil : KeptConnection(attempt, targets, owner: kept)
        dialer.dial(target.socket, as: "smtp", timeout: configuration.remote.connectTimeout) {
            RemoteDriver(
                ClientSession(configuration: machine, message: message), content: content, tls: tls, serverName: target.host.bytes,
                patience: patience, kept: kept, report: conclude)
        }
    }

    /// The next server is dialled from a worker: a chain of refusals must not grow the loop's stack.
    fileprivate func later(_ work: @escaping @Sendable () -> Void) { workers.submit(work) }
    fileprivate var stops: Bool { isDraining.load(ordering: .acquiring) }

    fileprivate func post(_ job: Job, _ results: [RemoteResult]) {
        reports.withLock { $0.append(JobReport(job: job, results: results)) }
        wakeup.wakeup.signal()
    }
}

/// A job's way through the servers of its destination, until one of them speaks of the message.
struct Attempt: Sendable {
    private(set) var job: Job
    private(set) var content: OutgoingContent
    /// As it was when the attempt began: a reload changes the next one.
    let configuration: Configuration
    var tls: ClientConfiguration.TLSPolicy
    /// What the server before this one came to.
    var last: [RemoteResult] = []
    /// Some server could not be asked: what the others lack is not the last word.
    var isInDoubt = false

    /// Itself for other messages under the same terms.
    var withoutMessage: Attempt {
        var terms = self
        terms.content = OutgoingContent([])
        terms.last = []
        terms.isInDoubt = false
        return terms
    }

    func taking(_ job: Job, _ content: OutgoingContent) -> Attempt {
        var next = self
        next.job = job
        next.content = content
        return next
    }

    /// `connection` leads to the first of these servers already.
    func begin(_ targets: ArraySlice<Target>, with sender: Sender, on connection: KeptConnection? = nil) {
        guard !sender.stops else { return sender.post(job, []) }
        guard let target = targets.first else { return sender.post(job, last) }
        sender.talk(self, to: target, of: targets, on: connection) { report in
            switch report {
            case .givenUp: sender.post(job, [])
            case .stale: sender.sendAnew(job, content)
            case .results(let found, let ending, let tls, let wasSecuring):
                sender.note(target, isReached: !found.allSatisfy(Attempt.speaksOfBeginning), self.configuration.retry)
                let results = self.results(found, from: target, ending, tls)
                if wasSecuring, self.tls == .opportunistic {
                    // RFC 7435 §3: what cannot be encrypted is sent in clear, where that is allowed at all.
                    var plain = self
                    plain.tls = .never
                    let next = plain
                    sender.later { next.begin(targets, with: sender) }
                } else if Attempt.speaksOfHost(found), targets.count > 1 {
                    var other = self
                    other.last = results
                    other.isInDoubt = isInDoubt || results.contains(where: \.isTemporary)
                    let next = other
                    sender.later { next.begin(targets.dropFirst(), with: sender) }
                } else if self.isInDoubt, Attempt.speaksOfHost(found) {
                    sender.post(job, results.map(\.undecided))
                } else {
                    sender.post(job, results)
                }
            }
        }
    }

    private func results(_ found: [RecipientResult], from target: Target, _ ending: Ending?, _ tls: [UInt8]?) -> [RemoteResult] {
        zip(job.copies, found).map { copy, result in
            var outcome = result.outcome.bounded
            if let (status, why) = ending.flatMap(Attempt.cause), case .temporary(let said, _) = outcome, result.reply.isEmpty {
                outcome = .temporary(status ?? said, reason: Array("\(target): \(why)".utf8))
            }
            return RemoteResult(copy: copy, outcome: outcome, host: Array("\(target)".utf8), tls: tls, reply: result.reply.asOneLine,
                isRelayed: result.missing.contains(.dsn), isUnreached: !job.options.requiresTLS && Attempt.speaksOfBeginning(result))
        }
    }

    /// What an ending says beyond what the session knows.
    private static func cause(_ ending: Ending) -> (EnhancedStatus?, String)? {
        switch ending {
        case .notConnected(let reason): (EnhancedStatus(.temporary, 4, 1), "cannot connect: \(plain(reason))")
        case .tlsFailed(let reason): (EnhancedStatus(.temporary, 7, 5), "TLS failed: \(reason)")
        case .failed(let reason): (EnhancedStatus(.temporary, 4, 2), "the connection broke: \(plain(reason))")
        case .stalled: (EnhancedStatus(.temporary, 4, 2), "it takes nothing more")
        case .closed, .peerClosed, .drained, .handedOver: nil
        }
    }

    /// The kernel's words without the network library's around them.
    private static func plain(_ reason: String) -> String {
        if reason.contains("connectTimeout") { return "no answer in time" }
        let known = ["Connection refused", "No route to host", "Network is unreachable", "Connection timed out", "Connection reset by peer", "Broken pipe"]
        return known.first { reason.contains($0) }?.lowercased() ?? reason
    }

    /// No session began: the next message would fare no better.
    private static func speaksOfBeginning(_ result: RecipientResult) -> Bool {
        guard case .temporary = result.outcome else { return false }
        return switch result.stage {
        case .greeting, .hello, .startTLS, .handshake, .authentication: true
        case .reset, .mail, .recipients, .data, .content, .end, .idle, .quit, .closed: false
        }
    }

    /// Nothing was said about the message: another server of the domain may do better.
    private static func speaksOfHost(_ results: [RecipientResult]) -> Bool {
        results.allSatisfy { result in
            // Our own word about what the host lacks.
            if case .permanent = result.outcome { return result.stage == .hello && result.reply.isEmpty }
            guard case .temporary = result.outcome else { return false }
            switch result.stage {
            case .greeting, .hello, .startTLS, .handshake, .authentication: return true
            // No reply: the connection broke before the message could have been taken.
            case .reset, .mail, .recipients, .data: return result.reply.isEmpty
            case .content, .end, .idle, .quit, .closed: return false
            }
        }
    }
}

extension RemoteResult {
    fileprivate var isTemporary: Bool {
        if case .temporary = outcome { return true }
        return false
    }

    /// The same as the word on a destination of which nothing can be found out now.
    fileprivate var ofDestination: RemoteResult {
        var result = self
        result.isUnreached = isTemporary
        return result
    }

    /// The same, to be tried again.
    fileprivate var undecided: RemoteResult {
        guard case .permanent(let status, let reason) = outcome else { return self }
        return RemoteResult(
            copy: copy, outcome: .temporary(EnhancedStatus(.temporary, status.subject, status.detail), reason: reason), host: host, tls: tls, reply: reply)
    }
}

extension DeliveryOutcome {
    /// With a reason that fits a record and a notice, whatever the server wrote.
    fileprivate var bounded: DeliveryOutcome {
        switch self {
        case .delivered: .delivered
        case .temporary(let status, let reason): .temporary(status, reason: reason.asOneLine)
        case .permanent(let status, let reason): .permanent(status, reason: reason.asOneLine)
        }
    }
}

extension [UInt8] {
    /// At most 1000 octets, line ends as blanks.
    fileprivate var asOneLine: [UInt8] {
        let text = prefix(1000).map { $0 == 13 || $0 == 10 ? 0x20 : $0 }
        return Array(text.reversed().drop { $0 == 0x20 }.reversed())
    }
}
