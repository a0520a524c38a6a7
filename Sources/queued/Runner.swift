// queued's loop: hear, decide, make durable, say. It may be killed at any line and begins again from the logs.

import Configuration
import Daemon
import Kernel
import MailModel
import Spool
import SpoolFormat

/// One life of the queue runner, from opening its logs to an error or the wish to stop.
final class Runner {
    private let context: DaemonContext
    private let events: EventWriter
    private let mail: MailLog
    private let released: LogWriter
    private let drops: DropFolder
    private let bounces: BounceWriter
    private var directory: RoutingDirectory
    private let inotify: Inotify
    private let clock = SteadyClock()
    private var queue: Queue
    private var sources: [Source] = []
    private var strangeDrops: Set<Path> = []
    private var ownReleased: LogFollower?
    /// What inotify has announced since it was last looked at; everything is looked at once a second all the same.
    private var announced: Set<Inotify.Watch> = []
    private var doubleBounces = DoubleBounceLimit()
    private var archiveNotices = DoubleBounceLimit()
    private var lastLook = MonotonicTime(nanoseconds: 0)
    private var lastRelease = MonotonicTime(nanoseconds: 0)
    /// The segment in which `released` says all that counts.
    private var releasedSegment: UInt32 = 0
    private var dropWatch: Inotify.Watch?

    private static let reserve: Int64 = 1 << 20
    /// Below this nothing new is taken on, so that what ends mail can still be written and space comes back.
    private static let minimumFree: Int64 = 32 << 20
    private var hasRoom = true
    /// Without room so much is begun at once: it must end on the reserve.
    private static let scarce = 16
    /// Messages that are routed in one turn: what is said of them is in memory until it is written.
    private static let portion = 4096

    /// Drops wait for a process that lists the users anew.
    struct NeedsNewUsers: Error {}

    init(_ context: DaemonContext, _ users: UserNames) throws {
        self.context = context
        let configuration = context.live.current
        let spool = context.openSpool()
        queue = Queue(schedule: RetrySchedule(configuration.retry))
        queue.smarthost = configuration.remote.smarthost.map { Array("\($0)".utf8) }
        queue.archiveRules = ArchiveRules(configuration.routing.archive)
        events = try EventWriter(spool: spool, .queued, reserve: Runner.reserve)
        mail = try MailLog(spool: spool, .queued, origin: .queued, reserve: Runner.reserve)
        released = try LogWriter(spool: spool, LogName(.queued, .released), reserve: Runner.reserve)
        drops = try DropFolder(spool: spool, host: configuration.hostname, users: users, sizeLimit: Int64(configuration.limits.messageSize.bytes))
        bounces = BounceWriter(host: configuration.hostname, content: try ContentReader(spool: spool))
        directory = RoutingDirectory(configuration)
        inotify = try Inotify()
        try open(spool)
    }

    // MARK: Opening

    /// Reads the last state block and its tail, the mail logs from its cursors, and begins a segment with a new block.
    private func open(_ spool: borrowing DirectoryDescriptor) throws {
        try mail.begin()
        let isWhole = !events.log.isNewestDamaged
        let blockEnd = isWhole ? try loadBlock() : nil
        for name in Source.names {
            var source = try Source(name, spool: spool, from: queue.cursors[name.text] ?? .start)
            source.watch = try inotify.watch(source.follower.path, for: [.modified, .movedTo])
            sources.append(source)
            if name.kind == .mail { try readAccepts(source) }
        }
        dropWatch = try inotify.watch(drops.folder.path, for: [.movedTo, .closedAfterWriting])
        if isWhole {
            try events.log.forEachNewestRecord(from: blockEnd ?? .start) { queue.replay($0) }
        } else {
            // Without a whole block the mail logs are heard from their beginning, and all that was said of what they hold.
            for placed in try events.log.allRecords() where placed.record.id.map({ queue.messages[$0] != nil }) ?? false { queue.replay(placed) }
        }
        queue.rebuild(now: clock.now)
        // The block names it with the position that its answer must name; at a second position it would be another attempt.
        // The block of a segment that had no commit line yet is not said again before the new one: a start reads the first that it finds.
        events.log.leaveOut { $0.verb == .assign || queue.isHalfRouting($0) || $0.isOfBlock }
        events.log.preamble = { [unowned self] in queue.stateBlock() }
        noteCursors()
        try events.log.begin()
        try released.begin()
        events.append(RecordLine(.start).adding(.pid, Identity.processID).adding(.count, queue.messages.count), at: .now())
        events.report(events.log.damage + mail.log.damage + released.damage, at: .now())
        try releaseWhatIsDone(spool)
    }

    /// Reads the block of queued's newest segment; where what was said after it begins.
    private func loadBlock() throws -> LogPosition? {
        var end: LogPosition?
        try events.log.readNewest { placed in
            if queue.loadBlock(placed.record) { end = placed.position }
            return end == nil
        }
        return end
    }

