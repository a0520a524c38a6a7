// Address lists of header fields (RFC 5322 §3.4 and the obsolete forms of §4.4), kept flat: groups are marks.
// Invariant: a list always parses; what is no address is kept as far as it can be read, and never joined to another.

package import MailModel

/// A mailbox as a header shows it: any bytes, quoting removed, encoded words as they stand.
package struct HeaderMailbox: Hashable, Sendable {
    /// The phrase before the address, or the comment after it.
    package var name: [UInt8]?
    /// The obsolete source route, `@a,@b` (RFC 5322 §4.4).
    package var route: [UInt8]?
    package var localPart: [UInt8]
    /// Empty if the field gave none.
    package var domain: [UInt8]

    package init(name: [UInt8]? = nil, route: [UInt8]? = nil, localPart: [UInt8], domain: [UInt8]) {
        self.name = name
        self.route = route
        self.localPart = localPart
        self.domain = domain
    }

    /// The address, if it is one that mail can be sent to.
    package var address: EmailAddress? {
        Domain(parsing: domain).flatMap { EmailAddress(localPart: localPart, domain: $0) }
    }
}

/// The parsed value of `From:`, `To:` and their like.
package struct AddressList: Hashable, Sendable {
    package enum Item: Hashable, Sendable {
        case mailbox(HeaderMailbox)
        case groupStart(name: [UInt8])
        case groupEnd
    }

    /// More items than this are not kept.
    package static let maximumItems = 10_000

    package private(set) var items: [Item] = []

    package init() {}

    /// Reads `value` as it stands in the message, folded or not.
    package init(parsing value: ArraySlice<UInt8>) { append(parsing: value) }

    package var isEmpty: Bool { items.isEmpty }

    package var mailboxes: [HeaderMailbox] {
        items.compactMap { item in
            if case .mailbox(let mailbox) = item { return mailbox }
            return nil
        }
    }

    /// Adds the addresses of a further field of the same name.
    package mutating func append(parsing value: ArraySlice<UInt8>) {
        var parser = AddressListParser(value, room: AddressList.maximumItems - items.count)
        items += parser.parse()
    }
}

private struct AddressListParser {
    private var lexer: FieldLexer
    private let room: Int
    private var items: [AddressList.Item] = []
    private var inGroup = false
    /// The words before `<`, `@` or `:`, as a phrase and as a local part.
    private var phrase: [UInt8] = []
    private var local: [UInt8] = []
    private var domain: [UInt8]?
    private var hasWords = false

    init(_ value: ArraySlice<UInt8>, room: Int) {
        lexer = FieldLexer(value)
        self.room = room
    }

    mutating func parse() -> [AddressList.Item] {
        while items.count < room, let token = lexer.next() {
            switch token {
            case .special(UInt8(ascii: ",")): endAddress()
            case .special(UInt8(ascii: ";")): endAddress(); endGroup()
            case .special(UInt8(ascii: "<")): angleAddress()
            case .special(UInt8(ascii: ":")): startGroup()
            case .special(UInt8(ascii: "@")) where hasWords && domain == nil: domain = []
            case .atom(let text), .quoted(let text), .literal(let text): word(text)
            case .special(UInt8(ascii: ".")): word([UInt8(ascii: ".")])
            case .special(UInt8(ascii: "@")): word([UInt8(ascii: "@")])
            case .special: break
            }
        }
        if items.count < room { endAddress() }
        endGroup()
        return items
    }

    private mutating func word(_ text: [UInt8]) {
        if lexer.hadSpace, !phrase.isEmpty { phrase.append(0x20) }
        phrase += text
        if domain == nil { local += text } else { domain? += text }
        hasWords = true
    }

    private mutating func endAddress() {
        let mailbox = HeaderMailbox(name: lexer.comment, localPart: local, domain: domain ?? [])
        if !(mailbox.localPart.isEmpty && mailbox.domain.isEmpty) { items.append(.mailbox(mailbox)) }
        forget()
    }

    private mutating func forget() {
        phrase = []
        local = []
        domain = nil
        hasWords = false
        lexer.forgetComment()
    }

    private mutating func startGroup() {
        guard !inGroup, domain == nil else { return }
        items.append(.groupStart(name: phrase))
        inGroup = true
        forget()
    }

    private mutating func endGroup() {
        guard inGroup else { return }
        items.append(.groupEnd)
        inGroup = false
    }

    /// RFC 5322 §3.4 `angle-addr`, with the route of §4.4; ends at `>` or where the field does.
    private mutating func angleAddress() {
        var mailbox = HeaderMailbox(name: hasWords ? displayName : nil, localPart: [], domain: [])
        var route: [UInt8] = []
        var seenAt = false
        var isRoute = false
        while let token = lexer.next(), token != .special(UInt8(ascii: ">")) {
            switch token {
            case .special(UInt8(ascii: "@")) where !seenAt && mailbox.localPart.isEmpty && !isRoute:
                isRoute = true
                route = [UInt8(ascii: "@")]
            case .special(UInt8(ascii: ":")) where isRoute:
                isRoute = false
                mailbox.route = route
            case .special(let byte) where isRoute: route.append(byte)
            case .special(UInt8(ascii: "@")) where !seenAt: seenAt = true
            case .atom(let text), .quoted(let text), .literal(let text):
                if isRoute { route += text } else if seenAt { mailbox.domain += text } else { mailbox.localPart += text }
            case .special(let byte):
                if seenAt { mailbox.domain.append(byte) } else { mailbox.localPart.append(byte) }
            }
        }
        if mailbox.name == nil { mailbox.name = lexer.comment }
        if !(mailbox.localPart.isEmpty && mailbox.domain.isEmpty) { items.append(.mailbox(mailbox)) }
        forget()
    }

    /// `user@host <user@host>` has an address where a phrase should be; it is the name then, as written.
    private var displayName: [UInt8] {
        guard let domain else { return phrase }
        return local + [UInt8(ascii: "@")] + domain
    }
}
