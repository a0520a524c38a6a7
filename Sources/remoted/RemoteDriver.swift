// One connection to another server: the client machine's actions done, its results reported once.

import Connection
import MailModel
import SMTPProtocol

/// Drives a `ClientSession` on its connection's loop.
final class RemoteDriver: SessionDriver {
    typealias Report = @Sendable (_ results: [RecipientResult]?, _ ending: Ending, _ tls: [UInt8]?) -> Void

    private var session: ClientSession
    private let content: OutgoingContent
    private let tls: ClientTLS?
    private let serverName: [UInt8]
    private let report: Report
    private var stuffer = DotStuffer()
    private var offset: Int?
    private var results: [RecipientResult]?
    private var negotiated: [UInt8]?

    init(_ configuration: ClientConfiguration, _ message: OutgoingMessage, content: OutgoingContent, tls: ClientTLS?, serverName: [UInt8], report: @escaping Report) {
        session = ClientSession(configuration: configuration, message: message)
        self.content = content
        self.tls = tls
        self.serverName = serverName
        self.report = report
    }

    var wantsInput: Bool { offset == nil }

    func opened(_ wire: Wire<Never>) { setDeadline(wire) }
    func received(_ bytes: ArraySlice<UInt8>) { session.received(bytes) }
    func secured(_ facts: TLSFacts) {
        negotiated = facts.summary
        session.tlsStarted()
    }
    func deadlinePassed() { session.deadlinePassed() }
    func shutdownRequested() {}
    func inputEnded() { session.peerClosed() }

    func ended(_ ending: Ending) {
        session.peerClosed()
        while let action = session.next() { if case .finished(let found) = action { results = found } }
        report(results, ending, negotiated)
    }

    func step(_ wire: Wire<Never>) -> Bool {
        if let offset { return sendPiece(at: offset, wire) }
        guard let action = session.next() else { return false }
        switch action {
        case .send(let bytes): wire.send(bytes)
        case .startTLS: if let tls { _ = wire.startTLS(tls, serverName: serverName) } else { wire.close() }
        case .sendContent: offset = 0
        case .finished(let found):
            results = found
            session.quit()
        case .close: wire.close()
        }
        setDeadline(wire)
        return true
    }

    private func sendPiece(at offset: Int, _ wire: Wire<Never>) -> Bool {
        guard let piece = try? content.piece(at: offset) else {
            // Half a message must not look like a whole one: the connection breaks before the final dot.
            wire.abort()
            return false
        }
        if piece.isEmpty {
            wire.send(stuffer.finish())
            self.offset = nil
            session.contentSent()
        } else {
            var out: [UInt8] = []
            stuffer.stuff(piece[...], into: &out)
            wire.send(out)
            self.offset = offset + piece.count
        }
        return true
    }

    private func setDeadline(_ wire: Wire<Never>) { wire.limitSilence(to: .seconds(session.stage.patience)) }
}
