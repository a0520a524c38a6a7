// The notice to a sender about his message: plain words for people, RFC 3464 fields for programs, the original's header.
// Invariant: foreign bytes pass through HeaderWriter or `oneLine`; no line of theirs can be a boundary.

package import MailModel

/// What became of one recipient, as a notice reports it.
package struct ReportedRecipient: Hashable, Sendable {
    /// The address that the sender wrote.
    package var original: EmailAddress
    /// The address that was tried last, if aliases led elsewhere.
    package var final: EmailAddress
    package var status: EnhancedStatus
    /// Why, in words: the reply of the other host, or our own reason.
    package var reason: [UInt8]
    /// The host that gave the reply; nil if the reason is our own.
    package var remoteHost: [UInt8]?
    package var lastAttempt: MailDate?
    /// What ORCPT said (RFC 3461 §5.2.6 c); nil where it said nothing.
    package var originalRecipient: OriginalRecipient?

    package init(original: EmailAddress, final: EmailAddress, status: EnhancedStatus, reason: [UInt8]) {
        self.original = original
        self.final = final
        self.status = status
        self.reason = reason
    }
}

/// A delivery status notification (RFC 3464, RFC 6522) from `MAILER-DAEMON`.
package struct BounceMessage: Sendable {
    package enum Action: String, Hashable, Sendable {
        /// It will not be delivered.
        case failed
        /// It is not delivered yet; we keep trying.
        case delayed
        /// It is in the mailbox.
        case delivered
        /// A host has it that sends no notices (RFC 3464 §2.3.3).
        case relayed

        package var isSuccess: Bool { self == .delivered || self == .relayed }
    }

    package enum Returned: Sendable {
        case nothing, header
        /// `original` is the whole message.
        case message
    }

    /// More bytes of the original's header are not returned.
    package static let maximumHeader = 64 << 10
    /// A longer message comes back as its header alone, whatever RET said (RFC 3461 §4.3 allows it).
    package static let maximumContent = 1 << 20

    package var action: Action
    /// The sender of the original; the caller never makes a notice for the null path (RFC 5321 §4.5.5).
    package var sender: EmailAddress
    package var host: Domain
    package var messageID: [UInt8]
    package var date: MailDate
    /// When the original arrived.
    package var arrival: MailDate
    package var originalID: QueueID
    package var recipients: [ReportedRecipient]
    /// The original message or at least its header, any line ends.
    package var original: [UInt8]
    /// Letters and digits that nobody outside can guess.
    package var boundary: [UInt8]
    /// What of `original` is returned; its Message-ID is told in any case.
    package var returned = Returned.header
    /// What the sender calls the message (RFC 3461 §4.4).
    package var envelopeID: EnvelopeID?

    package init(
        action: Action, sender: EmailAddress, host: Domain, messageID: [UInt8], date: MailDate, arrival: MailDate,
        originalID: QueueID, recipients: [ReportedRecipient], original: [UInt8], boundary: [UInt8]
    ) {
        self.action = action
        self.sender = sender
        self.host = host
        self.messageID = messageID
        self.date = date
        self.arrival = arrival
        self.originalID = originalID
        self.recipients = recipients
        self.original = original
        self.boundary = boundary.filter { $0.isASCIILetter || $0.isASCIIDigit }
    }

    /// The whole message in wire form.
    package func bytes() -> [UInt8] {
        let returned = ReturnedHeader(original)
        var out = header(returned).bytes
        out += line("") + line("This is a multipart report; programs that know MIME show it better.")
        out += separator("text/plain; charset=utf-8", "8bit") + explanation
        // RFC 6533 §3: where an address is not ASCII, the machine part may be UTF-8 too.
        out += speaksUTF8 ? separator("message/global-delivery-status", "8bit") : separator("message/delivery-status", "7bit")
        out += deliveryStatus
        switch self.returned {
        case .nothing: break
        case .header: out += separator("text/rfc822-headers; charset=utf-8", "8bit") + returned.bytes
        case .message: out += separator("message/rfc822", "8bit") + wireForm(original)
        }
        return out + line("") + Array("--".utf8) + boundary + line("--")
    }

    private func header(_ returned: ReturnedHeader) -> HeaderWriter {
        var writer = HeaderWriter()
        writer.date(date)
        writer.field("From", Array("Mail Delivery System <MAILER-DAEMON@".utf8) + host.bytes + Array(">".utf8))
        writer.field("To", Array("<".utf8) + sender.wire + Array(">".utf8))
        writer.field("Subject", subject)
        writer.field("Message-ID", messageID)
        if let id = returned.messageID {
            writer.field("In-Reply-To", id)
            writer.field("References", returned.references.map { $0 + [0x20] }.joined() + id)
        }
        // RFC 3834 §2: responders must not answer this.
        writer.field("Auto-Submitted", "auto-replied")
        writer.field("MIME-Version", "1.0")
        writer.field(
            "Content-Type",
            Array("multipart/report; report-type=delivery-status; boundary=\"".utf8) + boundary + Array("\"".utf8))
        return writer
    }

    private var subject: String {
        switch action {
        case .failed: "Undelivered mail returned to sender"
        case .delayed: "Delayed mail, still being retried"
        case .delivered: "Your mail was delivered"
        case .relayed: "Your mail was passed on"
        }
    }

    private func separator(_ type: StaticString, _ encoding: StaticString) -> [UInt8] {
        var writer = HeaderWriter()
        writer.field("Content-Type", type.withUTF8Buffer { Array($0) })
        writer.field("Content-Transfer-Encoding", encoding.withUTF8Buffer { Array($0) })
        return line("") + Array("--".utf8) + boundary + line("") + writer.bytes + line("")
    }
}

