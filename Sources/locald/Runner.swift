// locald's loop: what is assigned becomes staged, released, delivered, in this order, each durable before the next is said.

import Configuration
import Daemon
import Kernel
import Mailbox
import MailModel
import Spool
import SpoolFormat

/// One life of the delivery agent, from opening its log to an error or the wish to stop.
final class Runner {
    /// Copies that go through the store together.
    private static let batch = 256

    private let context: DaemonContext
    private let bootID: [UInt8]
    private let events: EventWriter
    private let inbox: AgentInbox
    private let content: ContentReader
    private let inotify: Inotify
    private let crew: WorkCrew
    private var courier: Courier?
    private var copies = AgentLedger<StagedCopy>()
    private var waiting: [Job] = []

    init(_ context: DaemonContext, bootID: [UInt8]) throws {
        self.context = context
        self.bootID = bootID
        let spool = context.openSpool()
        events = try EventWriter(spool: spool, .locald, reserve: 1 << 20)
        content = try ContentReader(spool: spool)
        inotify = try Inotify()
        crew = WorkCrew(size: context.configuration.delivery.threads)
        var known = copies
        try events.log.forEachNewestRecord { known.replay($0.record) }
        copies = known
        inbox = try AgentInbox(spool: spool, agent: .locald, resuming: copies)
        _ = try inotify.watch(inbox.path, for: [.modified, .movedTo])
        events.log.preamble = { [unowned self] in copies.stateBlock(cursor: inbox.cursor) }
        try events.log.begin()
        events.append(RecordLine(.start).adding(.pid, Identity.processID), at: .now())
        events.report(events.log.damage, at: .now())
        try events.commit()
    }

    func run() throws {
        while !context.wishes().contains(.stop) {
            try hear()
            try openStore()
            let worked = try deliver()
            if isLockedOut {
                fail("locald", "the mail store is not open to this process", remedy: "it starts anew; else check the owner and mode of paths.store", .temporary)
            }
            if !worked, waitReadable([inotify.descriptor.raw, context.signals], milliseconds: 1000).contains(0) {
                _ = inotify.drain()
            }
        }
        events.append(RecordLine(.stop), at: .now())
        // Whoever was told to stop stops; what is not said now is found by the next start.
        try? events.commit()
    }

    // MARK: What queued says

