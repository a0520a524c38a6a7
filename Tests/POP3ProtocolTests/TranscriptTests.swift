// Plays Tests/Transcripts/pop3 against the two session machines, whole and byte by byte.

import MailTestKit
import SASLProtocol
import Testing

@testable import POP3Protocol

@Suite struct TranscriptTests {
    @Test(arguments: try Transcript.all(in: "pop3"))
    func dialogueGoesAsWritten(_ transcript: Transcript) throws {
        #expect(try transcript.failure(in: POP3World.self) == nil)
        #expect(try transcript.failure(in: POP3World.self, chopped: true) == nil)
    }

    @Test func thereAreTranscripts() throws {
        #expect(try Transcript.all(in: "pop3").count >= 25)
    }
}

/// A server with one maildrop, alice's.
///
/// `with:` tls (the connection begins under TLS), cleartext (passwords without TLS), locked, store unavailable,
/// directory unavailable, removal fails, message TEXT (escaped; one a line), vanished N (its file is gone).
struct POP3World: TranscriptWorld {
    private var capabilities = Capabilities(mechanisms: [.plain, .login], offersTLS: true)
    private var messages: [[UInt8]] = []
    private var vanished: Set<Int> = []
    private var isLocked = false
    private var storeFails = false
    private var directoryFails = false
    private var removalFails = false
    private var removed: [Int] = []
    private var peers: [Int: Peer] = [:]

    private struct Peer {
        var login: LoginSession
        var session: Session?
        var exchange: ServerExchange?
        var output: [UInt8] = []
        var isClosed = false
    }

    init(_ settings: [Transcript.Setting]) throws {
        for setting in settings {
            let words = setting.words.joined(separator: " ")
            switch (setting.key, words) {
            case ("tls", ""): capabilities.isTLS = true
            case ("cleartext", ""): capabilities.allowsPlaintextLogin = true
            case ("memory", "only"): break
            case ("locked", ""): isLocked = true
            case ("store", "unavailable"): storeFails = true
            case ("directory", "unavailable"): directoryFails = true
            case ("removal", "fails"): removalFails = true
            case ("message", _):
                guard let text = Transcript.unescape(words) else { throw TranscriptFailure(setting.key, line: 0, "bad escape") }
                messages.append(text)
            case ("vanished", _):
                guard let number = Int(words) else { throw TranscriptFailure(setting.key, line: 0, "not a number") }
                vanished.insert(number - 1)
            default: throw TranscriptFailure(setting.key, line: 0, "unknown setting: \(words)")
            }
        }
    }

    mutating func connected(_ connection: Int) {
        peers[connection] = Peer(login: LoginSession(capabilities))
        run(connection)
    }

    mutating func received(_ bytes: ArraySlice<UInt8>, on connection: Int) {
        if peers[connection]?.session != nil {
            peers[connection]?.session?.received(bytes)
        } else {
            peers[connection]?.login.received(bytes)
        }
        run(connection)
    }

    mutating func happened(_ event: Transcript.Event, on connection: Int) {
        switch event {
        case .tls: peers[connection]?.login.tlsStarted()
        case .endOfFile: peers[connection]?.isClosed = true
        case .deadline:
            peers[connection]?.login.deadlinePassed()
            peers[connection]?.session?.deadlinePassed()
        case .shutdown:
            peers[connection]?.login.shutdownRequested()
            peers[connection]?.session?.shutdownRequested()
        }
        run(connection)
    }

    mutating func output(of connection: Int) -> [UInt8] {
        defer { peers[connection]?.output = [] }
        return peers[connection]?.output ?? []
    }

    func isClosed(_ connection: Int) -> Bool { peers[connection]?.isClosed ?? true }

    func unmet(_ expectation: Transcript.Expectation) -> String? {
        guard expectation.key == "removed" else { return "unknown expectation" }
        let wanted = expectation.words.compactMap(Int.init).map { $0 - 1 }
        return wanted == removed ? nil : "removed: \(removed.map { $0 + 1 })"
    }

    private mutating func run(_ connection: Int) {
        guard var peer = peers[connection] else { return }
        while peer.session == nil, let action = peer.login.next() { take(action, &peer) }
        while let action = peer.session?.next() { take(action, &peer) }
        peers[connection] = peer
    }

    private mutating func take(_ action: LoginSession.Action, _ peer: inout Peer) {
        switch action {
        case .send(let bytes): peer.output += bytes
        case .startTLS: break
        case .close: peer.isClosed = true
        case .handOver(let handOver): peer.session = Session(handOver.capabilities, leftover: handOver.leftover)
        case .ask(let question): peer.login.answered(answer(question, &peer))
        }
    }

    private func answer(_ question: LoginSession.Question, _ peer: inout Peer) -> LoginSession.Answer {
        if directoryFails { return .unavailable }
        let result: ServerExchange.Result?
        switch question {
        case .authenticate(let mechanism, let initial):
            peer.exchange = ServerExchange(mechanism: mechanism.name, hashes: noHashes, nonce: [])
            result = peer.exchange?.start(initialResponse: initial)
        case .authenticationResponse(let message): result = peer.exchange?.response(message)
        }
        return answer(result ?? .failure(.malformed), &peer)
    }

    private func answer(_ result: ServerExchange.Result, _ peer: inout Peer) -> LoginSession.Answer {
        switch result {
        case .challenge(let message): return .challenge(message)
        case .success(let identity): return .authenticated(identity: identity)
        case .failure: return .rejected
        case .ask(.password(_, let name, let password)):
            let isRight = name == Array("alice".utf8) && password == Array("secret".utf8)
            return answer(peer.exchange?.verified(identity: isRight ? name : nil) ?? .failure(.malformed), &peer)
        case .ask(.scramVerifier): return .rejected
        }
    }

    private mutating func take(_ action: Session.Action, _ peer: inout Peer) {
        switch action {
        case .send(let bytes): peer.output += bytes
        case .close: peer.isClosed = true
        case .ask(let question): peer.session?.answered(answer(question))
        }
    }

    private mutating func answer(_ question: Session.Question) -> Session.Answer {
        switch question {
        case .open:
            if storeFails { return .unavailable }
            if isLocked { return .inUse }
            return .opened(messages.enumerated().map { .init(size: wireSize($1), uniqueID: Array("id\($0 + 1)".utf8)) })
        case .content(let index, let from):
            return vanished.contains(index) ? .missing : .content(Array(messages[index].dropFirst(from).prefix(7)))
        case .update(let deleted):
            removed = removalFails ? Array(deleted.dropLast()) : deleted
            return .updated(removed: removed.count)
        }
    }
}

private let noHashes = HashFunctions(sha256: { _ in [] }, hmacSHA256: { _, _ in [] }, pbkdf2SHA256: { _, _, _ in [] })

/// What the store says of a message's size: CRLF line ends.
func wireSize(_ message: [UInt8]) -> Int {
    var encoder = MultilineEncoder()
    var out: [UInt8] = []
    encoder.append(message, to: &out)
    encoder.finish(to: &out)
    return encoder.size
}
