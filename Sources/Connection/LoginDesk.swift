// Where the session process decides who a stranger is: each step of an exchange runs on a worker, because a key derivation
// takes milliseconds; a wrong answer goes out late. The front learns "yes" or "no" and never a reason.

internal import NIOCore
import Synchronization

/// What checking one step of an exchange came to.
package enum LoginVerdict<Account: Sendable>: Sendable {
    case challenge([UInt8])
    case accepted(Account)
    case rejected
    case malformed
    /// For the event log.
    case unavailable(reason: String)
}

/// Who knows the credentials. The calls come on worker threads, several at a time, and may block.
package protocol LoginChecker: Sendable {
    /// An exchange between two messages.
    associatedtype Exchange: Sendable
    associatedtype Account: Sendable

    func begin(_ start: AuthenticationStart) -> (Exchange?, LoginVerdict<Account>)
    func respond(_ response: [UInt8], to exchange: Exchange) -> (Exchange?, LoginVerdict<Account>)
    /// Called once for each exchange that came to an end, before the front is told: for the event log.
    ///
    /// By how much the answer to a rejection is held back longer than usual is returned: 1 for as long.
    func concluded(_ start: AuthenticationStart, _ exchange: Exchange?, _ verdict: LoginVerdict<Account>) -> Int
}

/// Runs the exchanges of all connections on the front, each one step at a time.
package final class LoginDesk<Checker: LoginChecker>: Sendable {
    private struct Attempt {
        let start: AuthenticationStart
        /// nil while a worker has it.
        var exchange: Checker.Exchange?
    }

    private let door: SessionDoor<Checker.Account>
    private let checker: Checker
    private let workers: WorkerPool
    private let loops: LoopGroup
    private let failureDelay: Mutex<Duration>
    private let attempts = Mutex<[FrontID: Attempt]>([:])

    /// `channel` is this side's end of the pair; `loops` keep the time of the delays.
    package init(channel: Int32, checker: Checker, workers: WorkerPool, loops: LoopGroup, failureDelay: Duration) {
        door = SessionDoor(adopting: channel)
        self.checker = checker
        self.workers = workers
        self.loops = loops
        self.failureDelay = Mutex(failureDelay)
    }

    /// Begins; the calls come on a thread of the channel's own and must not block. `ended`: the front is gone.
    package func start(
        handedOver: @escaping @Sendable (HandedOver<Checker.Account>) -> Void,
        noted: @escaping @Sendable (FrontNote) -> Void,
        ended: @escaping @Sendable () -> Void
    ) {
        door.start(step: { self.take($1, of: $0) }, handedOver: handedOver, noted: noted, ended: ended)
    }

    /// From now on the answer to a wrong password is held back so long.
    package func delayFailures(by delay: Duration) { failureDelay.withLock { $0 = delay } }

    /// The front accepts nobody any more, and goes when its last connection has ended.
    package func drain() { door.drain() }

    /// The front ends at once.
    package func close() { door.close() }

    private func take(_ step: AuthenticationStep, of id: FrontID) {
        switch step {
        case .start(let start):
            attempts.withLock { $0[id] = Attempt(start: AuthenticationStart(withoutResponse: start), exchange: nil) }
            check(id, AuthenticationStart(withoutResponse: start)) { $0.begin(start) }
        case .response(let response):
            // An honest front waits for the answer: what comes meanwhile is dropped with the exchange still intact.
            let found = attempts.withLock { attempts -> (AuthenticationStart, Checker.Exchange)? in
                guard let attempt = attempts[id], let exchange = attempt.exchange else { return nil }
                attempts[id]?.exchange = nil
                return (attempt.start, exchange)
            }
            guard let (start, exchange) = found else { return }
            check(id, start) { $0.respond(response, to: exchange) }
        case .abandoned: attempts.withLock { $0[id] = nil }
        }
    }

    /// One step on a worker; dropped if nobody waits for it when its turn comes, because nothing was tried yet.
    private func check(
        _ id: FrontID, _ start: AuthenticationStart,
        _ step: @escaping @Sendable (Checker) -> (Checker.Exchange?, LoginVerdict<Checker.Account>)
    ) {
        let isTaken = workers.offer {
            guard self.attempts.withLock({ $0[id] != nil }) else { return }
            self.settle(id, start, step(self.checker))
        }
        if !isTaken { settle(id, start, (nil, .unavailable(reason: "too many logins wait"))) }
    }

    private func settle(_ id: FrontID, _ start: AuthenticationStart, _ result: (Checker.Exchange?, LoginVerdict<Checker.Account>)) {
        if case .challenge(let bytes) = result.1 {
            let isKnown = attempts.withLock { attempts in
                attempts[id]?.exchange = result.0
                return attempts[id] != nil
            }
            if isKnown { door.challenge(id, bytes) }
            return
        }
        // Also for one who did not wait for the answer: going away early must not hide a guess.
        let factor = checker.concluded(start, result.0, result.1)
        guard attempts.withLock({ $0.removeValue(forKey: id) }) != nil else { return }
        switch result.1 {
        case .challenge: break
        case .accepted(let account): door.accept(id, as: account)
        case .rejected: refuseLater(id, .rejected, factor)
        case .malformed: door.refuse(id, code: LoginFailure.malformed.rawValue)
        case .unavailable: door.refuse(id, code: LoginFailure.unavailable.rawValue)
        }
    }

    private func refuseLater(_ id: FrontID, _ failure: LoginFailure, _ factor: Int) {
        let delay = failureDelay.withLock { $0 }
        loops.after(min(delay * max(factor, 1), max(delay, .seconds(60)))) { self.door.refuse(id, code: failure.rawValue) }
    }
}

extension AuthenticationStart {
    /// The same without what may be a password: nothing keeps one longer than its check.
    fileprivate init(withoutResponse start: AuthenticationStart) {
        self.init(arrival: start.arrival, tls: start.tls, mechanism: start.mechanism, initialResponse: nil)
    }
}

extension LoopGroup {
    /// Runs something short after a while; no thread waits for it.
    func after(_ delay: Duration, _ body: @escaping @Sendable () -> Void) {
        guard let home = homes.first else { return body() }
        home.loop.scheduleTask(in: TimeAmount(delay), body)
    }
}
