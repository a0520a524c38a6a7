// The AUTHORIZATION state as the front drives it.

import Connection
import POP3Protocol
import SASLProtocol

/// POP3's `LoginSession` in the shape that every protocol's dialogue before login has.
struct LoginDialogue: LoginMachine, Sendable {
    private var session: LoginSession

    init(_ capabilities: Capabilities) { session = LoginSession(capabilities) }

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
        switch session.next() {
        case .send(let bytes): .send(bytes)
        case .startTLS: .startTLS
        case .ask(.authenticate(let mechanism, let initial)): .authenticate(mechanism: mechanism.name, initial: initial)
        case .ask(.authenticationResponse(let message)): .respond(message)
        case .handOver(let handOver): .handOver(bytes: handOver.leftover)
        case .close: .close
        case nil: nil
        }
    }
}
