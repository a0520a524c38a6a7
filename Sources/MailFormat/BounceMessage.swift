// The notice to a sender about his message: plain words for people (BounceMessage+Words), RFC 3464 fields for programs
// (BounceMessage+Status), the original's header or all of it.
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
    /// The host that gave the reply, or that our own words are about; nil if none was reached.
    package var remoteHost: [UInt8]?
    /// The reason is what we say of that host, and not its reply.
    package var isOurWord = false
    /// Where the status does not say what happened.
    package var kind: FailureKind?
    /// How often it was tried; 0 where it never was.
    package var attempts = 0
    package var firstAttempt: MailDate?
    package var lastAttempt: MailDate?
    /// Until when it is tried; nil for what is over.
    package var retryUntil: MailDate?
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
    /// The original came with SMTPUTF8: its sender reads UTF-8 in the machine parts too (RFC 6533 §3).
    package var isUTF8 = false
    /// The original is itself a notice that could not be delivered: this one goes to the postmaster.
    package var isDouble = false

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
        let words = explanation
        out += separator(words.isASCIIOnly ? "text/plain; charset=us-ascii" : "text/plain; charset=utf-8", words) + words
        let status = deliveryStatus
        out += separator(isUTF8 ? "message/global-delivery-status" : "message/delivery-status", status) + status
        switch self.returned {
        case .nothing: break
        case .header: out += separator(isUTF8 ? "message/global-headers" : "text/rfc822-headers; charset=utf-8", returned.bytes) + returned.bytes
        case .message:
            let whole = wireForm(original)
            out += separator(isUTF8 ? "message/global" : "message/rfc822", whole) + whole
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
        if isDouble { return "Undelivered notice returned to the postmaster" }
        return switch action {
        case .failed: "Undelivered mail returned to sender"
        case .delayed: "Delayed mail, still being retried"
        case .delivered: "Your mail was delivered"
        case .relayed: "Your mail was passed on"
        }
    }

    private func separator(_ type: StaticString, _ body: [UInt8]) -> [UInt8] {
        var writer = HeaderWriter()
        writer.field("Content-Type", type.withUTF8Buffer { Array($0) })
        writer.field("Content-Transfer-Encoding", body.isASCIIOnly ? "7bit" : "8bit")
        return line("") + Array("--".utf8) + boundary + line("") + writer.bytes + line("")
    }
}

extension [UInt8] {
    fileprivate var isASCIIOnly: Bool { allSatisfy { $0 < 0x80 } }
}

func line(_ text: String) -> [UInt8] { Array(text.utf8) + [0x0D, 0x0A] }
