// SCRAM-SHA-256, the server's side (RFC 5802 §3, RFC 7677): the password never crosses the wire.
// RFC 5802 §5.1 deviation: names are taken as UTF-8 without SASLprep; the directory folds them as it folds addresses.

struct ScramServer: Sendable {
    private let hashes: HashFunctions
    private let ownNonce: [UInt8]
    private let offered: ChannelBinding?
    private let required: Bool
    private var state = State.clientFirst

    private enum State: Sendable {
        case clientFirst
        case verifier(Opening)
        case clientFinal(Challenged)
        case confirmation(identity: [UInt8])
    }

    /// The parts of the client's first message that later ones are checked against.
    private struct Opening: Sendable {
        let bare: [UInt8]
        let bindingInput: [UInt8]
        let nonce: [UInt8]
    }

    private struct Challenged: Sendable {
        let opening: Opening
        let serverFirst: [UInt8]
        let verifier: ScramVerifier
        let known: Bool
        let identity: [UInt8]
    }

    init(hashes: HashFunctions, nonce: [UInt8], offered: ChannelBinding?, required: Bool) {
        self.hashes = hashes
        self.ownNonce = nonce
        self.offered = offered
        self.required = required
    }

    mutating func response(_ message: [UInt8]) -> ServerExchange.Result {
        switch state {
        case .clientFirst: return first(message)
        case .verifier: return .failure(.malformed)
        case .clientFinal(let challenged): return final(message, challenged)
        case .confirmation(let identity): return message.isEmpty ? .success(identity: identity) : .failure(.malformed)
        }
    }

    private mutating func first(_ message: [UInt8]) -> ServerExchange.Result {
        guard let first = ClientFirst(message), isNonce(ownNonce) else { return .failure(.malformed) }
        guard let bindingData = bindingData(for: first.bindingType) else { return .failure(.rejected) }
        guard first.authorization.isEmpty || first.authorization == first.name else { return .failure(.rejected) }
        state = .verifier(
            Opening(bare: first.bare, bindingInput: first.header + bindingData, nonce: first.nonce + ownNonce))
        return .ask(.scramVerifier(authentication: first.name))
    }

    /// RFC 5802 §6: `y` where we offer a binding means that somebody removed the offer from our list.
    private func bindingData(for request: ClientFirst.BindingRequest) -> [UInt8]? {
        switch request {
        case .unsupported: required ? nil : []
        case .thoughtUnoffered: offered == nil ? [] : nil
        case .required(let type): required && offered?.type == type ? offered?.data : nil
        }
    }

    mutating func credential(_ verifier: ScramVerifier, known: Bool, identity: [UInt8]) -> ServerExchange.Result {
        guard case .verifier(let opening) = state else { return .failure(.malformed) }
        let reply = ServerFirst.text(nonce: opening.nonce, salt: verifier.salt, iterations: verifier.iterations)
        state = .clientFinal(
            Challenged(opening: opening, serverFirst: reply, verifier: verifier, known: known, identity: identity))
        return .challenge(reply)
    }

    private mutating func final(_ message: [UInt8], _ challenged: Challenged) -> ServerExchange.Result {
        guard let final = ClientFinal(message) else { return .failure(.malformed) }
        let opening = challenged.opening
        guard final.nonce == opening.nonce, final.binding == opening.bindingInput else { return .failure(.rejected) }
        let comma = [UInt8(ascii: ",")]
        let signed = opening.bare + comma + challenged.serverFirst + comma + final.withoutProof
        let signature = hashes.hmacSHA256(challenged.verifier.storedKey, signed)
        let clientKey = exclusiveOr(final.proof, signature)
        let isRight = equalsInConstantTime(hashes.sha256(clientKey), challenged.verifier.storedKey)
        let serverSignature = hashes.hmacSHA256(challenged.verifier.serverKey, signed)
        guard isRight, challenged.known else { return .failure(.rejected) }
        state = .confirmation(identity: challenged.identity)
        return .challenge(Array("v=".utf8) + Base64.encode(serverSignature))
    }
}