    private func readAccepts(_ source: Source) throws {
        while true {
            let records = try source.follower.poll()
            if records.isEmpty { return }
            for placed in records where placed.record.verb == .accept { queue.hear(placed, from: source.name, now: clock.now) }
        }
    }

    /// Says again what may be erased: an owner may have missed it, or a cut may have taken its erasure back. Then older
    /// segments say nothing that this one does not, and go; unless a log could not be read whole, because a record below
    /// the position may then be one that was never heard.
    private func releaseWhatIsDone(_ spool: borrowing DirectoryDescriptor) throws {
        let first = released.end.segment
        let mailLogs = sources.filter { $0.name.kind == .mail }
        for source in mailLogs where !source.follower.hasFoundDamage {
            let history = try LogFollower(spool: spool, source.name, from: .start)
            while history.position < source.follower.position {
                let records = try history.poll()
                if records.isEmpty { break }
                for placed in records where placed.position < source.follower.position && placed.record.verb == .accept {
                    // A record that was no message for us was not done either.
                    guard let message = placed.acceptedMessage(in: source.name), queue.messages[message.id] == nil else { continue }
                    released.append(RecordLine(.released, message.id))
                }
            }
        }
        try released.commit()
        if !mailLogs.contains(where: \.follower.hasFoundDamage) { try? released.dropSegments(below: first) }
        releasedSegment = released.end.segment
    }

    // MARK: The loop

    /// Works until the wish to stop.
    func run() throws {
        while true {
            for wish in context.wishes() {
                switch wish {
                case .stop:
                    events.append(RecordLine(.stop), at: .now())
                    try events.commit()
                    return
                case .reload:
                    let configuration = context.live.current
                    directory = RoutingDirectory(configuration)
                    queue.archiveRules = ArchiveRules(configuration.routing.archive)
                    queue.schedule = RetrySchedule(configuration.retry)
                    queue.changeSmarthost(configuration.remote.smarthost.map { Array("\($0)".utf8) })
                    drops.sizeLimit = Int64(configuration.limits.messageSize.bytes)
                }
            }
            let worked = try turn(now: .now(), steady: clock.now)
            if !worked { rest() }
        }
    }

    private func rest() {
        let deadline = queue.nextDeadline.map { max(0, ($0.nanoseconds - clock.now.nanoseconds) / 1_000_000) } ?? 1000
        let wait = min(Int(deadline), queue.finished.isEmpty && hasRoom ? 1000 : 100)
        _ = waitReadable([inotify.descriptor.raw, context.signals], milliseconds: max(wait, 1))
    }

    /// One turn; true if there was anything to do. What is written down has the wall's time; what waits, waits by the steady clock.
    private func turn(now: WallTime, steady: WallTime) throws -> Bool {
        let moment = MonotonicTime.now()
        announced.formUnion(inotify.drain())
        let looksEverywhere = moment - lastLook >= .seconds(1)
        if looksEverywhere { lastLook = moment }
        if looksEverywhere { hasRoom = (try? FileSystem(at: context.configuration.paths.spool).free >= Runner.minimumFree) ?? false }
        if looksEverywhere { try tidyDrops(now, moment) }
        if looksEverywhere || dropWatch.map(announced.contains) ?? true { try adoptDrops(now) }
        var heard = try hear(now, steady, everywhere: looksEverywhere)
        queue.route(now: steady, limit: hasRoom ? Runner.portion : Runner.scarce) { directory.route($0, of: $1, now: moment) }
        heard = appendLines(now) || heard
        try tellSenders(now)
        heard = appendLines(now) || heard
        queue.assign(now: steady, window: hasRoom ? Queue.window : Runner.scarce, nextHop: { directory.lastHop(of: $1, $0, now: moment) }) { events.append($0, at: now) }
        heard = appendLines(now) || heard
        if heard || events.log.hasPending {
            noteCursors()
            try events.commit()
        }
        if moment - lastRelease >= .milliseconds(100) { try release(moment) }
        return heard || hasRoom && !(queue.bounceDue.isEmpty && queue.noticeDue.isEmpty)
    }

    /// What the queue has decided, in its order: a `route` stands before all that follows from it.
    private func appendLines(_ now: WallTime) -> Bool {
        defer { queue.lines.removeAll(keepingCapacity: true) }
        for line in queue.lines { events.append(line, at: now) }
        return !queue.lines.isEmpty
    }

    private func hear(_ now: WallTime, _ steady: WallTime, everywhere: Bool) throws -> Bool {
        var heard = false
        for source in sources where everywhere || source.watch.map(announced.contains) ?? true {
            let records = try source.follower.poll(limit: 1024)
            // A full portion may have more behind it.
            if records.count < 1024, let watch = source.watch { announced.remove(watch) }
            heard = heard || !records.isEmpty
            for placed in records { queue.hear(placed, from: source.name, now: steady) }
            events.report(source.follower.damage, at: now)
            source.follower.damage.removeAll()
        }
        return heard
    }

    private func noteCursors() {
        for source in sources { queue.note(cursor: source.follower.safePosition, of: source.name) }
    }

