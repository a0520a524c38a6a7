// Why a command was not understood: the peer's fault, told as a tagged BAD or NO.

/// What is wrong with a command's text.
package enum CommandFailure: Error, Hashable, Sendable {
    /// Not in the grammar; the text is ours, never the client's (it could carry an attack to another protocol).
    case syntax(Reason)
    case unknownCommand
    /// In the grammar, but no mailbox can have such a name.
    case mailboxName
    /// A charset that we cannot search in (RFC 3501 §6.4.4).
    case charset
    /// More than we are willing to evaluate.
    case tooComplex
    /// The text ends inside a literal: only a command still being read.
    case incomplete

    package enum Reason: Hashable, Sendable {
        case tag, nul, bareLineFeed, argument, string, number, sequenceSet, trailing, flag, date, section, fetchItem
        case searchKey, nesting
    }
}

extension CommandFailure.Reason {
    var text: StaticString {
        switch self {
        case .tag: "Tag expected"
        case .nul: "NUL is not allowed"
        case .bareLineFeed: "Lines end with CRLF"
        case .argument: "Argument missing or malformed"
        case .string: "Malformed string"
        case .number: "Malformed number"
        case .sequenceSet: "Malformed sequence set"
        case .trailing: "Unexpected text after the command"
        case .flag: "Malformed flag"
        case .date: "Malformed date"
        case .section: "Malformed section"
        case .fetchItem: "Unknown fetch item"
        case .searchKey: "Unknown search key"
        case .nesting: "Nested too deeply"
        }
    }
}
