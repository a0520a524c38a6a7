// A header field as it goes between us and a milter. Invariant: written into a header, it is one field and nothing more.

private import MailModel

/// A name and what follows its colon.
package struct MilterField: Sendable, Hashable {
    package let name: [UInt8]
    /// All between the colon and the last line end: the leading space too; folds are CRLF and a blank (RFC 5322 §2.2.3).
    package let value: [UInt8]

    /// A line of a header must be below 2048 octets (libmilter, `smfi_addheader`).
    package static let lineLimit = 2047

    /// A field that a milter asks for; nil if its name is none or a line is too long.
    ///
    /// Milters fold with LF. A line that begins without a blank gets one, lest it become a field; an empty line
    /// would end the header and goes; a CR elsewhere becomes `?`.
    package init?(name: some Collection<UInt8>, given text: some BidirectionalCollection<UInt8>, leadingSpace: Bool) {
        guard MilterField.isName(name) else { return nil }
        var value: [UInt8] = leadingSpace ? [] : [0x20]
        var length = name.count + 1 + value.count
        for (number, line) in text.split(separator: 10, omittingEmptySubsequences: false).enumerated() {
            let line = line.last == 13 ? line.dropLast() : line
            if number > 0 {
                guard line.contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 13 }) else { continue }
                value += [13, 10]
                length = 0
                if line.first != 0x20, line.first != 0x09 { value.append(0x09); length = 1 }
            }
            length += line.count
            guard length <= MilterField.lineLimit else { return nil }
            value += line.map { $0 == 13 || $0 == 0 ? UInt8(ascii: "?") : $0 }
        }
        self.name = Array(name)
        self.value = value
    }

    /// A field of the message, as it stands there.
    init(name: some Collection<UInt8>, value: some Collection<UInt8>) {
        self.name = Array(name)
        self.value = Array(value)
    }

    /// The value as HEADER shows it: LF for CRLF, and without one leading space unless the milter wants it.
    package func shown(leadingSpace: Bool) -> [UInt8] {
        let text = leadingSpace || value.first != 0x20 ? value[...] : value.dropFirst()
        var out: [UInt8] = []
        out.reserveCapacity(text.count)
        for byte in text {
            if byte == 10, out.last == 13 { out.removeLast() }
            out.append(byte)
        }
        return out
    }

    /// The field with its line end.
    package var line: [UInt8] { name + [UInt8(ascii: ":")] + value + [13, 10] }

    /// RFC 5322 §2.2: printable ASCII without the colon.
    static func isName(_ name: some Collection<UInt8>) -> Bool {
        !name.isEmpty && name.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":") }
    }
}
