// What a local program leaves out: From, Date, Message-ID. Bcc never leaves (RFC 5322 §3.6.3).

import Kernel
import MailFormat
import MailModel

/// The message on its way to the drop.
struct Composer {
    private var message: [UInt8]
    private let host: Domain
    private var added = HeaderWriter()

    init(message: [UInt8], host: Domain) {
        self.message = message
        self.host = host
        // A body without any header: an empty line belongs before it.
        let header = HeaderSection(of: message)
        if header.fields.isEmpty, !message.starts(with: [0x0D, 0x0A]) { self.message = [0x0D, 0x0A] + message }
    }

    var bytes: [UInt8] { added.bytes + message }

    /// An argument as an address; a bare user is one of this host.
    func address(_ text: [UInt8]) -> EmailAddress? {
        let bare = text.first == UInt8(ascii: "<") && text.last == UInt8(ascii: ">") ? Array(text.dropFirst().dropLast()) : text
        if bare.contains(UInt8(ascii: "@")) { return EmailAddress(parsing: bare) }
        return EmailAddress(parsing: bare + [UInt8(ascii: "@")] + host.bytes)
    }

    /// The addresses in To, Cc and Bcc, and the first that is none: who is left out in silence is never missed. The Bcc fields
    /// are taken out of the message.
    mutating func takeRecipients() -> (found: [EmailAddress], wrong: [UInt8]?) {
        let header = HeaderSection(of: message)
        var found: [EmailAddress] = []
        var wrong: [UInt8]?
        for name in ["to", "cc", "bcc"] {
            for field in header.all(Array(name.utf8), in: message) {
                let list = AddressList(parsing: message[field.value])
                for mailbox in list.mailboxes {
                    guard let address = mailbox.domain.isEmpty ? self.address(mailbox.localPart) : mailbox.address else {
                        wrong = wrong ?? message[field.value].filter { $0 >= 0x20 }
                        continue
                    }
                    if !found.contains(address) { found.append(address) }
                }
            }
        }
        let hidden = header.all(Array("bcc".utf8), in: message).map(\.whole)
        for range in hidden.reversed() { message.removeSubrange(range) }
        return (found, wrong)
    }

    /// Adds the fields that every message must have (RFC 5322 §3.6).
    mutating func complete(sender: [UInt8]?, fullName: [UInt8]?, uid: UInt32, now: WallTime) {
        let header = HeaderSection(of: message)
        if header.first("from", in: message) == nil {
            let user = Identity.userName(of: uid) ?? Array("uid\(uid)".utf8)
            let address = sender.flatMap { $0.isEmpty ? nil : $0 } ?? user + [UInt8(ascii: "@")] + host.bytes
            let name = fullName.map { EncodedWord.encode(oneLine($0)) + Array(" <".utf8) + address + Array(">".utf8) }
            added.field("From", name ?? address)
        }
        if header.first("date", in: message) == nil { added.date(MailDate(secondsSince1970: now.seconds)) }
        if header.first("message-id", in: message) == nil {
            let left = Array("\(now.nanoseconds).\(Identity.processID).\(uid)".utf8)
            added.field("Message-ID", messageID(left: left, domain: host))
        }
    }
}