extension BounceMessage {
    /// The part for people.
    private var explanation: [UInt8] {
        var out = line("This is the mail system at \(host.bytes.display).") + line("")
        switch action {
        case .failed:
            out += line("Your message could not be delivered to the addresses below. It will not be tried again.")
        case .delayed:
            out += line("Your message could not be delivered yet to the addresses below. It is still being tried;")
            out += line("you need not send it again.")
        case .delivered: out += line("Your message was delivered to the mailboxes of the addresses below, as you asked to be told.")
        case .relayed:
            out += line("Your message was passed on to the mail system of the addresses below. It took responsibility")
            out += line("for it, but will not tell you when it is delivered.")
        }
        for recipient in recipients { out += line("") + explanation(of: recipient) }
        return out + line("") + line("For the postmaster: the message had the id \(originalID) here.")
    }

    private func explanation(of recipient: ReportedRecipient) -> [UInt8] {
        var out = Array("  <".utf8) + recipient.original.wire + Array(">".utf8)
        if recipient.final != recipient.original {
            out += Array(" (forwarded to <".utf8) + recipient.final.wire + Array(">)".utf8)
        }
        if action.isSuccess { return out + line("") }
        out += line(":")
        if let host = recipient.remoteHost {
            out += Array("    The host ".utf8) + oneLine(host.prefix(255)) + line(" said:")
        }
        return out + Array("    ".utf8) + oneLine(recipient.reason.prefix(800)) + line(" (\(recipient.status))")
    }

    /// The part for programs (RFC 3464 §2).
    private var deliveryStatus: [UInt8] {
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
        if action.isSuccess {} else if let host = recipient.remoteHost {
            writer.field("Remote-MTA", Array("dns; ".utf8) + asciiOnly(host.prefix(255)))
            writer.field("Diagnostic-Code", Array("smtp; ".utf8) + asciiOnly(recipient.reason.prefix(800)))
        } else {
            writer.field("Diagnostic-Code", Array("x-martlet; ".utf8) + asciiOnly(recipient.reason.prefix(800)))
        }
        if let last = recipient.lastAttempt { writer.field("Last-Attempt-Date", last.text) }
        return writer.bytes
    }

    private var speaksUTF8: Bool {
        recipients.contains { !$0.original.isASCII || !$0.final.isASCII || $0.originalRecipient?.isUTF8Type == true }
    }

    private func machine(_ text: [UInt8]) -> [UInt8] { speaksUTF8 ? text : asciiOnly(text) }

    private func asciiOnly(_ text: some Collection<UInt8>) -> [UInt8] { text.map { $0 < 0x80 ? $0 : UInt8(ascii: "?") } }
}

private func line(_ text: String) -> [UInt8] { Array(text.utf8) + [0x0D, 0x0A] }
