// Credentials for the desk: each step of SASL against the directory's snapshot, and what comes of it into the event log.

import Configuration
import Connection
import Daemon
import Directory
import Kernel
import MailModel
import SASLProtocol
import SpoolFormat

/// Checks strangers against the directory; used by worker threads.
struct AccountChecker: LoginChecker {
    private let authenticators: AuthenticatorPool
    private let store: StorePresence
    private let journal: EventJournal
    private let guesses: GuessWatch

    private let live: LiveConfiguration

    init(directory: Path, store: StorePresence, journal: EventJournal, live: LiveConfiguration, guesses: GuessWatch) {
        self.live = live
        let cache = LoginCache()
        authenticators = AuthenticatorPool { Authenticator(folder: directory, defaultDomain: nil, cache: cache, guesses: guesses) }
        self.guesses = guesses
        self.store = store
        self.journal = journal
    }

    func begin(_ start: AuthenticationStart) -> (Authentication?, LoginVerdict<AuthenticatedAccount>) {
        authenticators.with { authenticator in
            guard let (exchange, step) = authenticator.begin(
                start.mechanism, initial: start.initialResponse, binding: binding(start), from: start.arrival.peer.address, at: .now()) else {
                return (nil, .malformed)
            }
            return (exchange, verdict(step))
        }
    }

    /// The hash is the front's word, which holds the certificate's key anyway; given only where the front offers binding.
    private func binding(_ start: AuthenticationStart) -> ChannelBinding? {
        guard live.current.auth.mechanisms.contains(.scramSHA256Plus) else { return nil }
        return start.tls.flatMap { .serverEndPoint($0.endPoint) }
    }

    func respond(_ response: [UInt8], to exchange: Authentication) -> (Authentication?, LoginVerdict<AuthenticatedAccount>) {
        authenticators.with { authenticator in
            var exchange = exchange
            let step = authenticator.respond(response, to: &exchange, at: .now())
            return (exchange, verdict(step))
        }
    }

    private func verdict(_ step: Directory.AuthenticationStep) -> LoginVerdict<AuthenticatedAccount> {
        switch step {
        case .challenge(let bytes): .challenge(bytes)
        // Without the store there is no mailbox to give, and an empty one would be a lie.
        case .authenticated(let account): store.isThere ? .accepted(account) : .unavailable(reason: "the mail store is not there")
        case .rejected: .rejected
        case .malformed: .malformed
        case .unavailable(let reason): .unavailable(reason: "\(reason)")
        }
    }

    func concluded(_ start: AuthenticationStart, _ exchange: Authentication?, _ verdict: LoginVerdict<AuthenticatedAccount>) -> Int {
        var line = RecordLine(.authenticate).adding(.peer, start.arrival.peer.address).adding(.protocolName, start.arrival.role.name)
        switch verdict {
        case .challenge: break
        case .accepted(let account):
            line = line.adding(.result, "ok").adding(.account, account.address.wire)
            line.add(.who, exchange?.attempt.mark)
            journal.note(line)
        case .rejected: return rejected(line, exchange?.attempt)
        case .malformed: journal.note(line.adding(.result, "failed").adding(.reason, "malformed"))
        case .unavailable(let reason):
            journal.note(RecordLine(.problem).adding(.peer, start.arrival.peer.address).adding(.reason, reason))
        }
        return 1
    }

    /// The name as it was said is in no line: it may be a password in the wrong field.
    private func rejected(_ line: RecordLine, _ attempt: LoginAttempt?) -> Int {
        var line = line.adding(.result, "failed")
        line.add(.account, attempt?.known?.wire)
        line.add(.who, attempt?.mark)
        if attempt?.isBlocked == true { line.add(.reason, "blocked") }
        journal.note(line)
        return attempt.map { guesses.patience(with: $0, at: MonotonicTime.now().nanoseconds) } ?? 1
    }
}
