// One SASL exchange against the directory: the machine of SASLProtocol, its questions answered on the spot.

package import Kernel
import MailModel
package import SASLProtocol

/// What a protocol says next.
package enum AuthenticationStep: Hashable, Sendable {
    /// Send this, in the protocol's encoding, and give the answer to `respond`.
    case challenge([UInt8])
    case authenticated(AuthenticatedAccount)
    /// Wrong, unknown or disabled: one answer for all.
    case rejected
    /// Not a message of the mechanism; says nothing about the account and counts as no attempt.
    case malformed
    /// Temporary: 454, `-ERR [SYS/TEMP]`, `NO [UNAVAILABLE]`.
    case unavailable(DirectoryUnavailable)
}

/// An exchange under way: held by the session, moved to a worker thread for each step.
package struct Authentication: Sendable {
    fileprivate var exchange: ServerExchange
    /// Set as soon as the name is known; believed only after success.
    fileprivate var account: AuthenticatedAccount?
    /// What counts and the event log know of it.
    package fileprivate(set) var attempt: LoginAttempt
    package var mechanism: Mechanism { exchange.mechanism }
}

extension Authenticator {
    /// Begins an exchange; nil for a mechanism that we do not speak.
    ///
    /// `initial` is nil if the client sent no initial response; `binding` is given only where `-PLUS` is advertised; `peer` is the
    /// client's address as text.
    package func begin(
        _ mechanism: some Collection<UInt8>, initial: [UInt8]?, binding: ChannelBinding? = nil, from peer: [UInt8] = [], at now: MonotonicTime
    ) -> (authentication: Authentication, step: AuthenticationStep)? {
        let random = Result { () throws(KernelError) in try Randomness.bytes(18) }
        let nonce = Base64.encode((try? random.get()) ?? [])
        guard let exchange = ServerExchange(mechanism: mechanism, hashes: .crypto, nonce: nonce, channelBinding: binding) else {
            return nil
        }
        var authentication = Authentication(exchange: exchange, attempt: LoginAttempt(peer: peer))
        if case .failure(let error) = random { return (authentication, .unavailable(DirectoryUnavailable("\(error)"))) }
        let step = settle(authentication.exchange.start(initialResponse: initial), &authentication, at: now)
        return (authentication, step)
    }

    /// The client's answer to a challenge, decoded. A cancelled exchange is simply dropped.
    package func respond(_ message: [UInt8], to authentication: inout Authentication, at now: MonotonicTime) -> AuthenticationStep {
        settle(authentication.exchange.response(message), &authentication, at: now)
    }

    private func settle(
        _ result: ServerExchange.Result, _ authentication: inout Authentication, at now: MonotonicTime
    ) -> AuthenticationStep {
        switch result {
        case .challenge(let challenge): return .challenge(challenge)
        case .success: return concluded(authentication.account, authentication.attempt, at: now)
        case .failure(.malformed): return .malformed
        case .failure(.rejected): return concluded(nil, authentication.attempt, at: now)
        case .failure(.unavailable): return .unavailable(DirectoryUnavailable("the credentials cannot be read"))
        case .ask(let question):
            do throws(DirectoryUnavailable) {
                return settle(try answer(question, &authentication, at: now), &authentication, at: now)
            } catch {
                _ = authentication.exchange.unavailable()
                return .unavailable(error)
            }
        }
    }

    private func answer(
        _ question: ServerExchange.Question, _ authentication: inout Authentication, at now: MonotonicTime
    ) throws(DirectoryUnavailable) -> ServerExchange.Result {
        switch question {
        case .password(let authorization, let name, let password):
            authentication.attempt = try recognise(authentication.attempt, name, at: now)
            // What is not looked at is answered as a wrong password is, whoever's name it was.
            let isBlocked = authentication.attempt.isBlocked
            let account = isBlocked ? nil : try account(authorization: authorization, name: name, password: password, at: now)
            authentication.account = account
            return authentication.exchange.verified(identity: account?.address.canonical)
        case .scramVerifier(let name):
            authentication.attempt = try recognise(authentication.attempt, name, at: now)
            // The salt is what it always is, or it would tell a guesser which names are somebody's.
            var (verifier, account) = try scramVerifier(of: name, at: now)
            if authentication.attempt.isBlocked { account = nil }
            authentication.account = account
            return authentication.exchange.credential(
                verifier, known: account != nil, identity: account?.address.canonical ?? name)
        }
    }
}

extension Authenticator {
    /// Counts how an exchange ended.
    private func concluded(_ account: AuthenticatedAccount?, _ attempt: LoginAttempt, at now: MonotonicTime) -> AuthenticationStep {
        if let account {
            if let mark = attempt.mark { guesses?.succeeded(from: attempt.peer, as: mark, at: now.nanoseconds) }
            return .authenticated(account)
        }
        if !attempt.isBlocked { guesses?.failed(from: attempt.peer, as: attempt.mark, at: now.nanoseconds) }
        return .rejected
    }

    /// The attempt once its name is said. The work is the same for every name.
    private func recognise(_ attempt: LoginAttempt, _ name: [UInt8], at now: MonotonicTime) throws(DirectoryUnavailable) -> LoginAttempt {
        var attempt = attempt
        let (mark, known) = try mark(of: name, at: now)
        attempt.mark = mark
        attempt.known = known
        attempt.isBlocked = guesses?.isBlocked(from: attempt.peer, as: mark, at: now.nanoseconds) ?? false
        return attempt
    }
}
