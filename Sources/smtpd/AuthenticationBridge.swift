// SASL for one session: each step is computed by a worker, because a key derivation would stop the loop.

import Connection
import Directory
import Kernel
import MailModel
import SMTPProtocol
import SpoolFormat

/// The exchange of one session, between the machine on the loop and the workers.
struct AuthenticationBridge {
    private let shared: SharedParts
    private var exchange: Directory.Authentication?

    init(_ shared: SharedParts) { self.shared = shared }

    mutating func begin(_ mechanism: [UInt8], _ initial: [UInt8]?, from peer: [UInt8], _ wire: Wire<SessionAnswer>) {
        exchange = nil
        let binding = wire.tls?.binding(shared.session.mechanisms)
        run(wire) { authenticator in
            guard let (exchange, step) = authenticator.begin(mechanism, initial: initial, binding: binding, from: peer, at: .now()) else { return (nil, .malformed) }
            return (exchange, step)
        }
    }

    mutating func respond(_ response: [UInt8], _ wire: Wire<SessionAnswer>) {
        guard let current = exchange else { return wire.replyAddress.deliver(.answer(.authentication(.malformed))) }
        run(wire) { authenticator in
            var exchange = current
            let step = authenticator.respond(response, to: &exchange, at: .now())
            return (exchange, step)
        }
    }

    private func run(_ wire: Wire<SessionAnswer>, _ work: @escaping @Sendable (Authenticator) -> (Directory.Authentication?, Directory.AuthenticationStep)) {
        let address = wire.replyAddress
        let (pool, delay, guesses) = (shared.authenticators, shared.failureDelay, shared.guesses)
        let isTaken = shared.workers.offer {
            // Nobody waits any more, and nothing was tried yet.
            if address.isGone { return }
            let (exchange, step) = pool.with(work)
            if case .rejected = step {
                let factor = exchange.map { guesses.patience(with: $0.attempt, at: MonotonicTime.now().nanoseconds) } ?? 1
                address.deliver(.authentication(exchange, step), after: min(delay * factor, max(delay, .seconds(60))))
            } else {
                address.deliver(.authentication(exchange, step))
            }
        }
        if !isTaken { address.deliver(.authentication(nil, .unavailable(DirectoryUnavailable("too many logins wait")))) }
    }

    /// A worker's result for the machine.
    mutating func take(_ exchange: Directory.Authentication?, _ step: Directory.AuthenticationStep, peer: [UInt8]) -> ServerAnswer {
        self.exchange = exchange
        switch step {
        case .challenge(let bytes): return .authentication(.challenge(bytes))
        case .authenticated(let account):
            note(peer, "ok", exchange?.attempt, account.address)
            return .authentication(.authenticated(identity: account.address.wire))
        case .rejected:
            note(peer, "failed", exchange?.attempt, exchange?.attempt.known)
            return .authentication(.rejected)
        case .malformed: return .authentication(.malformed)
        case .unavailable(let reason):
            shared.intake.note(RecordLine(.problem).adding(.peer, peer).adding(.reason, "\(reason)"))
            return .authentication(.unavailable)
        }
    }

    /// The name as it was said is in no line: it may be a password in the wrong field.
    private func note(_ peer: [UInt8], _ result: String, _ attempt: LoginAttempt?, _ account: EmailAddress?) {
        var line = RecordLine(.authenticate).adding(.peer, peer).adding(.result, result)
        line.add(.account, account?.wire)
        line.add(.who, attempt?.mark)
        if attempt?.isBlocked == true { line.add(.reason, "blocked") }
        shared.intake.note(line)
    }
}
