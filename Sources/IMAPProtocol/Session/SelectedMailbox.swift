// The selected mailbox as the client knows it: message numbers are places in `messages`, and change only when the
// client is told. Changes that it may not hear yet (RFC 3501 §7.4.1) wait here.

/// A session's view of its mailbox.
struct SelectedMailbox: Sendable {
    let name: MailboxName
    let isReadOnly: Bool
    private(set) var messages: [MessageState]
    private var keywords: [Keyword]
    private let takesNewKeywords: Bool

    private var arrived: [MessageState] = []
    private var vanished: Set<UID> = []
    private var changedFlags: Set<UID> = []
    private var hasNewKeywords = false

    init(_ name: MailboxName, readOnly: Bool, _ selection: Selection) {
        self.name = name
        isReadOnly = readOnly
        messages = selection.messages
        keywords = selection.keywords
        takesNewKeywords = selection.takesNewKeywords
    }

    /// The place of a message, or nil.
    func index(of uid: UID) -> Int? {
        var low = 0
        var high = messages.count
        while low < high {
            let middle = (low + high) / 2
            if messages[middle].uid < uid { low = middle + 1 } else { high = middle }
        }
        return low < messages.count && messages[low].uid == uid ? low : nil
    }

    /// The places that a command's numbers mean, ascending; nil when a message number is beyond the last message.
    func places(_ set: SequenceSet, _ numbering: Command.Numbering) -> [Range<Int>]? {
        switch numbering {
        case .sequence:
            let count = UInt32(clamping: messages.count)
            guard set.elements.allSatisfy({ $0.isWithin(count) }) else { return nil }
            return set.resolved(largest: count).ranges.compactMap { range in
                let last = min(Int(range.upperBound), messages.count)
                let first = max(1, Int(range.lowerBound))
                return first > last ? nil : first - 1..<last
            }
        case .uid:
            return set.resolved(largest: messages.last?.uid.value ?? 0).ranges.compactMap { range in
                let places = firstPlace(from: range.lowerBound)..<firstPlace(after: range.upperBound)
                return places.isEmpty ? nil : places
            }
        }
    }

    private func firstPlace(after uid: UInt32) -> Int { uid == .max ? messages.count : firstPlace(from: uid + 1) }

