// `list` (RFC 5258 §6), of which RFC 3501's form is a part, and the arguments of LSUB and STATUS.

internal import MailModel

extension ListRequest {
    /// Everything after `LIST `.
    init(parsing cursor: inout CommandCursor) throws(CommandFailure) {
        self.init()
        if cursor.take("(") { try readSelection(&cursor) }
        let reference = try cursor.listMailbox()
        try cursor.space()
        if cursor.take("(") {
            repeat { try add(reference, try cursor.listMailbox()) } while cursor.take(" ")
            try cursor.expect(")")
        } else {
            let pattern = try cursor.listMailbox()
            asksDelimiter = pattern.isEmpty && selection.isEmpty
            try add(reference, pattern)
        }
        if cursor.take(" ") { try readReturn(&cursor) }
    }

    /// Everything after `LSUB `.
    init(parsingLsub cursor: inout CommandCursor) throws(CommandFailure) {
        self.init()
        let reference = try cursor.listMailbox()
        try cursor.space()
        try add(reference, try cursor.listMailbox())
        selection = [.subscribed]
    }

    private mutating func add(_ reference: [UInt8], _ pattern: [UInt8]) throws(CommandFailure) {
        guard let pattern = ListPattern(reference: reference, pattern: pattern) else { throw .mailboxName }
        patterns.append(pattern)
        // An empty pattern counts too, else there could be any number of them.
        guard patterns.reduce(0, { $0 + $1.bytes.count + 1 }) <= ListRequest.maximumPatternLength else { throw .tooComplex }
    }

    /// `list-select-opts`, the parenthesis being open.
    private mutating func readSelection(_ cursor: inout CommandCursor) throws(CommandFailure) {
        while !cursor.take(")") {
            if cursor.takeWord("SUBSCRIBED") {
                selection.insert(.subscribed)
            } else if cursor.takeWord("REMOTE") {
                selection.insert(.remote)
            } else if cursor.takeWord("SPECIAL-USE") {
                selection.insert(.specialUse)
            } else {
                throw .syntax(.argument)
            }
            guard cursor.take(" ") || cursor.next == UInt8(ascii: ")") else { throw .syntax(.argument) }
        }
        try cursor.space()
    }

    /// `list-return-opts`.
    private mutating func readReturn(_ cursor: inout CommandCursor) throws(CommandFailure) {
        guard cursor.takeWord("RETURN") else { throw .syntax(.argument) }
        try cursor.space()
        try cursor.expect("(")
        while !cursor.take(")") {
            if cursor.takeWord("SUBSCRIBED") {
                returnsSubscribed = true
            } else if cursor.takeWord("STATUS") {
                try cursor.space()
                status = try StatusItem.list(parsing: &cursor)
            } else if !cursor.takeWord("CHILDREN"), !cursor.takeWord("SPECIAL-USE") {
                throw .syntax(.argument)
            }
            guard cursor.take(" ") || cursor.next == UInt8(ascii: ")") else { throw .syntax(.argument) }
        }
    }
}

extension StatusItem {
    /// `"(" status-att *(SP status-att) ")"`.
    static func list(parsing cursor: inout CommandCursor) throws(CommandFailure) -> [StatusItem] {
        try cursor.expect("(")
        var items: [StatusItem] = []
        repeat {
            guard let item = allCases.first(where: { cursor.takeWord($0.name) }) else { throw .syntax(.argument) }
            if !items.contains(item) { items.append(item) }
        } while cursor.take(" ")
        try cursor.expect(")")
        return items
    }
}

extension MailboxName {
    /// `mailbox`, as an argument.
    init(parsing cursor: inout CommandCursor) throws(CommandFailure) {
        guard let name = MailboxName(wire: try cursor.astring()) else { throw .mailboxName }
        self = name
    }
}
