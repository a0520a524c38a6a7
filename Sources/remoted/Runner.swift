// remoted's main thread: hears what is assigned, hands it to the network, says durably what came of it.

import Configuration
import Daemon
import Kernel
import MailModel
import Spool
import SpoolFormat

/// One life of the remote delivery agent.
final class Runner {
    private let context: DaemonContext
    private let sender: Sender
    private let events: EventWriter
    private let follower: LogFollower
    private let content: ContentReader
    private let inotify: Inotify
    private var ledger = AgentLedger<Never>()
    private var waiting: [Job] = []
    private var inFlight: Set<CopyKey> = []
    private var connections = 0
    /// How far queued has durably read our events.
    private var consumed = LogPosition.start

    init(_ context: DaemonContext, _ sender: Sender) throws {
        self.context = context
        self.sender = sender
        let spool = context.openSpool()
        events = try EventWriter(spool: spool, .remoted, reserve: 1 << 20)
        content = try ContentReader(spool: spool)
        inotify = try Inotify()
        for placed in try events.log.newestRecords() { ledger.replay(placed.record) }
        let start = try ledger.resumption ?? LogFollower.newestSegment(spool: spool, LogName(.queued, .events))
        follower = try LogFollower(spool: spool, LogName(.queued, .events), from: start)
        _ = try inotify.watch(follower.path, for: [.modified, .movedTo])
        events.log.preamble = { [unowned self] in ledger.stateBlock(cursor: follower.safePosition) }
        try events.log.begin()
        events.append(RecordLine(.start).adding(.pid, Identity.processID), at: .now())
        try events.commit()
    }

    func run() throws {
        var stopping = false
        var deadline = MonotonicTime.now()
        while true {
            if !stopping, context.wishes().contains(.stop) {
                stopping = true
                deadline = MonotonicTime.now().adding(milliseconds: 10_000)
            }
            if stopping, inFlight.isEmpty || MonotonicTime.now() >= deadline { break }
            if !stopping {
                try hear()
                send()
            }
            takeResults()
            if events.log.hasPending { try events.commit() }
            if waitReadable([inotify.descriptor.raw, sender.descriptor, context.signals], milliseconds: 1000).contains(0) { _ = inotify.drain() }
        }
        events.append(RecordLine(.stop), at: .now())
        try events.commit()
    }

    private func hear() throws {
        for placed in try follower.poll(limit: 1024) {
            switch placed.record.verb {
            case .assign: if let job = Job(placed) { take(job) }
            case .pending: if placed.record[.answers] != nil, let job = Job(placed) { take(job) }
            case .cursor:
                if placed.record[.log] == LogName(.remoted, .events).text { consumed = placed.record[.upto].flatMap { LogPosition(parsing: $0) } ?? consumed }
            case .done: if let id = placed.record.id { ledger.forget(id) }
            default: break
            }
        }
        for damage in follower.damage {
            events.append(RecordLine(.corrupt).adding(.log, damage.log.text).adding(.upto, damage.from.text).adding(.reason, damage.reason), at: .now())
        }
        follower.damage.removeAll()
        let retention = context.configuration.retention.events.components.seconds
        try events.expire(before: WallTime.now().adding(seconds: -retention), consumed: consumed, now: .now())
    }

    /// A copy in flight is not begun twice; one that was answered gets its answer again.
    private func take(_ job: Job) {
        guard let copy = job.copies.first, !inFlight.contains(copy.key) else { return }
        switch ledger[copy.key] {
        case .final(let line)?: events.append(line, at: .now())
        case .answered(copy.answers, let line)?: events.append(line, at: .now())
        case .answered?, .staged?, nil:
            inFlight.insert(copy.key)
            if let index = waiting.lastIndex(where: { $0.sharesTransaction(with: job) }), waiting[index].copies.count < 100 {
                waiting[index].copies.append(copy)
            } else {
                waiting.append(job)
            }
        }
    }

    private func send() {
        while connections < context.configuration.remote.connections, !waiting.isEmpty {
            let job = waiting.removeFirst()
            do {
                let outgoing: OutgoingContent
                if job.location.position == nil {
                    outgoing = try OutgoingContent(checking: try content.big(job.location, id: job.id), job.location)
                } else {
                    outgoing = OutgoingContent(try content.content(at: job.location, id: job.id))
                }
                connections += 1
                sending[job.id, default: 0] += job.copies.count
                sender.send(job, outgoing)
            } catch {
                events.append(RecordLine(.corrupt, job.id).adding(.location, job.location.text).adding(.reason, "\(error)"), at: .now())
                for copy in job.copies {
                    let outcome = DeliveryOutcome.temporary(EnhancedStatus(.temporary, 3, 0), reason: Array("the content cannot be read now".utf8))
                    say(RemoteResult(copy: copy, outcome: outcome, host: [], tls: nil))
                }
            }
        }
    }
    private var sending: [QueueID: Int] = [:]

    private func takeResults() {
        for result in sender.takeResults() {
            let id = result.copy.key.id
            sending[id, default: 1] -= 1
            if sending[id] == 0 { sending[id] = nil }
            say(result)
        }
        connections = min(connections, sending.count)
    }

    private func say(_ result: RemoteResult) {
        inFlight.remove(result.copy.key)
        let key = result.copy.key
        switch result.outcome {
        case .delivered:
            let line = RecordLine(.sent, key).adding(.host, result.host).adding(.tls, result.tls ?? Array("none".utf8))
            ledger.set(key, .final(line))
            events.append(line, at: .now())
        case .permanent(let status, let reason):
            let line = RecordLine(.failed, key).adding(.host, result.host).adding(.status, status.description).adding(.reason, reason)
            ledger.set(key, .final(line))
            events.append(line, at: .now())
        case .temporary(let status, let reason):
            let line = RecordLine(.temporary, key).adding(.answers, result.copy.answers.text).adding(.host, result.host)
                .adding(.status, status.description).adding(.reason, reason)
            ledger.set(key, .answered(result.copy.answers, line))
            events.append(line, at: .now())
        }
    }
}
