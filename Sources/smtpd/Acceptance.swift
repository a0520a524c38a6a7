// A message on its way from a session to the log, and the answer on its way back.

import Connection
import Directory
import Kernel
import MailFormat
import MailModel
import SMTPProtocol
import SpoolFormat

/// A message that a client has sent whole and that nobody is responsible for yet.
struct Acceptance: Sendable {
    var envelope: Envelope
    var facts: AcceptFacts
    let peer: [UInt8]
    let tls: [UInt8]?
    var policy = PolicyMarks()
    var content: AcceptedContent
    /// What this hop adds beside its trace field.
    var missing: MissingFields = []
    let replyTo: ReplyAddress<SessionAnswer>

    /// About how much memory it holds while it waits, in bytes.
    var weight: Int { 1024 + 256 * envelope.recipients.count + content.inlineLength }
}

enum AcceptedContent: Sendable {
    /// Goes into the log beside its record.
    case inline([UInt8])
    /// Lies in a file of its own, written and not yet synced.
    case big(BigContent)

    var inlineLength: Int {
        switch self {
        case .inline(let bytes): bytes.count
        case .big: 0
        }
    }

    /// Nobody takes responsibility for it.
    func discard() {
        switch self {
        case .inline: break
        case .big(let file): file.discard()
        }
    }
}

/// What comes back to a session from other threads.
enum SessionAnswer: Sendable {
    case answer(ServerAnswer)
    /// A worker's step of a SASL exchange.
    case authentication(Directory.Authentication?, Directory.AuthenticationStep)
    /// For the policy of the recipient at hand, or of a later one.
    case policy(PolicyAnswer)
    case filter(FilterEvent)
    /// The disk is so broken that nothing may be said: the connection ends without a reply.
    case silence
}

/// The trace field that this hop adds (RFC 5321 §4.4).
struct TraceField {
    let host: Domain

    func bytes(id: QueueID, envelope: Envelope, facts: AcceptFacts, peer: [UInt8], tls: [UInt8]?, now: WallTime, missing: MissingFields = []) -> [UInt8] {
        var field = ReceivedField(
            by: host, with: TraceField.protocolName(facts, isUTF8: envelope.options.isUTF8), id: id, date: MailDate(secondsSince1970: now.seconds))
        field.helo = facts.clientName
        field.peerAddress = peer
        field.tls = tls
        if envelope.recipients.count == 1 { field.forRecipient = envelope.recipients.first }
        var writer = HeaderWriter()
        field.write(to: &writer)
        if missing.contains(.date) { writer.date(MailDate(secondsSince1970: now.seconds)) }
        if missing.contains(.messageID) { writer.field("Message-ID", messageID(left: id.text, domain: host)) }
        return writer.bytes
    }

    /// RFC 3848: ESMTP, with S under TLS and A after authentication; RFC 6531 §4.3: UTF8SMTP in its place.
    private static func protocolName(_ facts: AcceptFacts, isUTF8: Bool) -> [UInt8] {
        guard facts.isExtended else { return Array("SMTP".utf8) }
        return Array((isUTF8 ? "UTF8SMTP" : "ESMTP").utf8) + (facts.isTLS ? [UInt8(ascii: "S")] : []) + (facts.identity != nil ? [UInt8(ascii: "A")] : [])
    }
}
