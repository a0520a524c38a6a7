// The not authenticated state as the front drives it.

import Connection
import IMAPProtocol

/// IMAP's `LoginSession` in the shape that every protocol's dialogue before login has.
struct LoginDialogue: LoginMachine, Sendable {
    private var session: LoginSession
    /// What follows the reply to the login: the front says it, so that the session process repeats no words of the front's.
    private var afterReply: LoginAction?

    init(_ settings: LoginSession.Settings, isTLS: Bool) { session = LoginSession(settings: settings, isTLS: isTLS) }

    var wantsInput: Bool { session.wantsInput }
    mutating func received(_ bytes: ArraySlice<UInt8>) { session.received(bytes) }
    mutating func tlsStarted() { session.tlsStarted() }
    mutating func deadlinePassed() { session.deadlinePassed() }
    mutating func shutdownRequested() { session.shutdownRequested() }

    mutating func answered(_ answer: LoginAnswer) {
        switch answer {
        case .challenge(let bytes): session.answered(.challenge(bytes))
        // Who it is stays in the session process; the machine only hands it back.
        case .accepted: session.answered(.authenticated(identity: []))
        case .rejected, .malformed: session.answered(.rejected)
        case .unavailable: session.answered(.unavailable)
        }
    }

    mutating func next() -> LoginAction? {
        if let action = afterReply {
            afterReply = nil
            return action
        }
        switch session.next() {
        case .send(let bytes): return .send(bytes)
        case .startTLS: return .startTLS
        case .ask(.authenticate(let mechanism, let initial)): return .authenticate(mechanism: mechanism, initial: initial)
        case .ask(.authenticationResponse(let message)): return .respond(message)
        case .handOver(let handOver):
            afterReply = .handOver(bytes: handOver.unread)
            return .send(handOver.completion)
        case .close: return .close
        case nil: return nil
        }
    }
}
