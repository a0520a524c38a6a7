// The network half of remoted: finds servers on worker threads, talks to them on a loop, posts reports to the main thread.

import Configuration
import Connection
import Kernel
import MailFormat
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
        guard !stops, !job.options.requiresTLS, !job.isTooLate(at: .now()), let connection = kept.take(for: job) else { return sendAnew(job, content) }
        connection.terms.taking(job, content).begin(connection.targets, with: self, on: connection)
    }

    fileprivate func sendAnew(_ job: Job, _ content: OutgoingContent) {
        workers.submit { [self] in
            let settings = settings
            guard !job.isTooLate(at: .now()) else { return post(job, RemoteResult.late(job)) }
            switch settings.finder.targets(for: job) {
            case .failed(let outcome): post(job, RemoteResult.same(outcome, for: job).map(\.ofDestination))
            case .found(let found):
                let targets = ordered(found, settings.configuration.retry)
                consult(settings, job, targets) {
                    Attempt(job: job, content: content, configuration: settings.configuration, resolver: settings.finder.resolver, finding: $0)
                        .begin(targets[...], with: self)
                }
            }
        }
    }

    /// The policy of the domain, where its own word is what led to the servers.
    private func consult(_ settings: Settings, _ job: Job, _ targets: [Target], then: @escaping @Sendable (STSFinding) -> Void) {
        let remote = settings.configuration.remote
        let isFixed = remote.tls == .never || remote.tlsFor.contains { $0.domain == job.domain }
        guard remote.mtaSTS, !isFixed || job.options.requiresTLS, !job.domain.isAddressLiteral, targets.contains(where: { !$0.isNamed }) else {
            return then(STSFinding())
        }
        let means = PolicyBook.Means(
            resolver: settings.finder.resolver, port: UInt16(clamping: remote.mtaSTSPort), tls: proving.tls(remote.roots))
        policies.consult(job.domain, means, then: then)
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

    /// One server's turn; `conclude` is called once, on its loop.
    fileprivate func talk(
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
            credentials: security.login.map { ClientConfiguration.Credentials($0) }, usesChunking: content.isLines)
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

    fileprivate func say(_ session: RecordLine) { sessions.withLock { $0.append(session) } }

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
    let resolver: StubResolver
    let finding: STSFinding
    /// For the next connection alone, in place of what is decided about its server.
    var weaker: Security?
    /// What the server before this one came to.
    var last: [RemoteResult] = []
    /// Some server could not be asked: what the others lack is not the last word.
    var isInDoubt = false

    /// Itself for other messages under the same terms.
    var withoutMessage: Attempt {
        var terms = self
        terms.content = OutgoingContent([])
        terms.weaker = nil
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
        // The servers before may have taken the time that was left.
        guard !job.isTooLate(at: .now()) else { return sender.post(job, RemoteResult.late(job)) }
        if let connection { return talk(to: targets, connection.security, with: sender, on: connection) }
        if let weaker { return talk(to: targets, weaker, with: sender) }
        switch SecurityFinder(resolver: resolver, configuration: configuration).security(of: target, for: job, finding) {
        case .connect(let security): introduce(to: targets, security, with: sender)
        case .refuse(let fault, let source): refuse(target, fault, source, targets, with: sender)
        }
    }

    /// With a password where there is one for this server.
    private func introduce(to targets: ArraySlice<Target>, _ security: Security, with sender: Sender) {
        guard let target = targets.first else { return }
        switch sender.login(for: target, of: job) {
        case .none: talk(to: targets, security.meeting(target, nil), with: sender)
        case .found(let login): talk(to: targets, security.meeting(target, login), with: sender)
        case .unavailable(let reason):
            sender.post(job, RemoteResult.same(.temporary(EnhancedStatus(.temporary, 3, 5), reason: Array(reason.utf8)), for: job))
        }
    }

    /// A server that the policy keeps us from: the next one may do.
    private func refuse(_ target: Target, _ fault: TransportFault, _ source: TransportPolicy.Source, _ targets: ArraySlice<Target>, with sender: Sender) {
        let security = Security(policy: TransportPolicy(.required, .nothing, source), serverName: target.host.bytes)
        sender.say(security.event(job, target, tls: nil, fault, isConnected: false))
        let reason = Array("\(target): \(fault.reason)".utf8)
        let outcome: DeliveryOutcome = fault.isPermanent ? .permanent(EnhancedStatus(.permanent, 7, 30), reason: reason)
            : .temporary(EnhancedStatus(.temporary, 7, 5), reason: reason)
        let results = job.copies.map { RemoteResult(copy: $0, outcome: outcome, host: Array("\(target)".utf8), keptBy: source) }
        conclude(results, speaksOfHost: true, targets, with: sender)
    }

    private func talk(to targets: ArraySlice<Target>, _ security: Security, with sender: Sender, on connection: KeptConnection? = nil) {
        guard let target = targets.first else { return }
        sender.talk(self, to: targets, security, on: connection) { report in
            switch report {
            case .givenUp: sender.post(job, [])
            case .stale: sender.sendAnew(job, content)
            case .results(let found, let ending, let tls, let wasSecuring):
                sender.note(target, isReached: !found.allSatisfy(Attempt.speaksOfBeginning), self.configuration.retry)
                let fault = security.fault(found, ending, wasSecuring: wasSecuring)
                if connection == nil { sender.say(security.event(job, target, tls: tls, fault, isConnected: !Attempt.neverSpoke(found, ending))) }
                let results = self.results(found, from: target, ending, tls).map { kept($0, by: security, fault, target) }
                if let weaker = fault.flatMap(security.weakened) {
                    var again = self
                    again.weaker = weaker
                    let next = again
                    sender.later { next.begin(targets, with: sender) }
                } else if content.isEightBit, found.contains(where: { $0.missing.contains(.eightBitMIME) && $0.stage == .hello && $0.reply.isEmpty }) {
                    sender.later { convert(after: results, targets, with: sender) }
                } else {
                    conclude(results, speaksOfHost: Attempt.speaksOfHost(found), targets, with: sender)
                }
            }
        }
    }

    /// Another server if this one spoke of itself alone, or the end.
    private func conclude(_ results: [RemoteResult], speaksOfHost: Bool, _ targets: ArraySlice<Target>, with sender: Sender) {
        if speaksOfHost, targets.count > 1 {
            var other = self
            // That one host cannot encrypt says nothing of the next.
            other.weaker = nil
            other.last = results
            other.isInDoubt = isInDoubt || results.contains(where: \.isTemporary)
            let next = other
            sender.later { next.begin(targets.dropFirst(), with: sender) }
        } else {
            sender.post(job, isInDoubt && speaksOfHost ? results.map(\.undecided) : results)
        }
    }

    /// RFC 6152 §3: the same server once more, with the content in 7 bits; what has no such form goes to another server, or back.
    private func convert(after results: [RemoteResult], _ targets: ArraySlice<Target>, with sender: Sender) {
        do {
            var next = self
            next.content = try content.sevenBit()
            next.begin(targets, with: sender)
        } catch let error as ConversionError {
            conclude(results.map { $0.unsayable(error.obstacle) }, speaksOfHost: true, targets, with: sender)
        } catch {
            let outcome = DeliveryOutcome.temporary(EnhancedStatus(.temporary, 3, 0), reason: Array("the content cannot be read now".utf8))
            sender.post(job, RemoteResult.same(outcome, for: job))
        }
    }

    private func results(_ found: [RecipientResult], from target: Target, _ ending: Ending?, _ tls: [UInt8]?) -> [RemoteResult] {
        zip(job.copies, found).map { copy, result in
            var outcome = result.outcome.quoting(result.reply).bounded
            if let (status, why) = ending.flatMap(Attempt.cause), case .temporary(let said, _) = outcome, result.reply.isEmpty {
                outcome = .temporary(status ?? said, reason: Array("\(target): \(why)".utf8))
            }
            let isStranger = target.isStranger(result)
            if isStranger { outcome = outcome.waiting }
            return RemoteResult(copy: copy, outcome: outcome, host: Array("\(target)".utf8), tls: tls, reply: result.reply.asOneLine,
                isRelayed: result.missing.contains(.dsn), isUnreached: !job.options.requiresTLS && Attempt.speaksOfBeginning(result), isLoginRefused: isStranger)
        }
    }

    /// In the policy's words, where it was the policy that kept the mail.
    private func kept(_ result: RemoteResult, by security: Security, _ fault: TransportFault?, _ target: Target) -> RemoteResult {
        guard let fault, security.policy.encryption == .required else { return result }
        let sentence = Array("\(target): \(security.sentence(fault, domain: job.domain, isAsked: job.options.requiresTLS))".utf8)
        var kept = result
        kept.keptBy = security.policy.source
        switch result.outcome {
        case .delivered: return result
        case .temporary(let status, _): kept.outcome = .temporary(status, reason: sentence)
        case .permanent(let status, _): kept.outcome = .permanent(status, reason: sentence)
        }
        return kept
    }

    /// It ended before the server had said what it offers.
    private static func neverSpoke(_ found: [RecipientResult], _ ending: Ending?) -> Bool {
        if case .notConnected? = ending { return true }
        return found.first?.stage == .greeting
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

    /// Back to its sender: the server takes 7 bits, and the message has no such form.
    fileprivate func unsayable(_ obstacle: ConversionObstacle) -> RemoteResult {
        let status = EnhancedStatus(.permanent, 6, obstacle == .header ? 9 : 3)
        let reason = "the server takes 7-bit content only, and the message cannot be changed to that: \(obstacle.words)"
        var result = RemoteResult(copy: copy, outcome: .permanent(status, reason: Array(reason.utf8)), host: host)
        result.tls = tls
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
