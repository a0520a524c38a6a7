// Response text under construction. A CR, LF or NUL of foreign text never stands outside a literal.

internal import MailModel

/// Prints the tokens of RFC 3501 §9.
struct ResponsePrinter: Sendable {
    private(set) var bytes: [UInt8] = []

    var isEmpty: Bool { bytes.isEmpty }

    mutating func take() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }

    mutating func raw(_ text: StaticString) { text.withUTF8Buffer { bytes.append(contentsOf: $0) } }
    mutating func raw(_ text: some Sequence<UInt8>) { bytes.append(contentsOf: text) }
    mutating func number(_ value: some BinaryInteger) { bytes.append(contentsOf: String(value).utf8) }
    mutating func endLine() { raw("\r\n") }

    /// `nstring`.
    mutating func nstring(_ text: (some Collection<UInt8>)?) {
        guard let text else { return raw("NIL") }
        string(text)
    }

    /// `string`: quoted where that is possible, else a literal.
    mutating func string(_ text: some Collection<UInt8>) {
        guard text.count <= 1000, text.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else {
            literalHeader(text.count)
            return raw(text)
        }
        raw("\"")
        for byte in text {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { raw("\\") }
            bytes.append(byte)
        }
        raw("\"")
    }

    /// `astring`: an atom where that is possible; `NIL` would be read as none.
    mutating func astring(_ text: some Collection<UInt8>) {
        if !text.isEmpty, text.allSatisfy(\.isAStringCharacter), !text.equalsIgnoringASCIICase("NIL") { return raw(text) }
        string(text)
    }

    mutating func literalHeader(_ size: Int) {
        raw("{")
        number(size)
        raw("}\r\n")
    }

    mutating func mailbox(_ name: MailboxName) { astring(name.wire) }

    /// A flag list in parentheses.
    mutating func flags(_ flags: Flags) {
        raw("(")
        var isFirst = true
        for (flag, name) in SystemFlags.names where flags.system.contains(flag) {
            if !isFirst { raw(" ") }
            raw(name)
            isFirst = false
        }
        for keyword in flags.keywords {
            if !isFirst { raw(" ") }
            raw(keyword.bytes)
            isFirst = false
        }
        raw(")")
    }

    /// `uid-set` (RFC 4315 §4), its order kept: COPYUID pairs its two sets by place.
    mutating func uidSet(_ uids: [UID]) {
        var index = 0
        while index < uids.count {
            if index > 0 { raw(",") }
            let first = uids[index]
            var last = first
            while index + 1 < uids.count, last.value < .max, uids[index + 1].value == last.value + 1 {
                index += 1
                last = uids[index]
            }
            number(first.value)
            if last != first {
                raw(":")
                number(last.value)
            }
            index += 1
        }
    }
}
