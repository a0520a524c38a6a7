// remoted's main thread: hears what is assigned, hands it to the network, says durably what came of it.

import Configuration
import Daemon
import Kernel
import MailModel
import MailPolicy
import Spool
import SpoolFormat

/// What outlives a life of the runner: jobs on their way, and results that no log holds yet.
final class Outbox {
    var departures: Departures
    var unsaid: [RemoteResult] = []

    init(_ remote: Configuration.Remote) {
        departures = Departures(limit: remote.connections, limitPerDomain: remote.connectionsPerDomain)
    }
}

/// One life of the remote delivery agent.
final class Runner {
    private let context: DaemonContext
    private let sender: Sender
    private let outbox: Outbox
    private let events: EventWriter
    private let inbox: AgentInbox
    private let content: ContentReader
    private let inotify: Inotify
    private var ledger = AgentLedger<Never>()
    private var toldLogins: [[UInt8]: MonotonicTime] = [:]

    /// How long a stop waits for messages that have begun to go out; systemd and `mailctl run` wait longer.
    private static let drainMilliseconds: Int64 = 9_000

    init(_ context: DaemonContext, _ sender: Sender, _ outbox: Outbox) throws {
        self.context = context
        self.sender = sender
        self.outbox = outbox
        let spool = context.openSpool()
        events = try EventWriter(spool: spool, .remoted, reserve: 1 << 20)
        content = try ContentReader(spool: spool)
        inotify = try Inotify()
        var known = ledger
        try events.log.forEachNewestRecord { known.replay($0.record) }
        ledger = known
        inbox = try AgentInbox(spool: spool, agent: .remoted, resuming: ledger)
        _ = try inotify.watch(inbox.path, for: [.modified, .movedTo])
        events.log.preamble = { [unowned self] in ledger.stateBlock(cursor: inbox.cursor) }
        try events.log.begin()
        events.append(RecordLine(.start).adding(.pid, Identity.processID), at: .now())
        events.report(events.log.damage, at: .now())
        try events.commit()
        outbox.departures.dropWaiting()
    }

    func run() throws {
        // First of all what the life before had learnt: it must not be sent again.
        takeReports()
        try sayResults()
        adopt(context.live.current)
        while true {
            let wishes = context.wishes()
            if wishes.contains(.stop) { break }
            if wishes.contains(.reload) { adopt(context.live.current) }
            let heardAll = try hear()
            takeReports()
            // What follows goes out while the disk syncs what was said.
            begin()
            try sayResults()
            pause(milliseconds: heardAll ? 1000 : 0)
        }
        drain()
    }

    /// What begins from now on has it.
    private func adopt(_ configuration: Configuration) {
        sender.adopt(configuration)
        outbox.departures.limit(to: configuration.remote.connections, perDomain: configuration.remote.connectionsPerDomain)
    }

    private func pause(milliseconds: Int) {
        if waitReadable([inotify.descriptor.raw, sender.descriptor, context.signals], milliseconds: milliseconds).contains(0) { _ = inotify.drain() }
    }

    /// What has not begun stays assigned, and is begun by the next start.
    private func drain() {
        let end = MonotonicTime.now().adding(milliseconds: Runner.drainMilliseconds)
        sender.drain(within: .milliseconds(Runner.drainMilliseconds))
        while outbox.departures.flights > 0 || !outbox.unsaid.isEmpty, MonotonicTime.now() < end {
            _ = waitReadable([sender.descriptor], milliseconds: 200)
            // What could not be said stays unsaid, and is tried again: without it the next start sends these messages once more.
            takeReports()
            do { try sayResults() } catch { context.warn("\(error)") }
        }
        events.append(RecordLine(.stop), at: .now())
        try? events.commit()
    }

    // MARK: What is asked

    /// True when there was no more to hear.
    private func hear() throws -> Bool {
        let (assigned, heardAll) = try inbox.poll(&ledger)
        for placed in assigned {
            guard let job = Job(placed) else {
                // It stays assigned, where the operator sees it.
                events.append(RecordLine(.problem, placed.record.id).adding(.reason, "an assignment that cannot be read"), at: .now())
                continue
            }
            take(job)
        }
        events.report(inbox.takeDamage(), at: .now())
        let retention = context.live.current.retention.events.components.seconds
        try events.expire(before: WallTime.now().adding(seconds: -retention), consumed: inbox.consumed, now: .now())
        events.publishMetrics(now: .now())
        return heardAll
    }

