// The part of a notice for programs (RFC 3464 §2). Invariant: ASCII, unless the sender is known to read UTF-8.

internal import MailModel

extension BounceMessage {
    var deliveryStatus: [UInt8] {
        var writer = HeaderWriter()
        if let envelopeID { writer.field("Original-Envelope-Id", asciiOnly(envelopeID.bytes)) }
        writer.field("Reporting-MTA", Array("dns; ".utf8) + asciiOnly(host.bytes))
        writer.field("Arrival-Date", arrival.text)
        var out = writer.bytes
        for recipient in recipients { out += line("") + status(of: recipient) }
        return out
    }

    private func status(of recipient: ReportedRecipient) -> [UInt8] {
        var writer = HeaderWriter()
        let original = recipient.originalRecipient ?? OriginalRecipient(recipient.original)
        if let original { writer.field("Original-Recipient", original.type + Array("; ".utf8) + machine(original.address)) }
        writer.field("Final-Recipient", Array((recipient.final.isASCII ? "rfc822; " : "utf-8; ").utf8) + machine(recipient.final.wire))
        writer.field("Action", action.rawValue)
        writer.field("Status", "\(recipient.status)")
        if !action.isSuccess { write(recipient, to: &writer) }
        if let last = recipient.lastAttempt { writer.field("Last-Attempt-Date", last.text) }
        if action == .delayed, let until = recipient.retryUntil { writer.field("Will-Retry-Until", until.text) }
        return writer.bytes
    }

    /// Who said what: only a reply is of the type smtp (RFC 3464 §2.3.6), and ours has the program's name.
    private func write(_ recipient: ReportedRecipient, to writer: inout HeaderWriter) {
        if let host = recipient.remoteHost { writer.field("Remote-MTA", Array("dns; ".utf8) + asciiOnly(host.prefix(255))) }
        let isReply = recipient.remoteHost != nil && !recipient.isOurWord
        // What was given up failed by our word: the last reply is no reply to that, and programs would read it as the reason.
        let isGivenUp = action == .failed && FailureKind(recipient.status) == .expired
        let start = isGivenUp ? "x-martlet; delivery time expired\(isReply ? "; the last reply was" : ""): " : isReply ? "smtp; " : "x-martlet; "
        writer.field("Diagnostic-Code", Array(start.utf8) + asciiOnly(recipient.reason.prefix(800)))
    }

    /// An address as the part may hold it: RFC 6533 §3 has a form in ASCII of each.
    private func machine(_ text: [UInt8]) -> [UInt8] { isUTF8 ? text : addressXText(text) }

    private func asciiOnly(_ text: some Collection<UInt8>) -> [UInt8] { text.map { $0 < 0x80 ? $0 : UInt8(ascii: "?") } }
}

/// `utf-8-addr-xtext` (RFC 6533 §3): what is not ASCII as `\x{3B4}`; text without it stays as it is.
func addressXText(_ text: [UInt8]) -> [UInt8] {
    guard text.contains(where: { $0 >= 0x80 }) else { return text }
    return text.display.unicodeScalars.flatMap { scalar in
        scalar.isASCII ? [UInt8(truncatingIfNeeded: scalar.value)] : Array("\\x{\(String(scalar.value, radix: 16, uppercase: true))}".utf8)
    }
}