    private func hear() throws {
        for placed in try inbox.poll(&copies).assigned {
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
    }

    private func take(_ job: Job) {
        switch copies.duty(job.key, assigned: job.answers) {
        case .begin: if asked.updateValue(job.answers, forKey: job.key) == nil { waiting.append(job) }
        case .say(let line): events.append(line, at: .now())
        case .nothing: break
        }
    }

    /// The newest assignment of each copy that waits: the one that its answer must name.
    private var asked: [CopyKey: LogPosition] = [:]

    // MARK: The store

    /// Opens the store, or finds it again; what was staged before comes first.
    private func openStore() throws {
        if let again = lookAgain, MonotonicTime.now() >= again { courier = nil }
        if courier != nil { return }
        lookAgain = nil
        do throws(StoreError) {
            let stage = try Stage(
                store: context.configuration.paths.store, expecting: nil,
                context: StoreContext(host: context.configuration.hostname.bytes, bootID: bootID))
            let opened = Courier(delivery: try Delivery(stage: stage), crew: crew, host: context.configuration.hostname.bytes)
            try opened.removeLeftovers(keeping: Set(copies.staged.map(\.held.unique)))
            finishStaged(opened)
            courier = opened
        } catch {
            complain(error)
            noteLockout(error)
        }
        try events.commit()
    }

    /// Our confinement knows the folder that was the store when we started: one that came later takes a new process.
    private var isLockedOut = false

    private func noteLockout(_ error: StoreError) {
        if case .kernel(let reason) = error, reason.permissionDenied { isLockedOut = true }
    }

    /// Recovery of staged copies: rename what is on the stage, and find out what became of the rest.
    private func finishStaged(_ courier: Courier) {
        let staged = copies.staged
        let here = staged.filter { $0.held.isOf(courier.store) }
        if here.count < staged.count {
            complain(.storeMissing(reason: Array("copies are staged in another store".utf8)))
            lookAgain = .now().adding(milliseconds: 60_000)
        }
        for (account, staged) in Dictionary(grouping: here, by: \.held.account) {
            do throws(StoreError) { try finish(staged, of: account, courier) } catch {
                // One mailbox that takes nothing now holds up no other.
                complain(error)
                lookAgain = .now().adding(milliseconds: 1000)
            }
        }
        settle(courier.syncMailboxes())
    }

    private func finish(_ staged: [(key: CopyKey, held: StagedCopy)], of account: AccountFolder, _ courier: Courier) throws(StoreError) {
        let found = try courier.find(Set(staged.map(\.held.unique)), of: account)
        try courier.syncFound(found, of: account)
        for (key, held) in staged {
            let place = found[held.unique]
            if case .stage? = place, try courier.release(held.name, to: account) == .notStaged { throw .messageMissing }
            finished.append((key, held, place == nil ? "presumed" : nil))
        }
    }

    /// When staged copies that could not be released are tried again.
    private var lookAgain: MonotonicTime?

    private var finished: [(key: CopyKey, copy: StagedCopy, result: String?)] = []

    /// Says `delivered` of what was released and synced; the rest stays staged and is looked for again.
    private func settle(_ failed: Set<AccountFolder>) {
        for entry in finished where !failed.contains(entry.copy.account) {
            var line = RecordLine(.delivered, entry.key)
            entry.copy.describe(in: &line)
            if let result = entry.result { line.add(.result, result) }
            copies.set(entry.key, .final(line))
            events.append(line, at: .now())
        }
        finished.removeAll(keepingCapacity: true)
        guard !failed.isEmpty else { return }
        courier = nil
        lookAgain = .now().adding(milliseconds: 1000)
    }

    // MARK: A batch

    private func deliver() throws -> Bool {
        guard !waiting.isEmpty else {
            guard events.log.hasPending else { return false }
            try events.commit()
            return false
        }
        var jobs = Array(waiting.prefix(Runner.batch))
        waiting.removeFirst(jobs.count)
        for index in jobs.indices { jobs[index].answers = asked.removeValue(forKey: jobs[index].key) ?? jobs[index].answers }
        guard let courier else {
            for job in jobs { answer(job, EnhancedStatus(.temporary, 2, 0), "the mail store is not there") }
            try events.commit()
            return true
        }
        let staged = stage(jobs, courier)
        try events.commit()
        for (job, copy) in staged {
            do throws(StoreError) {
                guard try courier.release(copy.name, to: copy.account) != .notStaged else { throw .messageMissing }
                finished.append((job.key, copy, nil))
            } catch {
                // Staged and not released: it stays so, and is released when the store is opened again.
                complain(error)
                self.courier = nil
            }
        }
        settle(courier.syncMailboxes())
        return true
    }

    private func stage(_ jobs: [Job], _ courier: Courier) -> [(Job, StagedCopy)] {
        var staged: [(Job, StagedCopy)] = []
        var loaded: [Courier.Loaded] = []
        var last: (location: ContentLocation, bytes: [UInt8])?
        for job in jobs {
            do {
                if job.location.position == nil {
                    let name = try courier.stageBig(job, from: try content.big(job.location, id: job.key.id))
                    staged.append((job, StagedCopy(name: name, account: job.account, store: courier.store)))
                } else {
                    let bytes = try last.flatMap { $0.location == job.location ? $0.bytes : nil } ?? content.content(at: job.location, id: job.key.id)
                    last = (job.location, bytes)
                    loaded.append(Courier.Loaded(job: job, content: bytes))
                }
            } catch { refuse(job, error) }
        }
        do throws(StoreError) {
            for (entry, result) in zip(loaded, try courier.stage(loaded)) {
                switch result {
                case .success(let name): staged.append((entry.job, StagedCopy(name: name, account: entry.job.account, store: courier.store)))
                case .failure(let error): refuse(entry.job, error)
                }
            }
        } catch {
            // The folder's sync failed: none of the names is sure.
            for job in staged.map(\.0) + loaded.map(\.job) { refuse(job, error) }
            self.courier = nil
            return []
        }
        for (job, copy) in staged {
            copies.set(job.key, .staged(copy))
            var line = RecordLine(.staged, job.key)
            copy.describe(in: &line)
            events.append(line, at: .now())
        }
        return staged
    }

    private func refuse(_ job: Job, _ error: any Error) {
        let status: EnhancedStatus
        switch error {
        case let error as StoreError:
            noteLockout(error)
            if case .kernel(let reason) = error, reason.isNoSpace { status = EnhancedStatus(.temporary, 3, 1) } else { status = EnhancedStatus(.temporary, 2, 0) }
        default: status = EnhancedStatus(.temporary, 3, 0)
        }
        if case ContentError.corrupt(let location) = error {
            events.append(RecordLine(.corrupt, job.key.id).adding(.location, location.text).adding(.reason, "content does not match its checksum"), at: .now())
        }
        answer(job, status, "\(error)")
    }

    private func answer(_ job: Job, _ status: EnhancedStatus, _ reason: String) {
        let line = RecordLine(.temporary, job.key).adding(.answers, job.answers.text)
            .adding(.status, status.description).adding(.reason, reason)
        copies.set(job.key, .answered(job.answers, line))
        events.append(line, at: .now())
    }

    private var lastComplaint = MonotonicTime(nanoseconds: 0)

    /// At most one line a second.
    private func complain(_ error: StoreError) {
        let now = MonotonicTime.now()
        guard now - lastComplaint >= .seconds(1) else { return }
        lastComplaint = now
        events.append(RecordLine(.problem).adding(.reason, "\(error)"), at: .now())
    }
}
