// The part of a notice for people: what happened, when it was tried, what the other side said, and what can be done.
// Plain words in lines that need no scrolling; only the other side's words stay as they came.

internal import MailModel

extension BounceMessage {
    var explanation: [UInt8] {
        var out = line("This is the mail system at \(host.bytes.display).") + line("") + opening
        for recipient in recipients { out += line("") + explanation(of: recipient) }
        return out + line("") + line("For the postmaster: the message had the id \(originalID) here.")
    }

    private var opening: [UInt8] {
        if isDouble {
            return line("A notice of this mail system could not be delivered to the addresses below, and no")
                + line("one else hears of it. It stands at the end, with what it was about.")
        }
        return switch action {
        case .failed: line("Your message could not be delivered to the addresses below. It will not be tried again.")
        case .delayed:
            line("Your message could not be delivered yet to the addresses below. It is still being tried;")
                + line("you need not send it again.")
        case .delivered: line("Your message was delivered to the mailboxes of the addresses below, as you asked to be told.")
        case .relayed:
            line("Your message was passed on to the mail system of the addresses below. It took responsibility")
                + line("for it, but will not tell you when it is delivered.")
        }
    }

    private func explanation(of recipient: ReportedRecipient) -> [UInt8] {
        var out = Array("  <".utf8) + recipient.original.wire + Array(">".utf8)
        if recipient.final != recipient.original {
            out += Array(" (forwarded to <".utf8) + recipient.final.wire + Array(">)".utf8)
        }
        if action.isSuccess { return out + line("") }
        let kind = recipient.kind ?? FailureKind(recipient.status)
        let domain = recipient.final.domain.description
        let happened = action == .delayed ? kind.waits(at: domain) : kind.happened(at: domain)
        out += line(":") + paragraph(happened) + tried(recipient) + said(recipient)
        switch action {
        case .delayed: out += line("") + paragraph(waiting(recipient))
        case .failed where !isDouble: out += line("") + paragraph("What you can do: " + kind.advice(domain: domain))
        case .failed, .delivered, .relayed: break
        }
        return out
    }

    /// When it was tried, and how often.
    private func tried(_ recipient: ReportedRecipient) -> [UInt8] {
        guard recipient.attempts > 0, let last = recipient.lastAttempt else { return [] }
        guard recipient.attempts > 1, let first = recipient.firstAttempt else { return paragraph("It was tried once, on \(last.text.display).") }
        let ago = BounceMessage.span(last.secondsSince1970 - first.secondsSince1970)
        return paragraph("It was tried \(recipient.attempts) times\(ago), first on \(first.text.display) and last on \(last.text.display).")
    }

    /// ` in 5 days`; nothing for less than two minutes.
    private static func span(_ seconds: Int64) -> String {
        switch seconds {
        case 172_800...: " in \(seconds / 86_400) days"
        case 7200...: " in \(seconds / 3600) hours"
        case 120...: " in \(seconds / 60) minutes"
        default: ""
        }
    }

    /// The words themselves, and whose they are.
    private func said(_ recipient: ReportedRecipient) -> [UInt8] {
        guard !recipient.reason.isEmpty else { return paragraph("(\(recipient.status))") }
        let words = Array("      ".utf8) + oneLine(recipient.reason.prefix(800)) + line(" (\(recipient.status))")
        guard let host = recipient.remoteHost, !recipient.isOurWord else { return line("") + line("    In the words of this mail system:") + words }
        return line("") + Array("    The host ".utf8) + oneLine(host.prefix(255)) + line(" said:") + words
    }

    private func waiting(_ recipient: ReportedRecipient) -> String {
        guard let until = recipient.retryUntil else { return "It is tried again by itself." }
        return "It is tried again by itself until \(until.text.display); if that is in vain you are told."
    }

    /// Wrapped at its blanks and indented.
    private func paragraph(_ text: String) -> [UInt8] {
        var out: [UInt8] = []
        var column = 0
        for word in oneLine(Array(text.utf8)).split(separator: 0x20) {
            if column > 0, column + 1 + word.count > 78 {
                out += [0x0D, 0x0A]
                column = 0
            }
            out += column == 0 ? Array("    ".utf8) : [0x20]
            out += word.prefix(HeaderWriter.maximumWord)
            column += (column == 0 ? 4 : 1) + word.count
        }
        return out + [0x0D, 0x0A]
    }
}
