// What a server keeps instead of a password: enough to check a proof, not enough to make one.

/// The stored form of a SCRAM password (RFC 5802 §3, RFC 7677 §4).
package struct ScramVerifier: Sendable, Equatable {
    package let salt: [UInt8]
    package let iterations: Int
    /// H(ClientKey), 32 bytes.
    package let storedKey: [UInt8]
    /// HMAC(SaltedPassword, "Server Key"), 32 bytes.
    package let serverKey: [UInt8]

    package init(salt: [UInt8], iterations: Int, storedKey: [UInt8], serverKey: [UInt8]) {
        self.salt = salt
        self.iterations = iterations
        self.storedKey = storedKey
        self.serverKey = serverKey
    }

    /// Makes the verifier of a password. `salt` is fresh randomness of at least 16 bytes.
    package init(password: [UInt8], salt: [UInt8], iterations: Int, hashes: HashFunctions) {
        let keys = ScramKeys(salted: hashes.pbkdf2SHA256(password, salt, iterations), hashes: hashes)
        self.init(salt: salt, iterations: iterations, storedKey: keys.stored, serverKey: keys.server)
    }

    /// Whether `password` is the one that this verifier was made of; as slow as making one.
    package func matches(password: [UInt8], hashes: HashFunctions) -> Bool {
        let other = ScramVerifier(password: password, salt: salt, iterations: iterations, hashes: hashes)
        return equalsInConstantTime(other.storedKey, storedKey)
    }
}

/// The keys of RFC 5802 §3, all from the salted password.
struct ScramKeys {
    let client: [UInt8]
    let stored: [UInt8]
    let server: [UInt8]

    init(salted: [UInt8], hashes: HashFunctions) {
        client = hashes.hmacSHA256(salted, Array("Client Key".utf8))
        stored = hashes.sha256(client)
        server = hashes.hmacSHA256(salted, Array("Server Key".utf8))
    }
}
