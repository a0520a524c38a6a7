// What `--json` prints: values in the order in which they were written down (RFC 8259).

/// A JSON value; the members of an object keep their order.
indirect enum JSONValue: Hashable, Sendable {
    case null
    case boolean(Bool)
    case number(Int)
    case text(String)
    case array([JSONValue])
    case object([Member])

    struct Member: Hashable, Sendable {
        let name: String
        let value: JSONValue
    }

    static func object(_ members: KeyValuePairs<String, JSONValue>) -> JSONValue {
        .object(members.map { Member(name: $0.key, value: $0.value) })
    }

    static func text(_ bytes: [UInt8]) -> JSONValue { .text(String(decoding: bytes, as: UTF8.self)) }
    static func optional(_ number: (some BinaryInteger)?) -> JSONValue { number.map { .number(Int(clamping: $0)) } ?? .null }
    static func optional(_ text: String?) -> JSONValue { text.map(JSONValue.text) ?? .null }
}

extension JSONValue: CustomStringConvertible {
    var description: String {
        switch self {
        case .null: "null"
        case .boolean(let value): "\(value)"
        case .number(let value): "\(value)"
        case .text(let value): JSONValue.quoted(value)
        case .array(let values): "[" + values.map(\.description).joined(separator: ", ") + "]"
        case .object(let members): "{" + members.map { "\(JSONValue.quoted($0.name)): \($0.value)" }.joined(separator: ", ") + "}"
        }
    }

    /// One entry of a list a line: readable, and `grep` finds whole objects.
    var page: String {
        guard case .array(let values) = self, !values.isEmpty else { return description }
        return "[\n  " + values.map(\.description).joined(separator: ",\n  ") + "\n]"
    }

    /// RFC 8259 §7: quotes, backslashes and control characters are escaped.
    private static func quoted(_ text: String) -> String {
        var out: [UInt8] = [0x22]
        for byte in text.utf8 {
            switch byte {
            case 0x22, 0x5C: out += [0x5C, byte]
            case 0x0A: out += Array("\\n".utf8)
            case 0x0D: out += Array("\\r".utf8)
            case 0x09: out += Array("\\t".utf8)
            case 0..<0x20, 0x7F: out += Array("\\u00".utf8) + hexadecimal(byte)
            default: out.append(byte)
            }
        }
        return String(decoding: out + [0x22], as: UTF8.self)
    }

    private static func hexadecimal(_ byte: UInt8) -> [UInt8] {
        [byte >> 4, byte & 15].map { $0 < 10 ? 0x30 + $0 : 0x57 + $0 }
    }
}