    private func adoptDrops(_ now: WallTime) throws {
        let adopted = try drops.adopt(into: mail, hasRoom: hasRoom, knows: { mail.holds($0) || queue.messages[$0] != nil }, except: strangeDrops, now: now)
        for (name, reason) in adopted.strange {
            // Told once; a thousand such names are enough to know that somebody plays.
            guard strangeDrops.count < 1000, strangeDrops.insert(name).inserted else { continue }
            events.append(RecordLine(.problem).adding(.drop, name.bytes).adding(.reason, reason), at: now)
        }
        if let dropWatch { announced.remove(dropWatch) }
        if !adopted.names.isEmpty {
            try mail.commit()
            try drops.remove(adopted)
        }
        // Not often: whoever may add users must not be able to keep the queue from its work.
        if adopted.needNewUsers, drops.users.age > .seconds(45) { throw NeedsNewUsers() }
        // A full portion may have more behind it.
        if adopted.names.count >= DropFolder.portion, let dropWatch { announced.insert(dropWatch) }
    }

    /// Once an hour, and at a start.
    private func tidyDrops(_ now: WallTime, _ moment: MonotonicTime) throws {
        if let lastTidy, moment - lastTidy < .seconds(3600) { return }
        lastTidy = moment
        try drops.removeAbandoned(now: now)
    }
    private var lastTidy: MonotonicTime?

    /// Bounces are accepted in the mail log first; only then does the event log say that they cover their recipients.
    private func tellSenders(_ now: WallTime) throws {
        guard hasRoom else { return }
        let failures = queue.takeBounces(), others = queue.takeNotices()
        guard !failures.isEmpty || !others.isEmpty else { return }
        // What a notice rests on, its copy's `route` or an order, is durable before it.
        if events.log.hasPending {
            noteCursors()
            try events.commit()
        }
        var told: [(message: OpenMessage, notice: Notice?, copies: [Copy], child: QueueID?)] = []
        for (message, indexes) in failures {
            // Those whose failure nobody wants to hear of are over without a notice (RFC 3461 §4.1).
            for listener in Listener.allCases {
                let copies = indexes.map { message.copies[$0] }.filter { message.listener(to: $0) == listener }
                if copies.isEmpty { continue }
                let child: QueueID? =
                    switch listener {
                    case .sender: bounces.append(nil, about: message, copies, to: mail, now: now)
                    case .postmaster: tellPostmaster(of: message, copies, now)
                    case .nobody: nil
                    }
                told.append((message, nil, copies, child))
            }
        }
        for (message, notice, indexes) in others {
            let copies = indexes.map { message.copies[$0] }
            told.append((message, notice, copies, bounces.append(notice, about: message, copies, to: mail, now: now, until: queue.schedule.end(of: message))))
        }
        try mail.commit()
        for (message, notice, copies, child) in told { say(notice, of: copies, message, child, now) }
    }

    /// A bounce of ours failed, or an archive's copy: its last reader is the postmaster.
    private func tellPostmaster(of message: OpenMessage, _ failed: [Copy], _ now: WallTime) -> QueueID? {
        guard let postmaster = directory.postmaster(now: .now()),
            message.isForPostmaster ? doubleBounces.take(at: now.seconds) : archiveNotices.take(at: now.seconds)
        else { return nil }
        return bounces.append(nil, about: message, failed, to: mail, addressee: postmaster, now: now)
    }

    private func say(_ notice: Notice?, of copies: [Copy], _ message: OpenMessage, _ child: QueueID?, _ now: WallTime) {
        let keys = copies.map { (original: $0.original, final: $0.final) }
        if let notice {
            for copy in copies { events.append(.notified(message.id, copy, notice, child: child), at: now) }
            queue.told(message.id, notice, of: keys)
        } else {
            for copy in copies { events.append(.bounced(message, copy, child: child), at: now) }
            queue.bounced(message.id, covering: keys)
        }
    }

    /// Says what may be erased, a few times a second: `done` is durable by now.
    private func release(_ moment: MonotonicTime) throws {
        lastRelease = moment
        let retention = context.live.current.retention.events.components.seconds
        try events.expire(before: WallTime.now().adding(seconds: -retention), now: moment)
        events.publishMetrics(now: moment, logs: [mail.log, released]) { queue.add(to: &$0, accepted: mail.log.measure.batch.sum, now: .now()) }
        for id in queue.finished { released.append(RecordLine(.released, id)) }
        queue.finished.removeAll(keepingCapacity: true)
        try released.commit()
        if released.end.segment != releasedSegment { try releaseWhatIsDone(context.openSpool()) }
        try eraseOwn(moment)
    }

    /// queued owns a mail log too and erases by its own word.
    private func eraseOwn(_ moment: MonotonicTime) throws {
        if ownReleased == nil { ownReleased = try LogFollower(spool: context.openSpool(), LogName(.queued, .released), from: .start) }
        let ids = try ownReleased?.poll().compactMap(\.record.id).filter { $0.origin == .queued } ?? []
        mail.release(ids, now: moment)
        try mail.erase(now: moment)
    }
}
