// The server's side of one authentication. It never looks a user up: it asks, and every answer ends or advances it.
// An unknown user costs the same messages and the same hashes as a known one with a wrong password.

/// One SASL exchange, from the client's AUTH command to success or failure.
///
///     C: AUTH PLAIN                start(initialResponse: nil)  → .challenge([])
///     C: AGFsaWNlAHNlY3JldA==      response(…)                  → .ask(.password(…))
///                                  verified(identity:)          → .success(identity)
package struct ServerExchange: Sendable {
    package enum Question: Sendable, Equatable {
        /// PLAIN and LOGIN; answered by `verified(identity:)`.
        case password(authorization: [UInt8], authentication: [UInt8], password: [UInt8])
        /// SCRAM; answered by `credential(_:known:identity:)`.
        case scramVerifier(authentication: [UInt8])
    }

    package enum Failure: Error, Sendable, Equatable {
        /// Not a message of this mechanism, or longer than 8 KiB.
        case malformed
        /// Wrong name or secret; deliberately one case.
        case rejected
        /// The asker could not look it up; the client may try again later.
        case unavailable
    }

    package enum Result: Sendable, Equatable {
        case challenge([UInt8])
        case ask(Question)
        case success(identity: [UInt8])
        case failure(Failure)
    }

    package let mechanism: Mechanism
    private var machine: Machine

    private enum Machine: Sendable {
        case plain(PlainServer)
        case login(LoginServer)
        case scram(ScramServer)
        case over
    }

    /// nil for a mechanism that we do not speak, or `-PLUS` without a channel binding.
    ///
    /// `nonce`: at least 18 fresh random bytes in Base64, used by SCRAM alone. `channelBinding`: given only
    /// where `-PLUS` is advertised, because a client that says it saw no `-PLUS` is then refused (RFC 5802 §6).
    package init?(
        mechanism name: some Collection<UInt8>, hashes: HashFunctions, nonce: [UInt8],
        channelBinding: ChannelBinding? = nil
    ) {
        guard let mechanism = Mechanism(name: name) else { return nil }
        self.mechanism = mechanism
        switch mechanism {
        case .plain: machine = .plain(PlainServer())
        case .login: machine = .login(LoginServer())
        case .scramSHA256:
            machine = .scram(ScramServer(hashes: hashes, nonce: nonce, offered: channelBinding, required: false))
        case .scramSHA256Plus:
            guard channelBinding != nil else { return nil }
            machine = .scram(ScramServer(hashes: hashes, nonce: nonce, offered: channelBinding, required: true))
        }
    }

    /// Begins; `initialResponse` is nil if the client gave none, and empty if it gave an empty one.
    package mutating func start(initialResponse: [UInt8]?) -> Result {
        if let initialResponse { return response(initialResponse) }
        if case .login(let login) = machine { return step(login.prompt(), .login(login)) }
        return .challenge([])
    }

    /// A decoded response from the client. A cancelled exchange is simply dropped.
    package mutating func response(_ message: [UInt8]) -> Result {
        guard message.count <= messageLimit else { return step(.failure(.malformed), .over) }
        switch machine {
        case .plain(var plain): return step(plain.response(message), .plain(plain))
        case .login(var login):
            let result = login.response(message)
            return step(result, .login(login))
        case .scram(var scram):
            let result = scram.response(message)
            return step(result, .scram(scram))
        case .over: return .failure(.malformed)
        }
    }

    /// Answers `.password`: the identity that the password proved, or nil.
    package mutating func verified(identity: [UInt8]?) -> Result {
        switch machine {
        case .plain, .login: step(identity.map { .success(identity: $0) } ?? .failure(.rejected), .over)
        case .scram, .over: step(.failure(.malformed), .over)
        }
    }

    /// Answers `.scramVerifier`.
    ///
    /// For an unknown user: a made-up verifier, always the same for the same name, and `known: false`.
    package mutating func credential(_ verifier: ScramVerifier, known: Bool, identity: [UInt8]) -> Result {
        guard case .scram(var scram) = machine else { return step(.failure(.malformed), .over) }
        let result = scram.credential(verifier, known: known, identity: identity)
        return step(result, .scram(scram))
    }

    /// Answers either question: it cannot be looked up now.
    package mutating func unavailable() -> Result { step(.failure(.unavailable), .over) }

    /// Keeps the machine only while there is something left to say.
    private mutating func step(_ result: Result, _ next: Machine) -> Result {
        switch result {
        case .challenge, .ask: machine = next
        case .success, .failure: machine = .over
        }
        return result
    }
}
