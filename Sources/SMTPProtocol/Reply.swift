// An SMTP reply as a value: one printing, and no way for foreign text to add a line to it.

package import MailModel

/// A reply of one or more lines (RFC 5321 §4.2).
package struct Reply: Sendable, Hashable {
    /// 200 to 599.
    package let code: Int
    /// Printed on every line when present (RFC 2034 §4).
    package let status: EnhancedStatus?
    /// Text without code and status; at least one line, printable, at most 400 bytes each.
    package let lines: [[UInt8]]

    package init(_ code: Int, _ status: EnhancedStatus? = nil, lines: [[UInt8]]) {
        self.code = min(max(code, 200), 599)
        self.status = status
        self.lines = lines.isEmpty ? [[]] : lines.map(Reply.printable)
    }

    package init(_ code: Int, _ status: EnhancedStatus? = nil, _ text: String) {
        self.init(code, status, lines: [Array(text.utf8)])
    }

    /// `334` and a challenge in Base64, which is not cut (RFC 4954 §4).
    package init(challenge: [UInt8]) {
        code = 334
        status = nil
        lines = [challenge]
    }

    /// A line break in the text would let its author speak for us (CWE-93), so it becomes `?`.
    private static func printable(_ text: [UInt8]) -> [UInt8] {
        text.prefix(400).map { $0 >= 0x20 && $0 != 0x7F ? $0 : UInt8(ascii: "?") }
    }

    package enum Class: Sendable { case positive, intermediate, temporary, permanent }

    package var replyClass: Class {
        switch code {
        case ..<300: .positive
        case ..<400: .intermediate
        case ..<500: .temporary
        default: .permanent
        }
    }

    /// `250-first CRLF 250 last CRLF`, as it goes over the wire.
    package var wire: [UInt8] {
        var out: [UInt8] = []
        append(to: &out)
        return out
    }

    package func append(to out: inout [UInt8]) {
        let digits = Array(String(code).utf8)
        let prefix = status.map { Array(($0.description + " ").utf8) } ?? []
        for (index, line) in lines.enumerated() {
            out += digits
            out.append(index == lines.count - 1 ? UInt8(ascii: " ") : UInt8(ascii: "-"))
            out += prefix
            out += line
            out += [13, 10]
        }
    }
}

extension EnhancedStatus {
    static func success(_ subject: UInt16, _ detail: UInt16) -> EnhancedStatus { .init(.success, subject, detail) }
    static func temporary(_ subject: UInt16, _ detail: UInt16) -> EnhancedStatus { .init(.temporary, subject, detail) }
    static func permanent(_ subject: UInt16, _ detail: UInt16) -> EnhancedStatus { .init(.permanent, subject, detail) }
}
