// One command line, parsed. What a line cannot be is as much a value as what it is.

package import MailModel

/// A command of RFC 5321 §4.1.1, RFC 3030, RFC 3207 or RFC 4954, with its parameters checked.
package enum Command: Sendable, Hashable {
    case helo([UInt8])
    case ehlo([UInt8])
    case mail(ReversePath, MailParameters)
    case rcpt(ForwardPath, RecipientOptions = RecipientOptions())
    case data
    /// So many octets of content follow the line.
    case bdat(octets: Int, isLast: Bool)
    case rset
    case noop
    case quit
    case vrfy
    case help
    case startTLS
    case auth(mechanism: [UInt8], initial: [UInt8]?)
    /// Postfix's, from a filter of ours: whose connection this is.
    case xclient(XClient)
}

/// Why a line is no command that we take.
package enum CommandFault: Error, Sendable, Hashable {
    case unrecognised
    /// Known to SMTP and not offered here: EXPN, BDAT, TURN, …
    case notImplemented
    /// Another protocol's line, an HTTP request above all: nothing after it may be executed.
    case notMail
    case badArguments
    case takesNoArguments
    case badSender
    case badRecipient
    case needsUTF8
    case unknownParameter
    /// BDAT without a number: what follows may be content, and nothing of it may be executed.
    case badChunk

    /// Whether the rest of the input cannot be told from commands.
    package var endsSession: Bool { self == .notMail || self == .badChunk }

    package var reply: Reply {
        switch self {
        case .unrecognised: .unrecognised
        case .notImplemented: .notImplemented
        case .notMail: .notMail
        case .badArguments: .badArguments
        case .takesNoArguments: .noArguments
        case .badSender: .badSender
        case .badRecipient: .badRecipient
        case .needsUTF8: .needsUTF8
        case .unknownParameter: .unknownParameter
        case .badChunk: .badChunk
        }
    }
}
