// What a client may want to know about a message (RFC 3501 §6.4.5).

/// `fetch-att`; the macros ALL, FAST and FULL are already spelled out.
package enum FetchItem: Hashable, Sendable {
    case flags, uid, internalDate, size, envelope, body, bodyStructure
    case section(Section)
    /// `RFC822`, `RFC822.HEADER`, `RFC822.TEXT`: sections that answer by their old name.
    case rfc822, rfc822Header, rfc822Text

    /// A `BODY[…]` with its reading mode and range.
    package struct Section: Hashable, Sendable {
        package let specifier: SectionSpecifier
        /// `BODY.PEEK`: does not set `\Seen`.
        package let isPeek: Bool
        package let partial: PartialRange?

        package init(_ specifier: SectionSpecifier, isPeek: Bool, partial: PartialRange? = nil) {
            self.specifier = specifier
            self.isPeek = isPeek
            self.partial = partial
        }
    }

    /// Whether the item's answer makes the message `\Seen`.
    package var setsSeen: Bool {
        switch self {
        case .section(let section): !section.isPeek
        case .rfc822, .rfc822Text: true
        case .flags, .uid, .internalDate, .size, .envelope, .body, .bodyStructure, .rfc822Header: false
        }
    }
}

/// `section-spec`: which bytes of a message (RFC 3501 §6.4.5).
package struct SectionSpecifier: Hashable, Sendable {
    package enum Text: Hashable, Sendable {
        /// The whole message or part.
        case all
        case header
        case headerFields([[UInt8]])
        case headerFieldsNot([[UInt8]])
        case text
        /// The MIME header of a part; only after part numbers.
        case mime
    }

    /// Part numbers from 1; empty for the message itself.
    package let part: [Int]
    package let text: Text

    package init(part: [Int] = [], _ text: Text = .all) {
        self.part = part
        self.text = text
    }

    package static let maximumDepth = 32
}

/// `<origin.length>`: a piece of a section, in octets.
package struct PartialRange: Hashable, Sendable {
    package let origin: Int
    /// At least 1.
    package let length: Int

    package init(origin: Int, length: Int) {
        self.origin = origin
        self.length = length
    }

    /// The piece of `range`, cut at its end; empty when it begins behind it.
    package func applied(to range: Range<Int>) -> Range<Int> {
        let start = range.lowerBound + min(origin, range.count)
        return start..<(start + min(length, range.upperBound - start))
    }
}
