// One SMTP connection: the machine's actions done, its questions answered. Never blocks the loop.

import Connection
import Configuration
import Directory
import Kernel
import MailModel
import SMTPProtocol
import Spool
import SpoolFormat

/// Drives a `ServerSession` on its connection's loop.
final class SMTPDriver: SessionDriver {
    private let shared: SharedParts
    private var session: ServerSession
    private var big: BigContent?
    private var authenticator: AuthenticationBridge
    private var accepted = 0
    /// Another after XCLIENT.
    private var peer: [UInt8] { session.peer }
    private var seated: [UInt8]
    private var transcript: SessionTranscript

    init(_ shared: SharedParts, _ arrival: Arrival) {
        self.shared = shared
        var settings = shared.session
        settings.allowsPlaintextAuthentication = shared.allowsPlaintext(from: arrival.peer)
        settings.extensions.xclient = shared.takesXClient(from: arrival)
        seated = arrival.peer.address
        session = ServerSession(configuration: settings, peer: arrival.peer.address, isTLS: arrival.role.isImplicitTLS)
        authenticator = AuthenticationBridge(shared)
        transcript = SessionTranscript(shared.intake.origin == .submission ? "submission" : "smtpd")
    }

    var wantsInput: Bool { session.wantsInput }

    func opened(_ wire: Wire<SessionAnswer>) {
        wire.limitSilence(to: shared.commandTimeout)
        shared.intake.note(fact(.connect).adding(.protocolName, wire.arrival.role.name))
    }

    func received(_ bytes: ArraySlice<UInt8>) {
        transcript.received(bytes, peer: peer, account: session.identity)
        bytes.withUnsafeBytes { session.received($0) }
    }

    func answered(_ answer: SessionAnswer) {
        switch answer {
        case .answer(let answer):
            if case .message(.accepted) = answer { accepted += 1 }
            session.answered(answer)
        case .authentication(let exchange, let step): session.answered(authenticator.take(exchange, step, peer: peer))
        case .silence: mustAbort = true
        }
    }
    private var mustAbort = false

    func secured(_ tls: TLSFacts) { session.tlsStarted() }
    func deadlinePassed() { session.deadlinePassed() }
    func shutdownRequested() { session.shutdownRequested() }
    func inputEnded() { session.peerClosed() }

    func ended(_ ending: Ending) {
        big?.discard()
        var line = fact(.disconnect).adding(.count, accepted)
        if let reason = ending.trouble { line.add(.reason, reason) }
        shared.intake.note(line)
    }

    func step(_ wire: Wire<SessionAnswer>) -> Bool {
        if mustAbort {
            wire.abort()
            return false
        }
        guard isSeated(wire), let action = session.next() else { return false }
        switch action {
        case .send(let bytes):
            transcript.sent(bytes, peer: peer, account: session.identity)
            Verbosity.debug(shared.intake.origin == .submission ? "submission" : "smtpd", Array("to=".utf8) + peer + Array(" reply=".utf8) + (bytes.starts(with: "334".utf8) ? Array("334 …".utf8) : bytes))
            wire.send(bytes)
        case .startTLS: if !wire.startTLS() { wire.close() }
        case .close: wire.close()
        case .ask(let question): ask(question, wire)
        case .content(let bytes): spill(bytes, wire)
        case .discardContent:
            big?.discard()
            big = nil
        }
        return true
    }

    /// XCLIENT made it another client's: that one's limits hold.
    private func isSeated(_ wire: Wire<SessionAnswer>) -> Bool {
        guard seated != peer else { return true }
        seated = peer
        if wire.counts(for: SocketName(address: peer, port: 1)) { return true }
        wire.send("421 4.7.0 too many connections from this client\r\n")
        wire.close()
        return false
    }

    private func ask(_ question: ServerQuestion, _ wire: Wire<SessionAnswer>) {
        switch question {
        case .sender: session.answered(.sender(shared.mayBegin()))
        case .recipient(let address):
            let answer = shared.directory.recipient(address)
            if answer != .local, answer != .remote { noteRefusal(of: address, answer) }
            session.answered(.recipient(answer))
        case .postmaster:
            let address = shared.directory.postmaster()
            if address == nil { shared.intake.note(fact(.refuse).adding(.to, "postmaster").adding(.reason, "nobody is postmaster")) }
            session.answered(.postmaster(address))
        case .authenticate(let mechanism, let initial):
            authenticator.begin(mechanism, initial, wire)
        case .authenticationResponse(let response):
            authenticator.respond(response, wire)
        case .accept(let envelope, let content, let facts):
            let body: AcceptedContent
            if let big {
                if !content.isEmpty { big.append(content) }
                body = .big(big)
                self.big = nil
            } else {
                body = .inline(content)
            }
            shared.intake.accept(
                Acceptance(envelope: envelope, facts: facts, peer: peer, tls: wire.tls?.trace, content: body, replyTo: wire.replyAddress))
        }
    }

    private func spill(_ bytes: [UInt8], _ wire: Wire<SessionAnswer>) {
        if big == nil {
            let content = shared.intake.beginBig()
            if let envelope = session.envelope {
                content.append(shared.trace.bytes(
                    id: content.id, envelope: envelope, facts: session.clientFacts, peer: peer, tls: wire.tls?.trace, now: .now()))
            }
            big = content
        }
        big?.append(bytes)
    }

    private func noteRefusal(of address: EmailAddress, _ answer: ServerAnswer.Recipient) {
        var line = fact(.refuse).adding(.to, address.wire)
        switch answer {
        case .unknown: line.add(.reason, "unknown")
        case .unavailable: line.add(.reason, "directory unavailable")
        case .refused(let reply): line.add(.reason, reply.lines.first ?? [])
        case .local, .remote: return
        }
        shared.intake.note(line)
    }

    private func fact(_ verb: Verb) -> RecordLine { RecordLine(verb).adding(.peer, peer) }
}

extension Ending {
    /// Why a connection ended, if not as it should.
    var trouble: String? {
        switch self {
        case .closed, .peerClosed, .handedOver: nil
        case .notConnected(let reason), .failed(let reason): reason
        case .tlsFailed(let reason): "TLS: \(reason)"
        case .stalled: "stalled"
        case .drained: "cut at shutdown"
        }
    }
}
