// A client session and what it did: with scripted servers, and with our own server at the other end.

import MailModel
import MailTestKit
import SASLProtocol
import SMTPProtocol
import Testing

/// Drives a client session; content is `content`, sent when asked for.
struct ClientProbe {
    var session: ClientSession
    var sent: [UInt8] = []
    var finished: [[RecipientResult]] = []
    var isClosed = false
    var handshakes = 0
    var content = bytes("Subject: x\r\n\r\n.dot\r\n")
    /// false: the pump is still busy with the content when the test goes on.
    var sendsContentAtOnce = true

    init(
        _ recipients: [String] = ["alice@example.org"], size: Int? = nil,
        _ change: (inout ClientConfiguration) -> Void = { _ in }
    ) throws {
        try self.init(try ClientProbe.message(recipients, size: size), change)
    }

    init(_ message: OutgoingMessage, _ change: (inout ClientConfiguration) -> Void = { _ in }) throws {
        var configuration = ClientConfiguration(clientName: try #require(Domain("client.example.net")))
        change(&configuration)
        session = ClientSession(configuration: configuration, message: message)
    }

    static func message(_ recipients: [String], size: Int? = nil, body: BodyType = .sevenBit) throws -> OutgoingMessage
    {
        OutgoingMessage(
            sender: .address(try address("carol@example.net")), recipients: try recipients.map { try address($0) },
            size: size, body: body)
    }

    mutating func pump() {
        while let action = session.next() {
            switch action {
            case .send(let bytes): sent += bytes
            case .startTLS: handshakes += 1
            case .finished(let results): finished.append(results)
            case .close: isClosed = true
            case .sendContent where session.contentForm != .stuffed:
                sent += content
                guard sendsContentAtOnce else { continue }
                session.contentSent()
            case .sendContent:
                var stuffer = DotStuffer()
                stuffer.stuff(content[...], into: &sent)
                guard sendsContentAtOnce else { continue }
                sent += stuffer.finish()
                session.contentSent()
            }
        }
    }

    /// The server says this; returns what the client says to it.
    @discardableResult
    mutating func hear(_ text: String) -> String {
        session.received(bytes(text))
        pump()
        defer { sent = [] }
        return sent.display
    }

    mutating func tlsStarted() -> String {
        session.tlsStarted()
        pump()
        defer { sent = [] }
        return sent.display
    }

    /// Each result of the last message as `delivered`, `temporary 4.2.0 text`, `permanent …`.
    var outcomes: [String] {
        (finished.last ?? []).map { result in
            switch result.outcome {
            case .delivered: "delivered"
            case .temporary(let status, let reason): "temporary \(status) \(reason.display)"
            case .permanent(let status, let reason): "permanent \(status) \(reason.display)"
            }
        }
    }
}

extension SMTPWorld {
    /// Plays `client` against this world's server to the end, TLS included.
    mutating func converse(_ client: inout ClientProbe) {
        connected(1)
        for _ in 0..<200 {
            let output = output(of: 1)
            if !output.isEmpty { client.session.received(output) }
            client.pump()
            if client.handshakes > 0 {
                client.handshakes = 0
                happened(.tls, on: 1)
                client.session.tlsStarted()
                client.pump()
            }
            if client.session.canDeliver { client.session.quit() }
            client.pump()
            let sent = client.sent
            client.sent = []
            received(sent[...], on: 1)
            if sent.isEmpty && output.isEmpty { return client.session.peerClosed() }
        }
    }
}
