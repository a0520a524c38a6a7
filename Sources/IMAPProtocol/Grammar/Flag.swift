// The flags of a message (RFC 3501 §2.3.2): five that the standard defines, `\Recent`, and keywords.

internal import MailModel

/// The flags with a backslash. `\Recent` is the session's and cannot be stored.
package struct SystemFlags: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let answered = SystemFlags(rawValue: 1)
    package static let flagged = SystemFlags(rawValue: 2)
    package static let deleted = SystemFlags(rawValue: 4)
    package static let seen = SystemFlags(rawValue: 8)
    package static let draft = SystemFlags(rawValue: 16)
    package static let recent = SystemFlags(rawValue: 32)

    /// Each flag with its name, in the order in which we print them.
    static let names: [(flag: SystemFlags, name: StaticString)] = [
        (.answered, "\\Answered"), (.flagged, "\\Flagged"), (.deleted, "\\Deleted"), (.seen, "\\Seen"),
        (.draft, "\\Draft"), (.recent, "\\Recent"),
    ]
}

/// A flag that users and programs make up, such as `$Forwarded`: an atom; equal if only ASCII case differs.
package struct Keyword: Sendable {
    package let bytes: [UInt8]
    package static let maximumLength = 64

    package init?(_ bytes: some Collection<UInt8>) {
        guard (1...Keyword.maximumLength).contains(bytes.count), bytes.allSatisfy(\.isAtomCharacter) else { return nil }
        self.bytes = Array(bytes)
    }
}

extension Keyword: Hashable {
    package static func == (a: Keyword, b: Keyword) -> Bool { a.bytes.equalsIgnoringASCIICase(b.bytes) }
    package func hash(into hasher: inout Hasher) { hasher.combine(bytes.asciiLowercased) }
}

/// The flags of one message, or those that a command names.
package struct Flags: Hashable, Sendable {
    package var system: SystemFlags
    /// No keyword twice; few, so an array.
    package private(set) var keywords: [Keyword]

    package init(_ system: SystemFlags = [], keywords: [Keyword] = []) {
        self.system = system
        self.keywords = []
        for keyword in keywords { insert(keyword) }
    }

    package func contains(_ keyword: Keyword) -> Bool { keywords.contains(keyword) }

    package mutating func insert(_ keyword: Keyword) {
        if !keywords.contains(keyword) { keywords.append(keyword) }
    }

    package mutating func formUnion(_ other: Flags) {
        system.formUnion(other.system)
        for keyword in other.keywords { insert(keyword) }
    }

    package mutating func subtract(_ other: Flags) {
        system.subtract(other.system)
        keywords.removeAll { other.keywords.contains($0) }
    }

    package static func == (a: Flags, b: Flags) -> Bool {
        a.system == b.system && a.keywords.count == b.keywords.count && a.keywords.allSatisfy(b.contains)
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(system)
        hasher.combine(Set(keywords))
    }
}

/// `store-att-flags` (RFC 3501 §6.4.6): what is to be done with which flags.
package struct StoreOperation: Hashable, Sendable {
    package enum Mode: Hashable, Sendable { case replace, add, remove }
    package let mode: Mode
    package let flags: Flags
    /// `.SILENT`: the client does not want the new flags told.
    package let isSilent: Bool

    package init(_ mode: Mode, _ flags: Flags, isSilent: Bool = false) {
        self.mode = mode
        self.flags = flags
        self.isSilent = isSilent
    }

    /// The flags after the operation; `\Recent` stays what it was.
    package func applied(to old: Flags) -> Flags {
        var new = old
        switch mode {
        case .replace: new = Flags(flags.system.union(old.system.intersection(.recent)), keywords: flags.keywords)
        case .add: new.formUnion(flags)
        case .remove: new.subtract(flags)
        }
        return new
    }
}
