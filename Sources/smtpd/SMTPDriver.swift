// One SMTP connection: the machine's actions done, its questions answered. Never blocks the loop.

import Connection
import Configuration
import Directory
import Kernel
import MailFormat
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
    var big: BigContent?
    var incoming: IncomingContent?
    /// Of a submitted message.
    var examination: ContentExamination?
    private var authenticator: AuthenticationBridge
    private var accepted = 0
    private var progress = Progress()
    /// How long the client may be silent now.
    private var patience: Duration?
    /// Another after XCLIENT.
    var peer: [UInt8] { session.peer }
    private var seated: [UInt8]
    /// How often XCLIENT has changed it.
    private var seats = 0
    private var transcript: SessionTranscript
    /// The content filters beside this session, from its first MAIL on.
    var filter: Filter?
    private(set) var tls: TLSFacts?
    private(set) var mechanism: [UInt8]?
    /// As the last MAIL gave it.
    private var sender: ReversePath?

    init(_ shared: SharedParts, _ arrival: Arrival) {
        self.shared = shared
        var settings = shared.session
        settings.allowsPlaintextAuthentication = shared.allowsPlaintext(from: arrival.peer)
        settings.extensions.futureRelease = ServerExtensions.holding(shared.smtp, now: .now())
        settings.extensions.xclient = shared.takesXClient(from: arrival)
        seated = arrival.peer.address
        session = ServerSession(configuration: settings, peer: arrival.peer.address, isTLS: arrival.role.isImplicitTLS)
        authenticator = AuthenticationBridge(shared)
        transcript = SessionTranscript(shared.intake.origin == .submission ? "submission" : "smtpd")
        policy = PolicySession(shared.policy, peer: seated)
    }

    var wantsInput: Bool { session.wantsInput }

    func opened(_ wire: Wire<SessionAnswer>) {
        limit(wire, hasReplied: false)
        policy?.opened()
        shared.intake.note(fact(.connect).adding(.protocolName, wire.arrival.role.name))
    }

    func received(_ bytes: ArraySlice<UInt8>) {
        progress.received(bytes.count)
        transcript.received(bytes, peer: peer, account: session.identity)
        bytes.withUnsafeBytes { session.received($0) }
    }

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
        case .filter(let event):
            filter?.take(event)
            takeFilterOutcome()
        case .silence: mustAbort = true
        }
    }
    private var mustAbort = false

    func secured(_ tls: TLSFacts) {
        self.tls = tls
        session.tlsStarted()
    }
    func deadlinePassed() { session.deadlinePassed() }
    func shutdownRequested() { session.shutdownRequested() }
    func inputEnded() { session.peerClosed() }

    func ended(_ ending: Ending) {
        big?.discard()
        policy?.ended()
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
        guard isSeated(wire) else { return false }
        let next = session.next()
        limit(wire, hasReplied: next != nil)
        guard let action = next else { return false }
        switch action {
        case .send(let bytes):
            transcript.sent(bytes, peer: peer, account: session.identity)
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
            incoming = nil
            examination = nil
        }
        return true
    }

    /// A command may take as long as the configuration says, and so may each piece of a message.
    private func limit(_ wire: Wire<SessionAnswer>, hasReplied: Bool) {
        let allowed = session.isReceivingContent ? shared.dataTimeout : shared.commandTimeout
        let isMade = progress.isMade(hasReplied: hasReplied)
        if allowed != patience { wire.limitSilence(to: allowed) }
        if allowed != patience || isMade { wire.limitTransaction(to: allowed) }
        patience = allowed
    }

    /// XCLIENT made it another client's: that one's limits hold.
    private func isSeated(_ wire: Wire<SessionAnswer>) -> Bool {
        guard seated != peer else { return true }
        seated = peer
        policy?.ended()
        policy = PolicySession(shared.policy, peer: peer)
        policy?.opened()
        filter?.end()
        filter = nil
        seats += 1
        // Whom no limit and no policy could know is nobody's client.
        if IPAddress(parsing: peer) != nil, wire.counts(for: SocketName(address: peer, port: 1)) { return true }
        wire.send("421 4.7.0 too many connections from this client\r\n")
        wire.close()
        return false
    }

    private func client(_ wire: Wire<SessionAnswer>) -> SocketName {
        wire.arrival.peer.address == peer ? wire.arrival.peer : SocketName(address: peer, port: 0)
    }

    private func ask(_ question: ServerQuestion, _ wire: Wire<SessionAnswer>) {
        switch question {
        case .sender(let path, _):
            sender = path
            policy?.senderGiven(path, hello: session.clientFacts.clientName, wire.replyAddress)
            if filter == nil, let settings = shared.filters { filter = Filter(settings, shared, wire, peer: client(wire), after: seats) }
            decide(.sender(refusal(of: path) ?? shared.mayBegin()), question)
        case .recipient(let address):
            let answer = refusalOfOneMore() ?? shared.directory.recipient(address, from: sender)
            if answer == .local, policy != nil { return judge(address) }
            if answer == .unknown { policy?.unknownNamed() }
            if answer != .local, answer != .remote { noteRefusal(of: address, answer) }
            decide(.recipient(answer), question)
        case .postmaster:
            let address = shared.directory.postmaster()
            if address == nil { shared.intake.note(fact(.refuse).adding(.to, "postmaster").adding(.reason, "nobody is postmaster")) }
            decide(.postmaster(address), question)
        case .authenticate(let mechanism, let initial):
            self.mechanism = mechanism
            authenticator.begin(mechanism, initial, from: peer, wire)
        case .authenticationResponse(let response):
            authenticator.respond(response, wire)
        case .accept(let envelope, let content, let facts):
            if let message = message(envelope, content, facts, wire) { offer(message) }
        }
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

    func fact(_ verb: Verb) -> RecordLine { RecordLine(verb).adding(.peer, peer) }
}

extension Ending {
    /// Why a connection ended, if not as it should.
    var trouble: String? {
        switch self {
        case .closed, .peerClosed, .handedOver: nil
        case .notConnected(let reason), .notBegun(let reason), .failed(let reason): reason
        case .tlsFailed(let reason): "TLS: \(reason)"
        case .stalled: "stalled"
        case .drained: "cut at shutdown"
        }
    }
}
