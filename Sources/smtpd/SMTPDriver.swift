// One SMTP connection: the machine's actions done, its questions answered. Never blocks the loop.

import Connection
import Configuration
import Directory
import Kernel
import MailModel
import MailPolicy
import SMTPProtocol
import Spool
import SpoolFormat

/// Drives a `ServerSession` on its connection's loop.
final class SMTPDriver: SessionDriver {
    let shared: SharedParts
    var session: ServerSession
    /// Nil where nobody is judged: at submission.
    var policy: PolicySession?
    private var results: ForeignResults?
    private var big: BigContent?
    private var lines: ContentLines?
    private var authenticator: AuthenticationBridge
    private var accepted = 0
    let peer: [UInt8]

    init(_ shared: SharedParts, _ arrival: Arrival) {
        self.shared = shared
        peer = arrival.peer.address
        var settings = shared.session
        settings.allowsPlaintextAuthentication = shared.allowsPlaintext(from: arrival.peer)
        settings.extensions.futureRelease = ServerExtensions.holding(shared.smtp, now: .now())
        session = ServerSession(configuration: settings, peer: peer, isTLS: arrival.role.isImplicitTLS)
        authenticator = AuthenticationBridge(shared)
        policy = PolicySession(shared.policy, peer: peer)
    }

    var wantsInput: Bool { session.wantsInput }

    func opened(_ wire: Wire<SessionAnswer>) {
        wire.limitSilence(to: shared.commandTimeout)
        policy?.opened()
        shared.intake.note(fact(.connect).adding(.protocolName, wire.arrival.role.name))
    }

    func received(_ bytes: ArraySlice<UInt8>) { bytes.withUnsafeBytes { session.received($0) } }
    func answered(_ answer: SessionAnswer) {
        switch answer {
        case .answer(let answer):
            if case .message(.accepted) = answer {
                accepted += 1
                policy?.messageAccepted()
            }
            session.answered(answer)
        case .authentication(let exchange, let step): session.answered(authenticator.take(exchange, step, peer: peer))
        case .policy(let answer): policyAnswered(answer)
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
        policy?.ended()
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
            results = nil
            lines = nil
        }
        return true
    }

    private func ask(_ question: ServerQuestion, _ wire: Wire<SessionAnswer>) {
        switch question {
        case .sender(let path, _):
            policy?.senderGiven(path, hello: session.clientFacts.clientName, wire.replyAddress)
            session.answered(.sender(shared.mayBegin()))
        case .recipient(let address):
            let answer = shared.directory.recipient(address)
            if answer == .local, policy != nil { return judge(address) }
            if answer == .unknown { policy?.unknownNamed() }
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
            var (results, lines) = (self.results ?? ForeignResults(host: shared.session.hostName), self.lines ?? ContentLines(envelope, facts))
            (self.results, self.lines) = (nil, nil)
            let body: AcceptedContent
            if let big {
                let rest = lines.take(results.pass(content) + results.finish()) + lines.finish()
                if !rest.isEmpty { big.append(rest) }
                body = .big(big)
                self.big = nil
            } else {
                body = .inline(lines.take(ForeignResults.removed(from: content, host: shared.session.hostName)) + lines.finish())
            }
            let marks = policy?.messageGiven(envelope) ?? PolicyMarks()
            shared.intake.accept(
                Acceptance(
                    envelope: envelope, facts: facts, peer: peer, tls: wire.tls?.summary, policy: marks, content: body, replyTo: wire.replyAddress))
        }
    }

    private func spill(_ bytes: [UInt8], _ wire: Wire<SessionAnswer>) {
        if big == nil {
            let content = shared.intake.beginBig()
            if let envelope = session.envelope {
                content.append((policy?.fields ?? []) + shared.trace.bytes(
                    id: content.id, envelope: envelope, facts: session.clientFacts, peer: peer, tls: wire.tls?.summary, now: .now()))
            }
            big = content
            results = ForeignResults(host: shared.session.hostName)
            lines = ContentLines(session.envelope, session.clientFacts)
        }
        // Moved out and back, so that what they hold is never copied.
        var (passing, current) = (results, lines ?? .asReceived)
        (results, lines) = (nil, nil)
        big?.append(current.take(passing?.pass(bytes) ?? bytes))
        (results, lines) = (passing, current)
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
