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
}

/// Drives a `ClientSession` on its connection's loop.
final class RemoteDriver: SessionDriver {
    private var session: ClientSession
    private let content: OutgoingContent
    private let tls: ClientTLS?
    private let serverName: [UInt8]
    private let patience: Patience
    /// Called once, as soon as there is something to say: a slow QUIT must not delay it.
    private var report: (@Sendable (DialogueReport) -> Void)?
    private var stuffer = DotStuffer()
    private var offset: Int?
    private var negotiated: [UInt8]?
    private var isGivenUp = false

    init(
        _ session: ClientSession, content: OutgoingContent, tls: ClientTLS?, serverName: [UInt8], patience: Patience,
        report: @escaping @Sendable (DialogueReport) -> Void
    ) {
        self.session = session
        self.content = content
        self.tls = tls
        self.serverName = serverName
        self.patience = patience
        self.report = report
    }

    /// Also while content goes out: a server may refuse early, and its last word must not be lost.
    var wantsInput: Bool { true }

    func opened(_ wire: Wire<Never>) { limit(wire) }
    func received(_ bytes: ArraySlice<UInt8>) {
        Verbosity.debug("remoted", serverName + Array(" S: ".utf8) + bytes)
        session.received(bytes)
    }
    func secured(_ facts: TLSFacts) {
        negotiated = facts.summary
        session.tlsStarted()
    }
    func deadlinePassed() { session.deadlinePassed() }
    func inputEnded() { session.peerClosed() }

    /// A message that has begun to go out is brought to its end; any other waits in the queue for the next start.
    func shutdownRequested() {
        switch session.stage {
        case .data, .content, .end, .quit, .closed: break
        case .greeting, .hello, .startTLS, .handshake, .authentication, .reset, .mail, .recipients, .idle: isGivenUp = true
        }
    }

    func ended(_ ending: Ending) {
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
        report?(what)
        report = nil
    }

    func step(_ wire: Wire<Never>) -> Bool {
        if isGivenUp {
            wire.close()
            return true
        }
        if let offset {
            if session.stage == .content { return sendPiece(at: offset, wire) }
            self.offset = nil
        }
        guard let action = session.next() else { return false }
        switch action {
        case .send(let bytes):
            Verbosity.debug("remoted", serverName + Array(" C: ".utf8) + (session.stage == .authentication ? Array("(authentication)".utf8) : bytes))
            wire.send(bytes)
        // A host that is only an address proves that: a certificate names it beside the names (RFC 5280 §4.2.1.6).
        case .startTLS: if let tls { wire.startTLS(tls, serverName: serverName.first == UInt8(ascii: "[") ? nil : serverName) } else { wire.close() }
        case .sendContent: offset = 0
        case .finished(let results):
            tell(.results(results, nil, tls: negotiated, wasSecuring: false))
            session.quit()
        case .close: wire.close()
        }
        limit(wire)
        return true
    }

    private func sendPiece(at offset: Int, _ wire: Wire<Never>) -> Bool {
        do {
            let piece = try content.piece(at: offset)
            let isStuffed = session.contentForm == .stuffed
            if piece.isEmpty {
                if isStuffed { wire.send(stuffer.finish()) }
                self.offset = nil
                session.contentSent()
                limit(wire)
            } else if !isStuffed {
                wire.send(piece)
                self.offset = offset + piece.count
            } else {
                var out: [UInt8] = []
                out.reserveCapacity(piece.count + piece.count / 64)
                stuffer.stuff(piece[...], into: &out)
                wire.send(out)
                self.offset = offset + piece.count
            }
        } catch {
            // Half a message must not look like a whole one: the connection ends before the final dot.
            session.contentFailed(Array("the message could not be read to its end: \(error)".utf8))
        }
        return true
    }

    private func limit(_ wire: Wire<Never>) {
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
        case .idle, .quit, .closed: min(command, .seconds(stage.patience))
        }
    }

    /// A server that says or takes a byte now and then is not silent, and must come to an end all the same.
    func whole(_ stage: ClientStage, content octets: Int) -> Duration {
        stage == .content ? silence(in: stage) * 2 + .seconds(octets / 1024) : silence(in: stage) * 2
    }
}
