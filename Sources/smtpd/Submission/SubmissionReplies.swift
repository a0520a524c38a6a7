// What a user's mail program is told when a message is not taken: which, why, and what to do.

import MailFormat
import MailModel
import MailPolicy
import SMTPProtocol

extension Reply {
    static let directoryIsUnavailable = Reply(451, EnhancedStatus(.temporary, 4, 3), "the directory cannot be asked now, try again later")
    static let tooManyAuthors = Reply(550, EnhancedStatus(.permanent, 7, 1), "From names too many")

    static func notYours(_ account: EmailAddress, _ sender: EmailAddress, in place: String) -> Reply {
        notYours(account, sender.wire, place)
    }

    static func notYours(_ account: EmailAddress, _ mailbox: HeaderMailbox, in place: String) -> Reply {
        notYours(account, mailbox.address?.wire ?? mailbox.localPart + [UInt8(ascii: "@")] + mailbox.domain, place)
    }

    private static func notYours(_ account: EmailAddress, _ sender: [UInt8], _ place: String) -> Reply {
        Reply(550, EnhancedStatus(.permanent, 7, 1), lines: [
            Array("\(place): ".utf8) + account.wire + Array(" may not send as ".utf8) + sender.prefix(200),
            Array("use an address of your own, or ask the administrator to grant you this one".utf8),
        ])
    }

    static func noAuthor(_ account: EmailAddress) -> Reply {
        Reply(550, EnhancedStatus(.permanent, 7, 1), lines: [Array("there is no From that names anybody; write one with ".utf8) + account.wire])
    }

    static func lineTooLong(_ limit: Int) -> Reply {
        Reply(554, EnhancedStatus(.permanent, 6, 0), "a line is longer than \(limit) octets; send it encoded (quoted-printable or base64)")
    }

    static func flawed(_ flaw: SubmittedHeader.Flaw) -> Reply {
        switch flaw {
        case .tooLong: Reply(552, EnhancedStatus(.permanent, 3, 4), "the header is too long")
        case .bareLineEnd: Reply(554, EnhancedStatus(.permanent, 6, 0), "the header has CR or LF alone; lines end with CRLF")
        case .eightBit: Reply(550, EnhancedStatus(.permanent, 6, 7), "the header has bytes that are not ASCII; encode them (RFC 2047) or use SMTPUTF8")
        case .repeated(let name): Reply(554, EnhancedStatus(.permanent, 6, 0), "the header has two \(name.rawValue) fields")
        }
    }

    static func comeAgain(_ delay: SendingDelay) -> Reply {
        let time = delay.seconds < 120 ? "\(delay.seconds) s" : delay.seconds < 7200 ? "\((delay.seconds + 59) / 60) min" : "\((delay.seconds + 3599) / 3600) h"
        let what = delay.isOfMessages ? "messages" : "recipients"
        return Reply(
            450, EnhancedStatus(.temporary, 7, 1), "too many \(what) from \(delay.isOfAccount ? "this account" : "your address"), come again in \(time)")
    }
}
