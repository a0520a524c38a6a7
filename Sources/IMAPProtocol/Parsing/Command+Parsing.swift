// The commands after login, by their verb. A new extension's command is one line here and one file for its grammar.

internal import MailModel

extension Command {
    package static func parse(_ text: [UInt8]) -> ParsedCommand<Command> {
        ParsedCommand(text) { verb, cursor throws(CommandFailure) in
            if verb.elementsEqual("UID".utf8) {
                try cursor.space()
                let inner = try cursor.atom().map { $0.isASCIILetter ? $0 & 0xDF : $0 }
                return try Command.readNumbered(inner, .uid, &cursor)
            }
            if let plain = Command.plain[verb] { return plain }
            if let read = Command.withArguments[verb] {
                try cursor.space()
                return try read(&cursor)
            }
            return try Command.readNumbered(verb, .sequence, &cursor)
        }
    }

    private typealias Reader = @Sendable (inout CommandCursor) throws(CommandFailure) -> Command

    private static func named<Value>(_ table: KeyValuePairs<String, Value>) -> [[UInt8]: Value] {
        Dictionary(uniqueKeysWithValues: table.map { (Array($0.key.utf8), $0.value) })
    }

    private static let plain: [[UInt8]: Command] = named([
        "CAPABILITY": .capability, "NOOP": .noop, "LOGOUT": .logout, "NAMESPACE": .namespace, "IDLE": .idle,
        "CHECK": .check, "CLOSE": .close, "UNSELECT": .unselect, "EXPUNGE": .expunge(nil),
    ])

    private static let withArguments: [[UInt8]: Reader] = named([
        "ID": { cursor throws(CommandFailure) in
            try ClientIdentification.skip(&cursor)
            return .id
        },
        "ENABLE": { cursor throws(CommandFailure) in
            repeat { _ = try cursor.atom() } while cursor.take(" ")
            return .enable
        },
        "SELECT": { cursor throws(CommandFailure) in .select(try MailboxName(parsing: &cursor), readOnly: false) },
        "EXAMINE": { cursor throws(CommandFailure) in .select(try MailboxName(parsing: &cursor), readOnly: true) },
        "CREATE": { cursor throws(CommandFailure) in .create(try Command.newMailbox(&cursor)) },
        "DELETE": { cursor throws(CommandFailure) in .delete(try MailboxName(parsing: &cursor)) },
        "RENAME": { cursor throws(CommandFailure) in
            let old = try MailboxName(parsing: &cursor)
            try cursor.space()
            return .rename(old, to: try Command.newMailbox(&cursor))
        },
        "SUBSCRIBE": { cursor throws(CommandFailure) in .subscribe(try MailboxName(parsing: &cursor)) },
        "UNSUBSCRIBE": { cursor throws(CommandFailure) in .unsubscribe(try MailboxName(parsing: &cursor)) },
        "LIST": { cursor throws(CommandFailure) in .list(try ListRequest(parsing: &cursor)) },
        "LSUB": { cursor throws(CommandFailure) in .lsub(try ListRequest(parsingLsub: &cursor)) },
        "STATUS": { cursor throws(CommandFailure) in
            let name = try MailboxName(parsing: &cursor)
            try cursor.space()
            return .status(name, try StatusItem.list(parsing: &cursor))
        },
    ])

    /// A name to be made: a delimiter at its end only says that levels will follow (RFC 3501 §6.3.3).
    private static func newMailbox(_ cursor: inout CommandCursor) throws(CommandFailure) -> MailboxName {
        var wire = try cursor.astring()
        if wire.count > 1, wire.last == MailboxName.delimiter { wire.removeLast() }
        guard let name = MailboxName(wire: wire) else { throw .mailboxName }
        return name
    }

    /// The commands that have a UID form (RFC 3501 §6.4.8, RFC 4315 §2.1, RFC 6851 §3.2).
    private static func readNumbered(
        _ verb: [UInt8], _ numbering: Numbering, _ cursor: inout CommandCursor
    ) throws(CommandFailure) -> Command {
        guard let known = NumberedVerb(rawValue: verb.display), known != .expunge || numbering == .uid
        else { throw .unknownCommand }
        try cursor.space()
        if known == .search { return .search(try SearchProgram(parsing: &cursor), numbering) }
        let set = try SequenceSet(parsing: &cursor)
        if known == .expunge { return .expunge(set) }
        try cursor.space()
        switch known {
        case .fetch: return .fetch(set, try FetchItem.list(parsing: &cursor), numbering)
        case .store: return .store(set, try StoreOperation(parsing: &cursor), numbering)
        case .copy: return .copy(set, to: try MailboxName(parsing: &cursor), numbering)
        case .move: return .move(set, to: try MailboxName(parsing: &cursor), numbering)
        case .search, .expunge: throw .unknownCommand
        }
    }

    private enum NumberedVerb: String {
        case search = "SEARCH"
        case fetch = "FETCH"
        case store = "STORE"
        case copy = "COPY"
        case move = "MOVE"
        case expunge = "EXPUNGE"
    }
}
