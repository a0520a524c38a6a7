// One connection to another server: the client machine's actions done, what came of it reported exactly once.

import Connection
import MailModel
import SMTPProtocol
import Spool

/// What one connection came to.
enum DialogueReport: Sendable {
    /// A result for each recipient in order. `wasSecuring`: it broke in the TLS handshake, so that clear text may still do.
    case results([RecipientResult], Ending?, tls: [UInt8]?, wasSecuring: Bool)
    /// The program stops, and the message had not begun to go out.
    case givenUp
    /// A connection that had stood idle brought nothing: the message goes again on a new one.
    case stale
}

extension DialogueReport {
    /// What a connection that was kept came to: if no server has spoken of this message, nothing but its own end.
    fileprivate var ofKept: DialogueReport {
        guard case .results(let results, _, _, _) = self, results.allSatisfy(\.speaksOfConnection) else { return self }
        return .stale
    }
}

extension RecipientResult {
    /// The connection broke, or was ended by 421, before any content could be taken.
    fileprivate var speaksOfConnection: Bool {
        guard case .temporary = outcome else { return false }
        return switch stage {
        case .idle, .reset: true
        case .mail, .recipients, .data: reply.isEmpty || reply.starts(with: "421".utf8)
        case .greeting, .hello, .startTLS, .handshake, .authentication, .content, .end, .quit, .closed: false
        }
    }
}

/// Drives a `ClientSession` on its connection's loop.
final class RemoteDriver: SessionDriver {
    private var session: ClientSession
    private var content: OutgoingContent
    private let tls: ClientTLS?
    private let serverName: [UInt8]
    private let patience: Patience
    /// Nil for a connection that brings one message.
    private let kept: KeptConnection?
    /// Called once for each message, as soon as there is something to say: a slow QUIT must not delay it.
    private var report: (@Sendable (DialogueReport) -> Void)?
    private var stuffer = DotStuffer()
    private var pieces: OutgoingPieces?
    private var negotiated: [UInt8]?
    private var isGivenUp = false
    /// It has brought a message before: what breaks now may be no more than an old connection.
    private var isReused = false

    init(
        _ session: ClientSession, content: OutgoingContent, tls: ClientTLS?, serverName: [UInt8], patience: Patience,
        kept: KeptConnection? = nil, report: @escaping @Sendable (DialogueReport) -> Void
    ) {
        self.session = session
        self.content = content
        self.tls = tls
        self.serverName = serverName
        self.patience = patience
        self.kept = kept
        self.report = report
    }

    /// Also while content goes out: a server may refuse early, and its last word must not be lost.
    var wantsInput: Bool { true }

    func opened(_ wire: Wire<Bell>) { limit(wire) }
    func received(_ bytes: ArraySlice<UInt8>) {
        Verbosity.debug("remoted", serverName + Array(" S: ".utf8) + bytes)
        session.received(bytes)
    }
    func secured(_ facts: TLSFacts) {
        negotiated = facts.summary
        session.tlsStarted()
    }
    func deadlinePassed() {
        guard session.stage == .idle else { return session.deadlinePassed() }
        // Where an errand has come in the same moment its bell rings next.
        if kept?.leave() ?? true { session.quit() }
    }
    func inputEnded() { session.peerClosed() }

    /// A message that has begun to go out is brought to its end; any other waits in the queue for the next start.
    func shutdownRequested() {
        switch session.stage {
        case .data, .content, .end, .quit, .closed: break
        case .greeting, .hello, .startTLS, .handshake, .authentication, .reset, .mail, .recipients: isGivenUp = true
        case .idle:
            handBack()
            session.quit()
        }
    }

    /// The next message for a connection that has waited, or the wish that it ends.
    func answered(_ bell: Bell) {
        guard session.canDeliver, let errand = kept?.collect() else {
            handBack()
            return session.quit()
        }
        isReused = true
        content = errand.content
        report = errand.report
        stuffer = DotStuffer()
        pieces = nil
        session.deliver(errand.message)
    }