    private func firstPlace(from uid: UInt32) -> Int {
        var low = 0
        var high = messages.count
        while low < high {
            let middle = (low + high) / 2
            if messages[middle].uid.value < uid { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

// What the store said.
extension SelectedMailbox {
    mutating func apply(_ changes: MailboxChanges) {
        for message in changes.arrived where message.uid > (arrived.last ?? messages.last)?.uid ?? UID(0) {
            arrived.append(message)
            note(keywordsOf: message.flags)
        }
        for update in changes.flags where setFlags(update) { changedFlags.insert(update.uid) }
        for uid in changes.vanished { vanish(uid) }
    }

    /// Takes over flags; true if they differ from those that the client knows.
    mutating func setFlags(_ update: FlagUpdate) -> Bool {
        note(keywordsOf: update.flags)
        guard let index = index(of: update.uid) else {
            if let place = arrived.firstIndex(where: { $0.uid == update.uid }) {
                arrived[place].flags = update.flags.keepingRecent(of: arrived[place].flags)
            }
            return false
        }
        let new = update.flags.keepingRecent(of: messages[index].flags)
        defer { messages[index].flags = new }
        return messages[index].flags != new
    }

    /// The client must be told the flags at the next occasion.
    mutating func tellFlags(of uid: UID) { changedFlags.insert(uid) }

    /// The client is being told the flags just now.
    mutating func flagsTold(of uid: UID) { changedFlags.remove(uid) }

    mutating func vanish(_ uid: UID) {
        if index(of: uid) != nil {
            vanished.insert(uid)
        } else {
            arrived.removeAll { $0.uid == uid }
        }
    }

    private mutating func note(keywordsOf flags: Flags) {
        for keyword in flags.keywords where !keywords.contains(keyword) {
            keywords.append(keyword)
            hasNewKeywords = true
        }
    }
}

// What the client hears.
extension SelectedMailbox {
    /// Tells all that waits; expunges only where message numbers may change.
    mutating func tell(expunges: Bool, to printer: inout ResponsePrinter) {
        if expunges { tellExpunges(to: &printer) }
        tellArrivals(to: &printer)
        tellFlags(to: &printer)
    }

    /// Tells flags alone, new keywords before the messages that have them.
    mutating func tellFlags(to printer: inout ResponsePrinter) {
        if hasNewKeywords {
            hasNewKeywords = false
            printFlags(to: &printer)
        }
        for uid in changedFlags.sorted() {
            guard let index = index(of: uid) else { continue }
            printer.raw("* ")
            printer.number(index + 1)
            printer.raw(" FETCH (UID ")
            printer.number(uid.value)
            printer.raw(" FLAGS ")
            printer.flags(messages[index].flags)
            printer.raw(")\r\n")
        }
        changedFlags = []
    }

    /// From the last to the first: no number that is still to be told moves.
    private mutating func tellExpunges(to printer: inout ResponsePrinter) {
        guard !vanished.isEmpty else { return }
        for index in messages.indices.reversed() where vanished.contains(messages[index].uid) {
            printer.raw("* ")
            printer.number(index + 1)
            printer.raw(" EXPUNGE\r\n")
        }
        messages.removeAll { vanished.contains($0.uid) }
        changedFlags.subtract(vanished)
        vanished = []
    }

    private mutating func tellArrivals(to printer: inout ResponsePrinter) {
        guard !arrived.isEmpty else { return }
        messages += arrived
        arrived = []
        printCounts(to: &printer)
    }

    /// The untagged part of SELECT's answer (RFC 3501 §6.3.1).
    func printSelection(_ selection: Selection, to printer: inout ResponsePrinter) {
        printFlags(to: &printer)
        printCounts(to: &printer)
        if let unseen = messages.firstIndex(where: { !$0.flags.system.contains(.seen) }) {
            printer.raw("* OK [UNSEEN ")
            printer.number(unseen + 1)
            printer.raw("] First unseen\r\n")
        }
        printer.raw("* OK [UIDVALIDITY ")
        printer.number(selection.uidValidity.value)
        printer.raw("] UIDs valid\r\n* OK [UIDNEXT ")
        printer.number(selection.uidNext.value)
        printer.raw("] Predicted next UID\r\n")
    }

    private func printCounts(to printer: inout ResponsePrinter) {
        printer.raw("* ")
        printer.number(messages.count)
        printer.raw(" EXISTS\r\n* ")
        printer.number(messages.count { $0.flags.system.contains(.recent) })
        printer.raw(" RECENT\r\n")
    }

    private func printFlags(to printer: inout ResponsePrinter) {
        let all = Flags([.answered, .flagged, .deleted, .seen, .draft], keywords: keywords)
        printer.raw("* FLAGS ")
        printer.flags(all)
        printer.raw("\r\n* OK [PERMANENTFLAGS ")
        if isReadOnly {
            printer.raw("()")
        } else if takesNewKeywords {
            var list = ResponsePrinter()
            list.flags(all)
            printer.raw(list.bytes.dropLast())
            printer.raw(" \\*)")
        } else {
            printer.flags(all)
        }
        printer.raw("] Flags that can be stored\r\n")
    }
}

extension SequenceSet.Element {
    /// With `*` every mailbox will do, the empty one too: `1:*` of nothing is nothing.
    fileprivate func isWithin(_ count: UInt32) -> Bool {
        guard let first, let last else { return true }
        return first <= count && last <= count
    }
}

extension Flags {
    /// `\Recent` belongs to the session, all else to the store.
    fileprivate func keepingRecent(of old: Flags) -> Flags {
        var new = self
        new.system.subtract(.recent)
        new.system.formUnion(old.system.intersection(.recent))
        return new
    }
}
