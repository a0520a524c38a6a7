// The fixed world of the SMTP transcripts, played by the real machine: what smtpd's policy would answer, without smtpd.

import MailModel
import MailTestKit
import SASLProtocol
import SMTPProtocol

let hashes = HashFunctions(
    sha256: { ReferenceHashes.sha256($0) },
    hmacSHA256: { ReferenceHashes.hmacSHA256(key: $0, message: $1) },
    pbkdf2SHA256: { ReferenceHashes.pbkdf2SHA256(password: $0, salt: $1, iterations: $2) })

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// A message that the world has taken responsibility for.
struct AcceptedMessage: Equatable {
    var envelope: Envelope
    var content: [UInt8]
    var facts: AcceptFacts
}

/// What a session's questions are answered with.
struct SMTPDirectory {
    var passwords = ["alice": "secret", "bob": "secret"]
    var localParts: Set<String> = ["alice", "bob", "team", "postmaster"]
    var isUnavailable = false
    var isFull = false
    var cannotAccept = false
    var refusesSenders = false

    func recipient(_ address: EmailAddress) -> ServerAnswer.Recipient {
        if isUnavailable { return .unavailable }
        guard address.domain.description == "example.org" else { return .remote }
        return localParts.contains(address.localPart.asciiLowercased.display) ? .local : .unknown
    }

    func postmaster() -> EmailAddress? {
        let address = EmailAddress("postmaster@example.org")
        return address.flatMap { recipient($0) == .local ? $0 : nil }
    }

    func sender() -> ServerAnswer.Sender {
        if isFull { return .temporary(Reply(452, .init(.temporary, 3, 1), "Insufficient system storage")) }
        if refusesSenders { return .refused(Reply(550, .init(.permanent, 7, 1), "Sender refused")) }
        return .accepted
    }
}

/// One connection: the machine and what it wants from TLS.
struct SMTPConnection {
    var session: ServerSession
    var exchange: ServerExchange?
    var output: [UInt8] = []
    var spilled: [UInt8] = []
    var discards = 0
    var isClosed = false
    var awaitsHandshake = false
}

struct SMTPWorld: TranscriptWorld {
    var configuration: ServerConfiguration
    var isTLS = false
    var directory = SMTPDirectory()
    var connections: [Int: SMTPConnection] = [:]
    var accepted: [AcceptedMessage] = []

    mutating func connected(_ connection: Int) {
        let session = ServerSession(configuration: configuration, peer: bytes("127.0.0.1"), isTLS: isTLS)
        connections[connection] = SMTPConnection(session: session)
        pump(connection)
    }

    mutating func received(_ bytes: ArraySlice<UInt8>, on connection: Int) {
        connections[connection]?.session.received(bytes)
        pump(connection)
    }

    mutating func happened(_ event: Transcript.Event, on connection: Int) {
        switch event {
        case .tls:
            guard connections[connection]?.awaitsHandshake == true else { return }
            connections[connection]?.session.tlsStarted()
        case .endOfFile: connections[connection]?.session.peerClosed()
        case .deadline: connections[connection]?.session.deadlinePassed()
        case .shutdown: connections[connection]?.session.shutdownRequested()
        }
        pump(connection)
    }

    mutating func output(of connection: Int) -> [UInt8] {
        defer { connections[connection]?.output = [] }
        return connections[connection]?.output ?? []
    }

    func isClosed(_ connection: Int) -> Bool { connections[connection]?.isClosed ?? false }

    private mutating func pump(_ number: Int) {
        while let action = connections[number]?.session.next() {
            switch action {
            case .send(let bytes): connections[number]?.output += bytes
            case .startTLS: connections[number]?.awaitsHandshake = true
            case .close: connections[number]?.isClosed = true
            case .content(let bytes): connections[number]?.spilled += bytes
            case .discardContent:
                connections[number]?.spilled = []
                connections[number]?.discards += 1
            case .ask(let question):
                let answer = answer(question, number)
                connections[number]?.session.answered(answer)
            }
        }
    }

    private mutating func answer(_ question: ServerQuestion, _ number: Int) -> ServerAnswer {
        switch question {
        case .sender: return .sender(directory.sender())
        case .recipient(let address): return .recipient(directory.recipient(address))
        case .postmaster: return .postmaster(directory.postmaster())
        case .authenticate(let mechanism, let initial):
            var exchange = ServerExchange(mechanism: mechanism, hashes: hashes, nonce: bytes("servernonce"))
            let result = exchange?.start(initialResponse: initial) ?? .failure(.malformed)
            connections[number]?.exchange = exchange
            return .authentication(authenticated(result, number))
        case .authenticationResponse(let response):
            let result = connections[number]?.exchange?.response(response) ?? .failure(.malformed)
            return .authentication(authenticated(result, number))
        case .accept(let envelope, let content, let facts):
            if directory.cannotAccept {
                return .message(.temporary(Reply(451, .init(.temporary, 3, 0), "Cannot write the spool")))
            }
            let whole = facts.isSpilled ? connections[number]?.spilled ?? [] : content
            connections[number]?.spilled = []
            accepted.append(AcceptedMessage(envelope: envelope, content: whole, facts: facts))
            return .message(.accepted(id: bytes("m\(accepted.count)")))
        }
    }

    private mutating func authenticated(_ result: ServerExchange.Result, _ number: Int) -> ServerAnswer.Authentication {
        if directory.isUnavailable { return .unavailable }
        switch result {
        case .challenge(let challenge): return .challenge(challenge)
        case .success(let identity): return .authenticated(identity: identity)
        case .failure(.malformed): return .malformed
        case .failure(.rejected): return .rejected
        case .failure(.unavailable): return .unavailable
        case .ask(.password(_, let name, let password)):
            let isRight = directory.passwords[name.display].map { bytes($0) == password } ?? false
            let next = connections[number]?.exchange?.verified(identity: isRight ? name + bytes("@example.org") : nil)
            return authenticated(next ?? .failure(.malformed), number)
        case .ask(.scramVerifier(let name)):
            let password = directory.passwords[name.display]
            let verifier = ScramVerifier(
                password: bytes(password ?? "made up"), salt: bytes("0123456789abcdef"), iterations: 4096,
                hashes: hashes)
            let next = connections[number]?.exchange?.credential(
                verifier, known: password != nil, identity: name + bytes("@example.org"))
            return authenticated(next ?? .failure(.malformed), number)
        }
    }
}
