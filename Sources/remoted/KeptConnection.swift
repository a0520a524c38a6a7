// Connections that have brought a message and stay a moment for the next one of their lane (RFC 5321 §4.5.4.1 leaves it to us).
// Invariant: an errand given to one is taken by its driver or handed back when the connection ends; never both, never neither.

import Connection
import Kernel
import MailModel
import SMTPProtocol
import Synchronization

/// The next message for a connection that stands.
struct Errand: Sendable {
    let message: OutgoingMessage
    let content: OutgoingContent
    let report: @Sendable (DialogueReport) -> Void
}

/// Rings on a connection's loop: an errand lies ready, or it is to leave.
struct Bell: Sendable {}

/// One connection as the lane sees it, from any thread.
final class KeptConnection: Sendable {
    private enum State {
        case busy, idle(ReplyAddress<Bell>), offered(Errand), ended
    }

    /// Messages that one connection brings; many servers end it after a hundred.
    private static let mostMessages = 100
    /// What was found out about the destination is not believed for longer: its servers, their names, how TLS is done.
    private static let longestLife = Duration.seconds(300)

    /// A server has better uses for a connection than one of ours that says nothing.
    static let longestWait = Duration.seconds(3)

    /// What it was made for, without the message: the next one goes under the same terms.
    let terms: Attempt
    /// The server that it leads to, and those that stand behind it.
    let targets: ArraySlice<Target>
    /// How it is secured.
    let security: Security
    let lane: LaneName
    private let owner: KeptConnections
    private let generation: Int
    private let began = MonotonicTime.now()
    private let state = Mutex<(state: State, messages: Int)>((.busy, 1))

    init(_ attempt: Attempt, _ targets: ArraySlice<Target>, _ security: Security, owner: KeptConnections) {
        terms = attempt.withoutMessage
        self.targets = targets
        self.security = security
        lane = LaneName(attempt.job)
        self.owner = owner
        generation = attempt.generation
    }

    /// Waits for the next message; false if it is to end instead.
    func stay(_ bell: ReplyAddress<Bell>) -> Bool {
        let mayStay = state.withLock { known in
            guard case .busy = known.state, known.messages < KeptConnection.mostMessages, MonotonicTime.now() - began < KeptConnection.longestLife
            else { return false }
            known.state = .idle(bell)
            return true
        }
        guard mayStay else { return false }
        if owner.add(self, of: generation) { return true }
        return !leave()
    }

    /// A password may be for the mail of one domain alone, with it or without; and it is the one of now.
    fileprivate func suits(_ job: Job, _ passwords: RelayBook.Edition?) -> Bool {
        guard isNamed else { return true }
        return terms.job.sender.address?.domain == job.sender.address?.domain && security.passwords == passwords
    }

    /// A route or the smarthost leads there.
    fileprivate var isNamed: Bool { targets.first?.isNamed ?? false }

    /// Gives it the next message; false if it has ended meanwhile.
    func offer(_ errand: Errand) -> Bool {
        let bell: ReplyAddress<Bell>? = state.withLock { known in
            guard case .idle(let bell) = known.state else { return nil }
            known = (.offered(errand), known.messages + 1)
            return bell
        }
        bell?.deliver(Bell())
        return bell != nil
    }

    /// What was offered, for the driver to do.
    func collect() -> Errand? {
        state.withLock { known in
            guard case .offered(let errand) = known.state else { return nil }
            known.state = .busy
            return errand
        }
    }

    /// Ends the waiting; false if an errand has come before.
    func leave() -> Bool {
        let left = state.withLock { known in
            guard case .idle = known.state else { return false }
            known.state = .ended
            return true
        }
        if left { owner.remove(self) }
        return left
    }

    /// The same, asked for by another thread: the driver says QUIT.
    func dismiss() {
        let bell: ReplyAddress<Bell>? = state.withLock { known in
            guard case .idle(let bell) = known.state else { return nil }
            known.state = .ended
            return bell
        }
        bell?.deliver(Bell())
    }

    /// The connection is over; the errand that it will not do any more.
    func end() -> Errand? {
        let (wasIdle, errand): (Bool, Errand?) = state.withLock { known in
            defer { known.state = .ended }
            return switch known.state {
            case .idle: (true, nil)
            case .offered(let errand): (false, errand)
            case .busy, .ended: (false, nil)
            }
        }
        if wasIdle { owner.remove(self) }
        return errand
    }
}

/// The connections that wait, by lane.
final class KeptConnections: Sendable {
    private struct Waiting {
        var lanes: [LaneName: [KeptConnection]] = [:]
        var count = 0
        var limit: Int
        var generation = 0
        var isClosed = false
    }

    private let waiting: Mutex<Waiting>

    init(limit: Int) { waiting = Mutex(Waiting(limit: limit)) }

    /// Connections of an older one have other terms than are in force.
    var generation: Int { waiting.withLock { $0.generation } }

    fileprivate func add(_ connection: KeptConnection, of generation: Int) -> Bool {
        waiting.withLock { waiting in
            guard !waiting.isClosed, waiting.generation == generation, waiting.count < waiting.limit else { return false }
            waiting.lanes[connection.lane, default: []].append(connection)
            waiting.count += 1
            return true
        }
    }

    fileprivate func remove(_ connection: KeptConnection) {
        waiting.withLock { waiting in
            guard let index = waiting.lanes[connection.lane]?.lastIndex(where: { $0 === connection }) else { return }
            waiting.lanes[connection.lane]?.remove(at: index)
            if waiting.lanes[connection.lane]?.isEmpty == true { waiting.lanes[connection.lane] = nil }
            waiting.count -= 1
        }
    }

    /// The one that was used last, so that those too many go; it is nobody else's from here on.
    func take(for job: Job, _ passwords: RelayBook) -> KeptConnection? {
        let lane = LaneName(job)
        guard let isNamed = waiting.withLock({ $0.lanes[lane]?.last?.isNamed }) else { return nil }
        // Looked at once, and while nobody waits for the lock.
        let edition = isNamed ? passwords.edition : nil
        return waiting.withLock { waiting in
            guard let place = waiting.lanes[lane]?.lastIndex(where: { $0.suits(job, edition) }), let connection = waiting.lanes[lane]?.remove(at: place)
            else { return nil }
            if waiting.lanes[lane]?.isEmpty == true { waiting.lanes[lane] = nil }
            waiting.count -= 1
            return connection
        }
    }

    /// Lets all go: other terms are in force, or the program stops.
    func dismissAll(limit: Int? = nil) {
        let all = waiting.withLock { waiting in
            defer {
                waiting.lanes = [:]
                waiting.count = 0
                waiting.generation += 1
                if let limit { waiting.limit = limit } else { waiting.isClosed = true }
            }
            return waiting.lanes.values.flatMap { $0 }
        }
        for connection in all { connection.dismiss() }
    }
}
