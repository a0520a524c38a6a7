// The client's side of one authentication, for mail that we hand to a smarthost.

/// One SASL exchange as a client; says what to answer, never sends.
package struct ClientExchange: Sendable {
    package enum Result: Sendable, Equatable {
        case respond([UInt8])
        /// The server does not follow the mechanism, or does not know the secret it should know.
        case failure
    }

    package let mechanism: Mechanism
    private let name: [UInt8]
    private let password: [UInt8]
    private var scram: ScramClient
    private var challenges = 0

    /// nil if name or password cannot be said (NUL, empty, not UTF-8), or for `-PLUS`, which we do not use as a client.
    package init?(mechanism: Mechanism, name: [UInt8], password: [UInt8], hashes: HashFunctions, nonce: [UInt8]) {
        guard isCredentialText(name), isCredentialText(password), isNonce(nonce), mechanism != .scramSHA256Plus else {
            return nil
        }
        self.mechanism = mechanism
        self.name = name
        self.password = password
        scram = ScramClient(name: name, password: password, hashes: hashes, nonce: nonce)
    }

    /// What goes with the AUTH command; nil if the server speaks first.
    package var initialResponse: [UInt8]? {
        switch mechanism {
        case .plain: [0] + name + [0] + password
        case .login: nil
        case .scramSHA256, .scramSHA256Plus: scram.first
        }
    }

    /// A decoded challenge from the server.
    package mutating func challenge(_ message: [UInt8]) -> Result {
        challenges += 1
        guard message.count <= messageLimit, challenges <= 3 else { return .failure }
        switch mechanism {
        case .plain: return challenges == 1 && message.isEmpty ? .respond(initialResponse ?? []) : .failure
        case .login: return challenges < 3 ? .respond(challenges == 1 ? name : password) : .failure
        case .scramSHA256, .scramSHA256Plus: return scram.challenge(message)
        }
    }

    /// Whether a positive reply may be believed: after SCRAM, only once the server has proved itself.
    package var acceptsSuccess: Bool {
        switch mechanism {
        case .plain, .login: true
        case .scramSHA256, .scramSHA256Plus: scram.serverIsProven
        }
    }
}
