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
    package var mechanism: Mechanism { exchange.mechanism }
}

extension Authenticator {
    /// Begins an exchange; nil for a mechanism that we do not speak.
    ///
    /// `initial` is nil if the client sent no initial response; `binding` is given only where `-PLUS` is advertised.
    package func begin(
        _ mechanism: some Collection<UInt8>, initial: [UInt8]?, binding: ChannelBinding? = nil, at now: MonotonicTime
    ) -> (authentication: Authentication, step: AuthenticationStep)? {
        let random = Result { () throws(KernelError) in try Randomness.bytes(18) }
        let nonce = Base64.encode((try? random.get()) ?? [])
        guard let exchange = ServerExchange(mechanism: mechanism, hashes: .crypto, nonce: nonce, channelBinding: binding) else {
            return nil
        }
        var authentication = Authentication(exchange: exchange)
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
        case .success: return authentication.account.map { .authenticated($0) } ?? .rejected
        case .failure(.malformed): return .malformed
        case .failure(.rejected): return .rejected
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
            let account = try account(authorization: authorization, name: name, password: password, at: now)
            authentication.account = account
            return authentication.exchange.verified(identity: account?.address.canonical)
        case .scramVerifier(let name):
            let (verifier, account) = try scramVerifier(of: name, at: now)
            authentication.account = account
            return authentication.exchange.credential(
                verifier, known: account != nil, identity: account?.address.canonical ?? name)
        }
    }
}
