// LIST as RFC 5258 writes it; the plain LIST of RFC 3501 is the request without options.

internal import MailModel

/// What a LIST command wants to see.
package struct ListRequest: Hashable, Sendable {
    package struct Selection: OptionSet, Hashable, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }
        package static let subscribed = Selection(rawValue: 1)
        package static let remote = Selection(rawValue: 2)
        package static let specialUse = Selection(rawValue: 4)
    }

    package var selection: Selection = []
    package var patterns: [ListPattern] = []
    package var returnsSubscribed = false
    /// `RETURN (STATUS (…))` (RFC 5819).
    package var status: [StatusItem] = []
    /// The pattern was empty: the client wants the delimiter (RFC 3501 §6.3.8).
    package var asksDelimiter = false

    /// Of all patterns together, in octets: matching costs their length for each octet of each name.
    package static let maximumPatternLength = 1024
}

/// A mailbox pattern: `*` is anything, `%` anything but the delimiter.
package struct ListPattern: Hashable, Sendable {
    /// In modified UTF-7, the reference before it.
    package let bytes: [UInt8]

    package init?(reference: [UInt8], pattern: [UInt8]) {
        bytes = reference + pattern
        guard bytes.count <= ListRequest.maximumPatternLength, bytes.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else { return nil }
    }

    /// Whether the whole name matches. Steps all places in the pattern at once: no backtracking to exploit.
    package func matches(_ name: MailboxName) -> Bool {
        let isBelowInbox = name.levels.first?.elementsEqual(MailboxName.inbox.utf8) == true
        var places = [Bool](repeating: false, count: bytes.count + 1)
        reach(0, in: &places)
        for (index, byte) in name.wire.enumerated() {
            places[bytes.count] = false
            // From the right, so that a place reached by this byte is not stepped on by it again.
            for place in bytes.indices.reversed() where places[place] {
                let wanted = bytes[place]
                places[place] = false
                if wanted == UInt8(ascii: "*") || (wanted == UInt8(ascii: "%") && byte != MailboxName.delimiter) {
                    reach(place, in: &places)
                } else if wanted == byte || (isBelowInbox && index < 5 && wanted.asciiLowercased == byte.asciiLowercased) {
                    reach(place + 1, in: &places)
                }
            }
        }
        return places[bytes.count]
    }

    /// A wildcard may also match nothing, so its place and the next are both reached.
    private func reach(_ place: Int, in places: inout [Bool]) {
        var place = place
        while !places[place] {
            places[place] = true
            guard place < bytes.count, bytes[place] == UInt8(ascii: "*") || bytes[place] == UInt8(ascii: "%") else { return }
            place += 1
        }
    }
}