    private func take(_ job: Job) {
        for copy in job.copies {
            switch ledger.duty(copy.key, assigned: copy.answers) {
            case .begin: _ = outbox.departures.add(job)
            case .say(let line): events.append(line, at: .now())
            case .nothing: break
            }
        }
    }

    private func begin() {
        while let job = outbox.departures.next() {
            do {
                sender.send(job, try outgoing(job))
            } catch {
                if Runner.isDamage(error) {
                    events.append(RecordLine(.corrupt, job.id).adding(.location, job.location.text).adding(.reason, "\(error)"), at: .now())
                }
                let outcome = DeliveryOutcome.temporary(EnhancedStatus(.temporary, 3, 0), reason: Array("the content cannot be read now".utf8))
                ended(JobReport(job: job, results: RemoteResult.same(outcome, for: job)))
            }
        }
    }

    /// What is not there, or cannot be read now, says nothing against what was written.
    private static func isDamage(_ error: any Error) -> Bool {
        if case ContentError.corrupt = error { return true }
        return error is OutgoingContent.MismatchedContent
    }

    private func outgoing(_ job: Job) throws -> OutgoingContent {
        if job.location.position != nil { return OutgoingContent(try content.content(at: job.location, id: job.id)) }
        return try OutgoingContent(checking: try content.big(job.location, id: job.id), job.location)
    }

    // MARK: What is answered

    private func ended(_ report: JobReport) {
        let alike = outbox.departures.ended(report.job, report.reach)
        outbox.unsaid += report.results
        if let result = report.results.first(where: \.isUnreached) { for job in alike { outbox.unsaid += result.alike(for: job) } }
        if report.results.isEmpty { for copy in report.job.copies { outbox.departures.forget(copy.key) } }
    }

    private func takeReports() {
        for report in sender.takeReports() { ended(report) }
    }

    /// Appends and commits; what cannot be committed is kept for the next life.
    private func sayResults() throws {
        for session in sender.takeSessions() { events.append(session, at: .now()) }
        for result in outbox.unsaid { say(result) }
        if events.log.hasPending { try events.commit() }
        for result in outbox.unsaid { outbox.departures.forget(result.copy.key) }
        outbox.unsaid.removeAll()
    }

    /// A password that a host does not take is the administrator's business: told once an hour for each host.
    private func noteRefusedLogin(_ result: RemoteResult, now: MonotonicTime) {
        guard result.isLoginRefused, case .temporary(_, let reason) = result.outcome else { return }
        if let told = toldLogins[result.host], now - told < .seconds(3600) { return }
        if toldLogins.count >= 100 { toldLogins.removeAll() }
        toldLogins[result.host] = now
        let why = Array("does not take our user name and password, or offers no way to prove them (mailctl relay-password): ".utf8) + reason
        events.append(RecordLine(.problem, result.copy.key.id).adding(.host, result.host).adding(.reason, why), at: .now())
    }

    private func say(_ result: RemoteResult) {
        let key = result.copy.key
        let answers = outbox.departures.assignment(of: key) ?? result.copy.answers
        var line: RecordLine
        noteRefusedLogin(result, now: .now())
        switch result.outcome {
        case .delivered:
            line = RecordLine(.sent, key).adding(.host, result.host).adding(.tls, result.tls ?? Array("none".utf8)).adding(.reason, result.reply)
            if result.isRelayed { line.add(.result, "relayed") }
            ledger.set(key, .final(line))
        case .permanent(let status, let reason):
            line = RecordLine(.failed, key).adding(.host, result.host).adding(.status, status.description).adding(.reason, reason)
            ledger.set(key, .final(line))
        case .temporary(let status, let reason):
            line = RecordLine(.temporary, key).adding(.answers, answers.text).adding(.host, result.host)
            line = line.adding(.status, status.description).adding(.reason, reason)
            if result.isUnreached { line.add(.result, "unreached") }
            if let policy = result.keptBy { line.add(.tlspolicy, policy.rawValue) }
            ledger.set(key, .answered(answers, line))
        }
        events.append(line, at: .now())
    }
}
