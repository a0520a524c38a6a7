// Which answers of a DNS list mean something: a pattern over 127.0.0.0/8.

internal import MailModel

/// A set of answers, as `127.0.0.2`, `127.0.0.2-11` or `127.0.*.1-3`.
package struct ListCode: Hashable, Sendable {
    private let parts: [ClosedRange<UInt8>]

    /// RFC 5782 §2.3: listed, whatever the kind; 127.0.0.1 and 127.0.0.255 are nobody's, and 127.255 tells errors.
    package static let any = ListCode(parts: [127...127, 0...0, 0...0, 2...254])

    private init(parts: [ClosedRange<UInt8>]) { self.parts = parts }

    /// Nil for anything but four parts of which the first is 127.
    package init?(parsing text: some Collection<UInt8>) {
        let words = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard words.count == 4 else { return nil }
        var parts: [ClosedRange<UInt8>] = []
        for word in words {
            guard let range = ListCode.range(Array(word)) else { return nil }
            parts.append(range)
        }
        guard parts[0] == 127...127 else { return nil }
        self.init(parts: parts)
    }

    package init?(_ text: String) { self.init(parsing: Array(text.utf8)) }

    private static func range(_ word: [UInt8]) -> ClosedRange<UInt8>? {
        if word == [UInt8(ascii: "*")] { return 0...255 }
        let ends = word.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false).map(\.decimalValue)
        guard ends.count <= 2, let first = ends[0], let last = ends[ends.count - 1], first <= last, last <= 255 else { return nil }
        return UInt8(first)...UInt8(last)
    }

    package func contains(_ address: IPAddress) -> Bool {
        address.family == .four && zip(parts, address.octets).allSatisfy { $0.contains($1) }
    }
}
