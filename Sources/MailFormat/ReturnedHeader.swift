// The header of an original message, made fit to be returned in a notice.
// Invariant: CRLF lines of at most 998 bytes, UTF-8, none of which can be taken for a boundary.

internal import MailModel

struct ReturnedHeader {
    private(set) var bytes: [UInt8] = []
    /// The identifiers for `In-Reply-To:` and `References:` of the notice, checked to be ASCII.
    let messageID: [UInt8]?
    let references: [[UInt8]]

    init(_ original: [UInt8]) {
        let section = HeaderSection(of: original)
        messageID = ReturnedHeader.identifiers("Message-ID", section, original).first
        references = ReturnedHeader.identifiers("References", section, original).suffix(20)
        let end = min(section.bodyStart, section.range.lowerBound + BounceMessage.maximumHeader)
        original.withUnsafeBytes { raw in
            var lines = LineReader(raw, in: section.range.lowerBound..<end)
            while let line = lines.next(), !line.isBlank { append(raw[line.content]) }
        }
    }

    private mutating func append(_ content: Slice<UnsafeRawBufferPointer>) {
        // No field name of mail begins with two hyphens; a boundary does.
        if content.starts(with: [UInt8(ascii: "-"), UInt8(ascii: "-")]) { return }
        let text = Charset.utf8.utf8(content).map { byte in
            byte < 0x20 && byte != 0x09 || byte == 0x7F ? UInt8(ascii: "?") : byte
        }
        // A cut may split a character; its rest becomes U+FFFD, within the room that is left.
        bytes += (text.count > 998 ? Charset.utf8.utf8(text.prefix(990)) : text) + [0x0D, 0x0A]
    }

    private static func identifiers(_ name: StaticString, _ section: HeaderSection, _ bytes: [UInt8]) -> [[UInt8]] {
        guard let field = section.first(name, in: bytes) else { return [] }
        return messageIDs(in: bytes[field.value]).filter { id in
            id.count <= 250 && id.allSatisfy { $0 > 0x20 && $0 < 0x7F }
        }
    }
}
