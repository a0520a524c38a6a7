// Replies as a client reads them: bounded in line length and number of lines, whatever the server sends.

package import MailModel

/// A reply from a server, with the bytes that it was.
package struct ReceivedReply: Sendable, Hashable {
    /// 200 to 599.
    package let code: Int
    /// From the last line, if its class agrees with the code (RFC 2034 §4).
    package let status: EnhancedStatus?
    /// Text behind the code, the status included, a line each.
    package let lines: [[UInt8]]
    /// Exactly what was received, line ends included.
    package let bytes: [UInt8]

    package var replyClass: Reply.Class {
        switch code {
        case ..<300: .positive
        case ..<400: .intermediate
        case ..<500: .temporary
        default: .permanent
        }
    }
}

/// Bytes to replies (RFC 5321 §4.2.1).
package struct ReplyParser: Sendable {
    package static let lineLimit = 2048
    package static let linesLimit = 100

    package enum Result: Sendable, Equatable {
        case reply(ReceivedReply)
        /// Not SMTP, or without bounds; the connection is no use.
        case invalid
    }

    private var buffer: [UInt8] = []
    private var scanned = 0
    private var raw: [UInt8] = []
    private var code: Int?
    private var lines: [[UInt8]] = []

    package init() {}

    /// Nothing is held: the server has said no more than it was asked.
    package var isEmpty: Bool { buffer.isEmpty && lines.isEmpty }

    package var count: Int { buffer.count }

    package mutating func append(_ bytes: some Collection<UInt8>) { buffer.append(contentsOf: bytes) }

    package mutating func removeAll() { self = ReplyParser() }

    /// The next whole reply; nil until more comes. A line that ends in LF alone is taken: only our side must be strict.
    package mutating func next() -> Result? {
        while let newline = buffer[scanned...].firstIndex(of: 10) {
            let line = Array(buffer[...newline])
            buffer.removeFirst(newline + 1)
            scanned = 0
            guard line.count <= ReplyParser.lineLimit, lines.count < ReplyParser.linesLimit, let isLast = take(line)
            else {
                return .invalid
            }
            if isLast { return finish() }
        }
        scanned = buffer.count
        return buffer.count > ReplyParser.lineLimit ? .invalid : nil
    }

    /// Whether this was the last line; nil if it is no reply line, or its code differs from the first line's.
    private mutating func take(_ line: [UInt8]) -> Bool? {
        var text = line.dropLast()
        if text.last == 13 { text = text.dropLast() }
        guard let value = text.prefix(3).decimalValue, text.count >= 3, (200...599).contains(value),
            code == nil || code == value
        else { return nil }
        let separator = text.dropFirst(3).first
        guard separator == nil || separator == UInt8(ascii: " ") || separator == UInt8(ascii: "-") else { return nil }
        code = value
        raw += line
        lines.append(Array(text.dropFirst(4)))
        return separator != UInt8(ascii: "-")
    }

    private mutating func finish() -> Result {
        defer { (raw, code, lines) = ([], nil, []) }
        guard let code, let last = lines.last else { return .invalid }
        let word = last.prefix { $0 != UInt8(ascii: " ") }
        let status = EnhancedStatus(parsing: word).flatMap { Int($0.statusClass.rawValue) == code / 100 ? $0 : nil }
        return .reply(ReceivedReply(code: code, status: status, lines: lines, bytes: raw))
    }
}
