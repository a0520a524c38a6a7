// The fixed world of the IMAP transcripts: both session machines, a pump, and a store in memory.

import IMAPProtocol
import MailTestKit
import SASLProtocol

/// A server with alice's mailboxes; INBOX is there, with the messages that the settings give it.
///
/// `with:` tls (the connection begins under TLS), cleartext (passwords without TLS), message TEXT (into INBOX; escaped),
/// mailbox NAME [USE], subscribed NAME, limit N (message size), quota N, directory unavailable, store unavailable,
/// lost UID (its file is gone), memory only.
struct IMAPWorld: TranscriptWorld {
    private var settings = LoginSession.Settings(mechanisms: [Array("PLAIN".utf8), Array("LOGIN".utf8)], offersTLS: true)
    private var startsUnderTLS = false
    private var directoryFails = false
    private var limit = 1_000_000
    let store = FakeStore()
    private var peers: [Int: Peer] = [:]

    private struct Peer {
        var login: LoginSession
        var session: Session?
        var access: FakeAccess
        var exchange: ServerExchange?
        var generation = 0
        var output: [UInt8] = []
        var isClosed = false
    }

    init(_ settings: [Transcript.Setting]) throws {
        for setting in settings { try take(setting) }
    }

    private mutating func take(_ setting: Transcript.Setting) throws {
        let words = setting.words
        let fail = { TranscriptFailure(setting.key, line: 0, "unknown setting: \(words)") }
        switch (setting.key, words.first) {
        case ("tls", nil): startsUnderTLS = true
        case ("cleartext", nil): settings.allowsPlaintext = true
        case ("memory", "only"): break
        case ("directory", "unavailable"): directoryFails = true
        case ("store", "unavailable"): store.refusal = .unavailable
        case ("limit", let number?): limit = Int(number) ?? limit
        case ("quota", let number?): store.quota = Int(number)
        case ("lost", let number?): store.lost.insert(UInt32(number) ?? 0)
        case ("message", _?):
            guard let text = Transcript.unescape(words.joined(separator: " ")) else { throw fail() }
            store.add(text, to: .inbox)
        case ("mailbox", let text?):
            guard let name = MailboxName(utf8: Array(text.utf8)) else { throw fail() }
            store.create(name, specialUse: words.dropFirst().first.flatMap(IMAPWorld.use))
        case ("subscribed", let text?):
            guard let name = MailboxName(utf8: Array(text.utf8)) else { throw fail() }
            if store.mailboxes[name] == nil {
                store.create(name)
                store.mailboxes[name]?.exists = false
            }
            store.mailboxes[name]?.isSubscribed = true
        default: throw fail()
        }
    }

    private static func use(_ text: String) -> SpecialUse? { SpecialUse.allCases.first { "\($0)" == text } }

    mutating func connected(_ connection: Int) {
        peers[connection] = Peer(
            login: LoginSession(settings: settings, isTLS: startsUnderTLS), access: FakeAccess(store))
        run(connection)
    }

    mutating func received(_ bytes: ArraySlice<UInt8>, on connection: Int) {
        if peers[connection]?.session != nil {
            peers[connection]?.session?.received(bytes)
        } else {
            peers[connection]?.login.received(bytes)
        }
        run(connection)
        notifyOthers(than: connection)
    }

    /// What one session changed, the others hear of.
    private mutating func notifyOthers(than connection: Int) {
        for other in peers.keys.sorted() where peers[other]?.generation != store.generation {
            peers[other]?.generation = store.generation
            guard other != connection else { continue }
            peers[other]?.session?.mailboxChanged()
            run(other)
        }
    }

    mutating func happened(_ event: Transcript.Event, on connection: Int) {
        switch event {
        case .tls: peers[connection]?.login.tlsStarted()
        case .endOfFile: peers[connection]?.isClosed = true
        case .deadline:
            if peers[connection]?.session == nil { peers[connection]?.login.deadlinePassed() }
            peers[connection]?.session?.deadlinePassed()
        case .shutdown:
            if peers[connection]?.session == nil { peers[connection]?.login.shutdownRequested() }
            peers[connection]?.session?.shutdownRequested()
        }
        run(connection)
    }

    mutating func output(of connection: Int) -> [UInt8] {
        defer { peers[connection]?.output = [] }
        return peers[connection]?.output ?? []
    }

    func isClosed(_ connection: Int) -> Bool { peers[connection]?.isClosed ?? true }

    /// `messages NAME N`
    func unmet(_ expectation: Transcript.Expectation) -> String? {
        guard expectation.key == "messages", let text = expectation.words.first,
            let name = MailboxName(utf8: Array(text.utf8)), let count = expectation.words.last.flatMap({ Int($0) })
        else { return "unknown expectation" }
        let found = store.mailboxes[name]?.messages.count
        return found == count ? nil : "\(text) has \(found.map(String.init) ?? "no existence")"
    }

    private mutating func run(_ connection: Int) {
        guard var peer = peers[connection], !peer.isClosed else { return }
        while peer.session == nil, let action = peer.login.next() { take(action, &peer) }
        while let action = peer.session?.next() { take(action, &peer) }
        peers[connection] = peer
    }

    private func take(_ action: LoginSession.Action, _ peer: inout Peer) {
        switch action {
        case .send(let bytes): peer.output += bytes
        case .startTLS: break
        case .close: peer.isClosed = true
        case .handOver(let handOver):
            peer.session = Session(settings: .init(maximumMessageSize: limit), handOver: handOver)
        case .ask(let question): peer.login.answered(answer(question, &peer))
        }
    }

    private func take(_ action: Session.Action, _ peer: inout Peer) {
        switch action {
        case .send(let bytes): peer.output += bytes
        case .ask(let question): peer.session?.answered(peer.access.answer(question))
        case .pause: break
        case .close: peer.isClosed = true
        }
    }

    private func answer(_ question: LoginSession.Question, _ peer: inout Peer) -> LoginSession.Answer {
        if directoryFails { return .unavailable }
        switch question {
        case .authenticate(let mechanism, let initial):
            peer.exchange = ServerExchange(mechanism: mechanism, hashes: noHashes, nonce: [])
            return answer(peer.exchange?.start(initialResponse: initial) ?? .failure(.malformed), &peer)
        case .authenticationResponse(let message):
            return answer(peer.exchange?.response(message) ?? .failure(.malformed), &peer)
        }
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
}

private let noHashes = HashFunctions(sha256: { _ in [] }, hmacSHA256: { _, _ in [] }, pbkdf2SHA256: { _, _, _ in [] })