    /// What this connection will not do any more goes elsewhere.
    private func handBack() { kept?.end()?.report(.stale) }

    func ended(_ ending: Ending) {
        handBack()
        if isGivenUp || ending == .drained { return tell(.givenUp) }
        let stage = session.stage
        if stage == .handshake { session.tlsFailed(Array("the TLS handshake failed".utf8)) } else { session.peerClosed() }
        while let action = session.next() {
            if case .finished(let results) = action {
                tell(.results(results, ending, tls: negotiated, wasSecuring: stage == .handshake))
            }
        }
    }

    private func tell(_ what: DialogueReport) {
        let report = report
        self.report = nil
        report?(isReused ? what.ofKept : what)
    }

    func step(_ wire: Wire<Bell>) -> Bool {
        if isGivenUp {
            wire.close()
            return true
        }
        if pieces != nil {
            if session.stage == .content { return sendPiece(wire) }
            pieces = nil
        }
        guard let action = session.next() else { return false }
        switch action {
        case .send(let bytes):
            Verbosity.debug("remoted", serverName + Array(" C: ".utf8) + (session.stage == .authentication ? Array("(authentication)".utf8) : bytes))
            wire.send(bytes)
        // A host that is only an address proves that: a certificate names it beside the names (RFC 5280 §4.2.1.6).
        case .startTLS: if let tls { wire.startTLS(tls, serverName: serverName.first == UInt8(ascii: "[") ? nil : serverName) } else { wire.close() }
        case .sendContent: pieces = OutgoingPieces(content)
        case .finished(let results):
            // It waits before this is told: the message that follows from it finds the connection.
            // A server that answered before its turn may answer once more.
            let stays = session.canDeliver && !session.hadEarlyReply && kept?.stay(wire.replyAddress) ?? false
            tell(.results(results, nil, tls: negotiated, wasSecuring: false))
            if !stays { session.quit() }
        case .close:
            handBack()
            wire.close()
        }
        limit(wire)
        return true
    }

    private func sendPiece(_ wire: Wire<Bell>) -> Bool {
        do {
            let piece = try pieces?.next() ?? []
            let isStuffed = session.contentForm == .stuffed
            if piece.isEmpty {
                if isStuffed { wire.send(stuffer.finish()) }
                contentSent(wire)
            } else if !isStuffed {
                wire.send(piece)
                // In the step that sends the last octet: what the server has said by now, it has said too early.
                if pieces?.given == content.length { contentSent(wire) }
            } else {
                var out: [UInt8] = []
                out.reserveCapacity(piece.count + piece.count / 64)
                stuffer.stuff(piece[...], into: &out)
                wire.send(out)
            }
        } catch {
            // Half a message must not look like a whole one: the connection ends before the final dot.
            session.contentFailed(Array("the message could not be read to its end: \(error)".utf8))
        }
        return true
    }

    private func contentSent(_ wire: Wire<Bell>) {
        pieces = nil
        session.contentSent()
        limit(wire)
    }

    private func limit(_ wire: Wire<Bell>) {
        wire.limitSilence(to: patience.silence(in: session.stage))
        wire.limitTransaction(to: patience.whole(session.stage, content: content.length))
    }
}

/// How long a server may take (RFC 5321 §4.5.3.2), as the configuration says.
struct Patience: Sendable {
    let command: Duration

    func silence(in stage: ClientStage) -> Duration {
        switch stage {
        case .end: command * 2
        case .greeting, .hello, .startTLS, .handshake, .authentication, .reset, .mail, .recipients, .data, .content: command
        case .idle: min(command, KeptConnection.longestWait)
        case .quit, .closed: min(command, .seconds(stage.patience))
        }
    }

    /// A server that says or takes a byte now and then is not silent, and must come to an end all the same.
    func whole(_ stage: ClientStage, content octets: Int) -> Duration {
        stage == .content ? silence(in: stage) * 2 + .seconds(octets / 1024) : silence(in: stage) * 2
    }
}
