// A refusal as SMTP will say it: the code decides what it is, and foreign text cannot add a line.

package import MailModel

/// A reply of class 4 or 5, from a milter or because of one.
package struct MilterRefusal: Sendable, Hashable {
    /// 400 to 599.
    package let code: Int
    package let status: EnhancedStatus?
    /// Text without code and status: at least one line, no control characters.
    package let lines: [[UInt8]]

    private init(_ code: Int, _ status: EnhancedStatus?, lines: [[UInt8]]) {
        self.code = code
        self.status = status
        self.lines = lines
    }

    private init(_ code: Int, _ status: EnhancedStatus, _ text: StaticString) {
        self.init(code, status, lines: [text.withUTF8Buffer { Array($0) }])
    }

    package static let rejected = MilterRefusal(550, .init(.permanent, 7, 1), "Command rejected")
    package static let deferred = MilterRefusal(451, .init(.temporary, 7, 1), "Service unavailable, try again later")
    /// The milter failed, and the configuration says that mail then waits.
    package static let failed = MilterRefusal(451, .init(.temporary, 3, 0), "Content filter unavailable, try again later")
    package static let shutdown = MilterRefusal(421, .init(.temporary, 3, 0), "Service unavailable, closing connection")

    package var isTemporary: Bool { code < 500 }
    /// 421 announces the end of the connection (RFC 5321 §3.8).
    package var closesConnection: Bool { code == 421 }

    private static let lineLimit = 32
    private static let lengthLimit = 980

    /// The text of REPLYCODE, `550 5.7.1 no` or lines of it (RFC 5321 §4.2.1); nil unless every line has the same code.
    ///
    /// A status of another class than the code is given the code's (RFC 2034 §4). `%` comes doubled, as libmilter's
    /// users must write it for sendmail.
    package init?(parsing text: some BidirectionalCollection<UInt8>) {
        var texts = text.split(separator: 10, omittingEmptySubsequences: false).map { line in
            line.last == 13 ? Array(line.dropLast()) : Array(line)
        }
        if texts.count > 1, texts.last?.isEmpty == true { texts.removeLast() }
        guard texts.count <= MilterRefusal.lineLimit, let code = texts[0].prefix(3).decimalValue, (400..<600).contains(code)
        else { return nil }
        var status: EnhancedStatus?
        var lines: [[UInt8]] = []
        for line in texts {
            guard line.count <= MilterRefusal.lengthLimit, line.prefix(3).elementsEqual(texts[0].prefix(3)) else { return nil }
            let separator = line.dropFirst(3).first
            guard separator == nil || separator == 0x20 || separator == UInt8(ascii: "-") else { return nil }
            let (found, rest) = MilterRefusal.status(of: line.dropFirst(4), code)
            status = status ?? found
            lines.append(MilterRefusal.printable(rest))
        }
        self.init(code, status, lines: lines)
    }

    private static func status(of line: ArraySlice<UInt8>, _ code: Int) -> (EnhancedStatus?, ArraySlice<UInt8>) {
        let word = line.prefix { $0 != 0x20 }
        guard let status = EnhancedStatus(parsing: word) else { return (nil, line) }
        let corrected = EnhancedStatus(code < 500 ? .temporary : .permanent, status.subject, status.detail)
        return (corrected, line.dropFirst(word.count + 1))
    }

    private static func printable(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        var isSecondPercent = false
        for byte in text {
            let isPercent = byte == UInt8(ascii: "%")
            if isPercent, isSecondPercent { isSecondPercent = false; continue }
            isSecondPercent = isPercent
            out.append(byte >= 0x20 && byte != 0x7F ? byte : UInt8(ascii: "?"))
        }
        return out
    }
}
