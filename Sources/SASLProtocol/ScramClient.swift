// SCRAM-SHA-256, the client's side (RFC 5802 §3): proves the password,
// and makes the server prove that it has the verifier.

struct ScramClient: Sendable {
    private let bare: [UInt8]
    private let nonce: [UInt8]
    private let password: [UInt8]
    private let hashes: HashFunctions
    private var expectedSignature: [UInt8]?
    private(set) var serverIsProven = false

    private static let header = Array("n,,".utf8)

    init(name: [UInt8], password: [UInt8], hashes: HashFunctions, nonce: [UInt8]) {
        bare = Array("n=".utf8) + escape(name) + Array(",r=".utf8) + nonce
        self.nonce = nonce
        self.password = password
        self.hashes = hashes
    }

    var first: [UInt8] { ScramClient.header + bare }

    mutating func challenge(_ message: [UInt8]) -> ClientExchange.Result {
        guard let expectedSignature else { return message.isEmpty ? .respond(first) : final(message) }
        var attributes = ScramAttributes(message[...])
        guard !serverIsProven, let text = attributes.take("v"), let signature = Base64.decode(text),
            equalsInConstantTime(signature, expectedSignature)
        else { return .failure }
        serverIsProven = true
        return .respond([])
    }

    /// RFC 7677 §4: at least 4096 rounds. The upper bound keeps a hostile server from buying hours of our time.
    private mutating func final(_ message: [UInt8]) -> ClientExchange.Result {
        guard let server = ServerFirst(message), (4096...1_000_000).contains(server.iterations),
            server.nonce.starts(with: nonce), server.nonce.count > nonce.count
        else { return .failure }
        let keys = ScramKeys(salted: hashes.pbkdf2SHA256(password, server.salt, server.iterations), hashes: hashes)
        let comma = [UInt8(ascii: ",")]
        let withoutProof = Array("c=".utf8) + Base64.encode(ScramClient.header) + Array(",r=".utf8) + server.nonce
        let signed = bare + comma + message + comma + withoutProof
        let proof = exclusiveOr(keys.client, hashes.hmacSHA256(keys.stored, signed))
        expectedSignature = hashes.hmacSHA256(keys.server, signed)
        return .respond(withoutProof + Array(",p=".utf8) + Base64.encode(proof))
    }
}
