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
    /// The content filters beside this session, from its first MAIL on.
    private var filter: Filter?
    private var mechanism: [UInt8]?
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
        case .filter(let event):
            filter?.take(event)
            takeFilterOutcome()
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
        filter?.end()
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
            if session.isIdle { filter?.transactionEnded() }
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

    private func ask(_ question: ServerQuestion, _ wire: Wire<SessionAnswer>) {
        switch question {
        case .sender: decide(.sender(shared.mayBegin()), question, wire)
        case .recipient(let address):
            let answer = shared.directory.recipient(address)
            if answer != .local, answer != .remote { noteRefusal(of: address, answer) }
            decide(.recipient(answer), question, wire)
        case .postmaster:
            let address = shared.directory.postmaster()
            if address == nil { shared.intake.note(fact(.refuse).adding(.to, "postmaster").adding(.reason, "nobody is postmaster")) }
            decide(.postmaster(address), question, wire)
        case .authenticate(let mechanism, let initial):
            self.mechanism = mechanism
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
            offer(
                Acceptance(envelope: envelope, facts: facts, peer: peer, tls: wire.tls?.summary, content: body, replyTo: wire.replyAddress), wire)
        }
    }

    /// Our own word, once the content filters have had theirs.
    private func decide(_ answer: ServerAnswer, _ question: ServerQuestion, _ wire: Wire<SessionAnswer>) {
        if filter == nil, let settings = shared.filters, case .sender = question { filter = Filter(settings, shared, wire) }
        guard let filter, filter.begins(question, answer, filterFacts(session.clientFacts, wire)) else { return session.answered(answer) }
        takeFilterOutcome()
    }

    private func offer(_ message: Acceptance, _ wire: Wire<SessionAnswer>) {
        guard let filter, filter.judges(message, filterFacts(message.facts, wire, message.content)) else { return shared.intake.accept(message) }
        takeFilterOutcome()
    }

    private func filterFacts(_ client: AcceptFacts, _ wire: Wire<SessionAnswer>, _ content: AcceptedContent? = nil) -> FilterFacts {
        var id: QueueID?
        if case .big(let file)? = content { id = file.id }
        return FilterFacts(client: client, tls: wire.tls, mechanism: mechanism, id: id)
    }

    private func takeFilterOutcome() {
        switch filter?.takeOutcome() {
        case nil: break
        case .answer(let answer): session.answered(answer)
        case .lastAnswer(let answer):
            session.answered(answer)
            session.shutdownRequested()
        case .accept(let message):
            if session.isClosed { message.content.discard() } else { shared.intake.accept(message) }
        }
    }

    private func spill(_ bytes: [UInt8], _ wire: Wire<SessionAnswer>) {
        if big == nil {
            let content = shared.intake.beginBig()
            if let envelope = session.envelope {
                let trace = shared.trace.bytes(
                    id: content.id, envelope: envelope, facts: session.clientFacts, peer: peer, tls: wire.tls?.summary, now: .now())
                content.begin(trace, keepsHeader: filter != nil)
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
