// What the store's side of SEARCH calls: conditions on content, decided from the bytes of one message.
// Text is compared decoded: transfer encodings, encoded words and the charsets that we read.

internal import MailFormat
internal import MailModel

/// The `ContentKey`s of one SEARCH, prepared for many messages.
package struct ContentMatcher: Sendable {
    /// Decoded text beyond this many bytes of a part is not searched.
    package static let partLimit = 4 << 20

    private let keys: [ContentKey]
    private let patterns: [TextPattern]

    package init(_ keys: [ContentKey]) {
        self.keys = keys
        patterns = keys.map { TextPattern($0.searchedText) }
    }

    /// Whether any condition looks behind the header.
    package var needsBody: Bool {
        keys.contains { key in
            switch key {
            case .body, .text: true
            case .larger, .smaller, .received, .sent, .header: false
            }
        }
    }

    /// Whether any condition looks at the message's bytes at all.
    package var needsHeader: Bool {
        keys.contains { key in
            switch key {
            case .body, .text, .sent, .header: true
            case .larger, .smaller, .received: false
            }
        }
    }

    /// One value a condition. `bytes` is the whole message if `needsBody`, its header if `needsHeader`, else empty.
    package func matches(size: Int, internalDate: InternalDate, bytes: [UInt8]) -> [Bool] {
        let header = HeaderSection(of: bytes)
        let texts = needsBody ? MessageTexts(bytes) : nil
        return zip(keys, patterns).map { key, pattern in
            switch key {
            case .larger(let limit): size > limit
            case .smaller(let limit): size < limit
            case .received(let order, let day): order.holds(internalDate.day, day)
            case .sent(let order, let day): sentDay(header, bytes).map { order.holds($0, day) } ?? false
            case .header(let name, _):
                header.all(name, in: bytes).contains { pattern.isFound(in: MessageTexts.decoded(bytes[$0.value])) }
            case .body: texts.map { $0.bodies.contains(where: pattern.isFound) } ?? false
            case .text: texts.map { ($0.headers + $0.bodies).contains(where: pattern.isFound) } ?? false
            }
        }
    }

    private func sentDay(_ header: HeaderSection, _ bytes: [UInt8]) -> CalendarDay? {
        guard let field = header.first("Date", in: bytes) else { return nil }
        return MailDate(parsing: bytes[field.value]).map { CalendarDay($0.civil) }
    }
}

/// The searchable texts of one message.
private struct MessageTexts {
    var headers: [FoldedText] = []
    var bodies: [FoldedText] = []

    init(_ bytes: [UInt8]) {
        for part in MIMEStructure(of: bytes).parts {
            headers.append(MessageTexts.decoded(bytes[part.header]))
            guard part.kind == .leaf, part.contentType.isText else { continue }
            let octets = part.encoding.decode(bytes[part.body], limit: ContentMatcher.partLimit)
            let charset = part.contentType.parameters.decoded("charset").flatMap { Charset(name: $0) } ?? .utf8
            bodies.append(FoldedText(charset.utf8(octets)))
        }
    }

    /// Header text: unfolded, encoded words decoded.
    static func decoded(_ text: ArraySlice<UInt8>) -> FoldedText {
        FoldedText(EncodedWord.decode(text.filter { $0 != 0x0D && $0 != 0x0A }[...]))
    }
}

extension ContentKey {
    fileprivate var searchedText: [UInt8] {
        switch self {
        case .header(_, let text), .body(let text), .text(let text): text
        case .larger, .smaller, .received, .sent: []
        }
    }
}

extension ContentKey.Order {
    fileprivate func holds(_ day: CalendarDay, _ limit: CalendarDay) -> Bool {
        switch self {
        case .before: day < limit
        case .on: day == limit
        case .since: day >= limit
        }
    }
}
