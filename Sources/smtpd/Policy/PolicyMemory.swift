// What the policy remembers of clients: rates and open connections, greylisting, and what came from each network.

import Configuration
import Kernel
import MailPolicy
import Synchronization

/// Bounded memory of one process; the event log is read again into it after a start.
final class PolicyMemory: Sendable {
    private struct State {
        var rates: RateTable
        var greylist = GreylistMemory()
        var history = NetworkHistory()
    }

    private let state: Mutex<State>

    init(_ policy: Configuration.Policy) {
        state = Mutex(State(rates: RateTable(address: policy.address.limits, network: policy.network.limits)))
    }

    func limit(to policy: Configuration.Policy) {
        state.withLock {
            $0.rates.address = policy.address.limits
            $0.rates.network = policy.network.limits
        }
    }

    // MARK: - Rates

    /// An allowed connection must be closed.
    func opened(_ client: IPAddress) -> RateVerdict {
        withAllowance(client) { state, allowance, now in state.rates.connectionOpened(from: client, at: now, allowance: allowance) }
    }

    func closed(_ client: IPAddress) { state.withLock { $0.rates.connectionClosed(from: client) } }

    func spend(_ subject: RateSubject, _ client: IPAddress) -> RateVerdict {
        withAllowance(client) { state, allowance, now in state.rates.spend(1, subject, from: client, at: now, allowance: allowance) }
    }

    /// What `spend` would say.
    func wait(_ subject: RateSubject, _ client: IPAddress) -> RateVerdict {
        withAllowance(client) { state, allowance, now in state.rates.wait(1, subject, from: client, at: now, allowance: allowance) }
    }

    private func withAllowance(_ client: IPAddress, _ body: (inout State, Int, Int64) -> RateVerdict) -> RateVerdict {
        let (now, seconds) = (MonotonicTime.now().nanoseconds, Int(WallTime.now().seconds))
        return state.withLock { body(&$0, $0.history.counts(of: client, at: seconds).allowance, now) }
    }

    // MARK: - What came

    func count(_ count: Int, _ fate: RecipientFate, _ client: IPAddress) {
        let now = Int(WallTime.now().seconds)
        state.withLock { $0.history.count(count, fate, from: client, at: now) }
    }

    // MARK: - Greylisting

    /// The outer nil: it may be known, but the log is not read yet.
    func entry(_ key: GreylistKey) -> GreylistEntry?? {
        state.withLock { state in
            if let entry = state.greylist[key] { return .some(entry) }
            return state.greylist.isComplete ? .some(nil) : .none
        }
    }

    /// Whether the log should have it.
    func remember(_ key: GreylistKey, _ entry: GreylistEntry) -> Bool { state.withLock { $0.greylist.remember(key, entry) } }

    // MARK: - After a start

    func recall(_ record: PolicyRecord) {
        state.withLock { state in
            switch record {
            case .greylist(let key, let entry): state.greylist.recall(key, entry)
            case .recipients(let count, let fate, let client, let time): state.history.count(count, fate, from: client, at: time)
            }
        }
    }

    func recallEnded() { state.withLock { $0.greylist.isComplete = true } }
}
