// The header of a message that one of our users submits: who it says that it is from, what it lacks, and what is wrong with it.

/// Fields that a message lacks and a submission server may add (RFC 6409 §8.2, §8.3).
package struct MissingFields: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let date = MissingFields(rawValue: 1)
    package static let messageID = MissingFields(rawValue: 2)
}

/// What a submission server must know of a header.
package struct SubmittedHeader: Hashable, Sendable {
    /// Why nobody should send such a header, or could be sure what it says.
    package enum Flaw: Hashable, Sendable {
        /// It does not end within what was looked at, or has more fields than are kept.
        case tooLong
        /// CR or LF alone: two programs could read two different headers.
        case bareLineEnd
        /// Bytes above 127, for which SMTPUTF8 must be asked (RFC 6532 §3.2).
        case eightBit
        /// RFC 5322 §3.6 allows one From and one Sender.
        case repeated(StaticName)
    }

    package enum StaticName: String, Hashable, Sendable { case from = "From", sender = "Sender" }

    package private(set) var missing: MissingFields = []
    /// Nil without a From field; empty if it names nobody.
    package private(set) var from: [HeaderMailbox]?
    package private(set) var sender: [HeaderMailbox]?
    private let flaws: [Flaw]

    /// Reads the header that `bytes` begin with; `isWhole` says whether they are the whole message.
    package init(of bytes: [UInt8], isWhole: Bool) {
        let section = HeaderSection(of: bytes)
        var flaws: [Flaw] = []
        if section.isTruncated || (!isWhole && section.range.upperBound == bytes.count) { flaws.append(.tooLong) }
        let (isBare, isEightBit) = SubmittedHeader.scan(bytes, section.range)
        if isBare { flaws.append(.bareLineEnd) }
        for name in [StaticName.from, .sender] {
            let fields = section.all(name.rawValue.utf8, in: bytes)
            if fields.count > 1 { flaws.append(.repeated(name)) }
            guard !fields.isEmpty else { continue }
            let mailboxes = fields.flatMap { AddressList(parsing: bytes[$0.value]).mailboxes }
            if name == .from { from = mailboxes } else { sender = mailboxes }
        }
        if isEightBit { flaws.append(.eightBit) }
        self.flaws = flaws
        if section.first("date", in: bytes) == nil { missing.insert(.date) }
        if section.first("message-id", in: bytes) == nil { missing.insert(.messageID) }
    }

    /// The first thing for which the message is refused; `isUTF8`: SMTPUTF8 was asked for.
    package func flaw(isUTF8: Bool) -> Flaw? { flaws.first { !isUTF8 || $0 != .eightBit } }

    private static func scan(_ bytes: [UInt8], _ range: Range<Int>) -> (isBare: Bool, isEightBit: Bool) {
        var (isBare, isEightBit, previous) = (false, false, UInt8(0))
        for byte in bytes[range] {
            if byte >= 0x80 { isEightBit = true }
            if (byte == 0x0A) != (previous == 0x0D) { isBare = true }
            previous = byte
        }
        // The first byte of a body that begins in the middle of a line end is none of the header.
        return (isBare || previous == 0x0D, isEightBit)
    }
}

/// The longest line of content that comes in pieces.
package struct LineMeasure: Hashable, Sendable {
    /// Octets, the line end included.
    package private(set) var longest = 0
    private var current = 0

    package init() {}

    package mutating func take(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { raw in
            var start = 0
            while start < raw.count {
                let feed = lineFeed(in: raw, from: start, to: raw.count)
                current += min(feed + 1, raw.count) - start
                longest = max(longest, current)
                if feed < raw.count { current = 0 }
                start = feed + 1
            }
        }
    }
}
