// One world for all SASL tests: alice's password is `secret`, nobody else exists.

import MailTestKit
import SASLProtocol
import Testing

let hashes = HashFunctions(
    sha256: { ReferenceHashes.sha256($0) },
    hmacSHA256: { ReferenceHashes.hmacSHA256(key: $0, message: $1) },
    pbkdf2SHA256: { ReferenceHashes.pbkdf2SHA256(password: $0, salt: $1, iterations: $2) })

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

let aliceVerifier = ScramVerifier(
    password: bytes("secret"), salt: bytes("0123456789abcdef"), iterations: 4096, hashes: hashes)
/// What an asker gives for a name that it does not know.
let nobodysVerifier = ScramVerifier(
    salt: bytes("fedcba9876543210"), iterations: 4096, storedKey: Array(repeating: 7, count: 32),
    serverKey: Array(repeating: 9, count: 32))

/// Answers the questions of `exchange` until it has something for the client.
func settled(_ result: ServerExchange.Result, _ exchange: inout ServerExchange) -> ServerExchange.Result {
    guard case .ask(let question) = result else { return result }
    switch question {
    case .password(_, let name, let password):
        let isRight = name == bytes("alice") && password == bytes("secret")
        return exchange.verified(identity: isRight ? bytes("alice@example.org") : nil)
    case .scramVerifier(let name):
        let isKnown = name == bytes("alice")
        return exchange.credential(
            isKnown ? aliceVerifier : nobodysVerifier, known: isKnown, identity: bytes("alice@example.org"))
    }
}

/// Plays our client against our server to the end.
func play(_ mechanism: Mechanism, name: String, password: String) throws -> (ServerExchange.Result, clientAccepts: Bool)
{
    var server = try #require(ServerExchange(mechanism: mechanism.name, hashes: hashes, nonce: bytes("servernonce")))
    var client = try #require(
        ClientExchange(
            mechanism: mechanism, name: bytes(name), password: bytes(password), hashes: hashes,
            nonce: bytes("clientnonce")))
    var result = settled(server.start(initialResponse: client.initialResponse), &server)
    while case .challenge(let challenge) = result {
        guard case .respond(let response) = client.challenge(challenge) else { return (.failure(.malformed), false) }
        result = settled(server.response(response), &server)
    }
    return (result, client.acceptsSuccess)
}
