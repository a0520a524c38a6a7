// The commit thread: what sessions have received since the last sync becomes durable with one more, and then gets its 250.

import Connection
import Daemon
import Kernel
import MailModel
import SMTPProtocol
import Spool
import SpoolFormat
import Synchronization

/// Takes responsibility for messages. The only thread that writes this service's logs.
final class Intake: Sendable {
    /// One commit takes at most so many bytes of content; the rest waits for the next.
    private static let batchBytes = 8 << 20
    /// Below this no new message is begun; what is being sent can still end.
    static let minimumFree: Int64 = 32 << 20
    /// While the disk hangs, clients come and go: beyond so many bytes the next message is put off.
    private static let mostWaiting = 64 << 20

    private struct Waiting {
        var messages: [Acceptance] = []
        var weight = 0
        var facts = WaitingFacts()
        var isStopping = false
        var hasStopped = false
    }

    private let monitor = Monitor()
    private let waiting = Mutex(Waiting())
    private let diskIsFull = Atomic<Bool>(false)
    private let bigSequence = Atomic<UInt32>(0)
    /// The random part of the ids of long messages, which are named before the log's turn comes.
    private let bigRandom: UInt64
    /// The segment that is written now.
    private let segment: Atomic<UInt32>
    let origin: QueueOrigin
    let bigFolder: Path

    /// `segment`: where the mail log goes on. What is begun at once has an id of this life too.
    init(origin: QueueOrigin, bigFolder: Path, segment: UInt32) throws(KernelError) {
        self.segment = Atomic(segment)
        self.origin = origin
        self.bigFolder = bigFolder
        bigRandom = try Randomness.uint64()
    }

    /// Whether there is too little space to begin another message.
    var isFull: Bool { diskIsFull.load(ordering: .relaxed) }

    /// Whether so much waits for the disk that no further message should be begun.
    var isBehind: Bool { waiting.withLock { $0.weight >= Intake.mostWaiting || $0.facts.isFull } }

    func accept(_ message: Acceptance) {
        monitor.lock()
        let isTaken = waiting.withLock { waiting in
            guard waiting.weight < Intake.mostWaiting else { return false }
            waiting.messages.append(message)
            waiting.weight += message.weight
            return true
        }
        if isTaken { monitor.signalAll() }
        monitor.unlock()
        guard !isTaken else { return }
        message.content.discard()
        message.replyTo.deliver(.answer(.message(.temporary(.diskIsSlow))))
    }

    /// A fact for the event log, which nobody waits for.
    func note(_ line: RecordLine) {
        let now = WallTime.now()
        waiting.withLock { _ = $0.facts.add(line, at: now) }
    }

    /// A file for content that is too long for the log. Its id belongs to an epoch of its own: it is known before the log's is.
    func beginBig() -> BigContent { BigContent(nextID(), in: bigFolder) }

    /// An id that no message of the log will have.
    func nextID() -> QueueID {
        let sequence = bigSequence.add(1, ordering: .relaxed).newValue
        let epoch = SegmentHeader.epoch(number: segment.load(ordering: .relaxed), random: bigRandom)
        return QueueID(origin: origin, epoch: epoch, sequence: sequence)
    }

    /// Ends the thread after what is waiting was committed.
    func stop() {
        monitor.lock()
        waiting.withLock { $0.isStopping = true }
        monitor.signalAll()
        while !waiting.withLock({ $0.hasStopped }) { monitor.wait() }
        monitor.unlock()
    }

    /// The thread's life.
    func run(_ logs: IntakeLogs) {
        while true {
            let (messages, facts, stopping) = take()
            facts.append(to: logs.events)
            if !messages.isEmpty { commit(messages, logs) }
            segment.store(logs.mail.log.end.segment, ordering: .relaxed)
            logs.tend(stopping: stopping)
            diskIsFull.store(logs.freeBytes < Intake.minimumFree, ordering: .relaxed)
            if stopping, messages.isEmpty { break }
        }
        monitor.lock()
        waiting.withLock { $0.hasStopped = true }
        monitor.signalAll()
        monitor.unlock()
    }

    /// Waits for work, at most 200 ms, because released messages are to be erased meanwhile.
    private func take() -> ([Acceptance], WaitingFacts, Bool) {
        monitor.lock()
        if waiting.withLock({ $0.messages.isEmpty && !$0.isStopping }) { monitor.wait(milliseconds: 200) }
        monitor.unlock()
        return waiting.withLock { waiting in
            var weight = 0
            let batch = Array(waiting.messages.prefix { message in
                guard weight < Intake.batchBytes else { return false }
                weight += message.weight
                return true
            })
            waiting.messages.removeFirst(batch.count)
            waiting.weight -= weight
            return (batch, waiting.facts.take(), waiting.isStopping)
        }
    }

    private func commit(_ messages: [Acceptance], _ logs: IntakeLogs) {
        var mailslot = Mailslot<SessionAnswer>()
        let now = WallTime.now()
        var appended: [(message: Acceptance, id: QueueID, line: RecordLine)] = []
        for message in messages {
            // No reply can reach this client, so it sends the message again: to take it here would make two of it.
            if message.replyTo.isGone {
                message.content.discard()
                continue
            }
            switch logs.append(message, now: now) {
            case .success(let (id, line)): appended.append((message, id, line))
            case .failure(let error): mailslot.put(.answer(.message(.temporary(refusal(error)))), for: message.replyTo)
            }
        }
        do throws(LogError) {
            try logs.mail.commit()
            for entry in appended {
                logs.events.append(entry.line, at: now)
                mailslot.put(.answer(.message(.accepted(id: entry.id.text))), for: entry.message.replyTo)
            }
        } catch {
            logs.mail.forget(appended.map(\.id))
            logs.complain(error)
            for entry in appended { mailslot.put(answer(error), for: entry.message.replyTo) }
        }
        mailslot.send()
    }

    private func answer(_ error: LogError) -> SessionAnswer {
        switch error {
        case .noSpace(let reason), .failed(let reason): .answer(.message(.temporary(refusal(reason))))
        case .locked, .broken: .silence
        }
    }

    private func refusal(_ error: KernelError) -> Reply {
        error.isNoSpace ? .diskIsFull : Reply(451, EnhancedStatus(.temporary, 3, 0), "cannot store the message now, try again later")
    }
}

extension Reply {
    static let diskIsFull = Reply(452, EnhancedStatus(.temporary, 3, 1), "insufficient system storage, try again later")
    static let diskIsSlow = Reply(451, EnhancedStatus(.temporary, 4, 5), "too much waits for the disk, try again later")
}
