// One SMTP connection: the machine's actions done, its questions answered. Never blocks the loop.

import Connection
import Configuration
import Directory
import Kernel
import MailFormat
import MailModel
import SMTPProtocol
import Spool
import SpoolFormat

/// Drives a `ServerSession` on its connection's loop.
final class SMTPDriver: SessionDriver {
    private let shared: SharedParts
    private var session: ServerSession
    private var big: BigContent?
    /// Of a submitted message that comes in pieces.
    private var examination: ContentExamination?
    private var authenticator: AuthenticationBridge
    private var accepted = 0
    private let peer: [UInt8]

    init(_ shared: SharedParts, _ arrival: Arrival) {
        self.shared = shared
        peer = arrival.peer.address
        var settings = shared.session
        settings.allowsPlaintextAuthentication = shared.allowsPlaintext(from: arrival.peer)
        session = ServerSession(configuration: settings, peer: peer, isTLS: arrival.role.isImplicitTLS)
        authenticator = AuthenticationBridge(shared)
    }

    var wantsInput: Bool { session.wantsInput }

    func opened(_ wire: Wire<SessionAnswer>) {
        wire.limitSilence(to: shared.commandTimeout)
        shared.intake.note(fact(.connect).adding(.protocolName, wire.arrival.role.name))
    }

    func received(_ bytes: ArraySlice<UInt8>) { bytes.withUnsafeBytes { session.received($0) } }
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
        guard let action = session.next() else { return false }
        switch action {
        case .send(let bytes):
            Verbosity.debug(shared.intake.origin == .submission ? "submission" : "smtpd", Array("to=".utf8) + peer + Array(" reply=".utf8) + (bytes.starts(with: "334".utf8) ? Array("334 …".utf8) : bytes))
            wire.send(bytes)
        case .startTLS: if !wire.startTLS() { wire.close() }
        case .close: wire.close()
        case .ask(let question): ask(question, wire)
        case .content(let bytes): spill(bytes, wire)
        case .discardContent:
            big?.discard()
            big = nil
            examination = nil
        }
        return true
    }

    private func ask(_ question: ServerQuestion, _ wire: Wire<SessionAnswer>) {
        switch question {
        case .sender(let path, _): session.answered(.sender(refusal(of: path) ?? shared.mayBegin()))
        case .recipient(let address):
            let answer = refusalOfOneMore() ?? shared.directory.recipient(address)
            if answer != .local, answer != .remote { noteRefusal(of: address, answer) }
            session.answered(.recipient(answer))
        case .postmaster:
            let address = shared.directory.postmaster()
            if address == nil { shared.intake.note(fact(.refuse).adding(.to, "postmaster").adding(.reason, "nobody is postmaster")) }
            session.answered(.postmaster(address))
        case .authenticate(let mechanism, let initial):
            authenticator.begin(mechanism, initial, from: peer, wire)
        case .authenticationResponse(let response):
            authenticator.respond(response, wire)
        case .accept(let envelope, let content, let facts):
            let (missing, refusal) = examined(content, envelope, facts)
            if let refusal {
                big?.discard()
                big = nil
                return session.answered(.message(refusal))
            }
            let body: AcceptedContent
            if let big {
                if !content.isEmpty { big.append(content) }
                body = .big(big)
                self.big = nil
            } else {
                body = .inline(content)
            }
            shared.intake.accept(
                Acceptance(envelope: envelope, facts: facts, peer: peer, tls: wire.tls?.summary, content: body, missing: missing,
                    replyTo: wire.replyAddress))
        }
    }

    private func spill(_ bytes: [UInt8], _ wire: Wire<SessionAnswer>) {
        if shared.rules != nil { examine(bytes, isWhole: false) }
        if big == nil {
            let content = shared.intake.beginBig()
            if let envelope = session.envelope {
                content.append(shared.trace.bytes(
                    id: content.id, envelope: envelope, facts: session.clientFacts, peer: peer, tls: wire.tls?.summary, now: .now(),
                    missing: examination.flatMap { shared.rules?.missing($0) } ?? []))
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

    // What our own users may send (Submission/).

    private var submitter: Submitter? { Submitter(session.clientFacts, peer: peer) }

    private func refusal(of path: ReversePath) -> ServerAnswer.Sender? {
        guard let rules = shared.rules, let submitter, let answer = rules.refusal(of: path, from: submitter) else { return nil }
        switch answer {
        case .temporary(let reply), .refused(let reply): noteRefusal(submitter, from: path.wire, reply)
        case .accepted: break
        }
        return answer
    }

    private func refusalOfOneMore() -> ServerAnswer.Recipient? {
        guard let rules = shared.rules, let submitter else { return nil }
        return rules.refusal(ofRecipientAfter: session.envelope?.recipients.count ?? 0, from: submitter).map { .refused($0) }
    }

    private func examine(_ bytes: [UInt8], isWhole: Bool) {
        var current = examination ?? ContentExamination()
        examination = nil
        current.take(bytes, isWhole: isWhole)
        examination = current
    }

    /// What is added to a message, or why it is not taken.
    private func examined(_ rest: [UInt8], _ envelope: Envelope, _ facts: AcceptFacts) -> (MissingFields, ServerAnswer.Message?) {
        guard let rules = shared.rules, let submitter = Submitter(facts, peer: peer) else { return ([], nil) }
        examine(rest, isWhole: big == nil)
        defer { examination = nil }
        guard let examination else { return ([], nil) }
        let answer = rules.refusal(of: examination, envelope, from: submitter)
        switch answer {
        case .temporary(let reply), .refused(let reply): noteRefusal(submitter, from: envelope.sender.wire, reply)
        case .accepted, nil: break
        }
        return (rules.missing(examination), answer)
    }

    private func noteRefusal(_ submitter: Submitter, from sender: [UInt8], _ reply: Reply) {
        shared.intake.note(
            fact(.refuse).adding(.account, submitter.account.wire).adding(.from, sender).adding(.reason, reply.lines.first ?? []))
    }
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
