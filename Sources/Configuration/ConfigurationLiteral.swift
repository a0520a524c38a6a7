// A value as it stands in the file, before anyone has asked whether it makes sense.

internal import TOMLKit

/// One value of a TOML file, of the kinds that a key of ours can have.
package indirect enum ConfigurationLiteral: Hashable, Sendable {
    case boolean(Bool)
    case integer(Int)
    case text(String)
    case list([ConfigurationLiteral])
    /// A fraction, a date, a table: no key takes one; the text names it.
    case unusable(String)

    init(_ value: any TOMLValueConvertible) {
        switch value.type {
        case .bool: self = value.bool.map(ConfigurationLiteral.boolean) ?? .unusable("boolean")
        case .int: self = value.int.map(ConfigurationLiteral.integer) ?? .unusable("integer")
        case .string: self = value.string.map(ConfigurationLiteral.text) ?? .unusable("string")
        case .array: self = .list(value.array?.map { ConfigurationLiteral($0) } ?? [])
        case .table, .double, .date, .time, .dateTime: self = .unusable("a \(value.type)")
        }
    }
}

extension ConfigurationLiteral: CustomStringConvertible {
    /// As TOML writes it.
    package var description: String {
        switch self {
        case .boolean(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .text(let value): ConfigurationLiteral.quoted(value)
        case .list(let values): "[" + values.map(\.description).joined(separator: ", ") + "]"
        case .unusable(let name): name
        }
    }

    /// For a shell: text without quotes, a list one entry a line.
    package var plain: String {
        switch self {
        case .text(let value): value
        case .list(let values): values.map(\.plain).joined(separator: "\n")
        case .boolean, .integer, .unusable: description
        }
    }

    private static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\t": out += "\\t"
            default:
                if scalar.value < 0x20 || scalar.value == 0x7F {
                    out += "\\u00" + (scalar.value < 0x10 ? "0" : "") + String(scalar.value, radix: 16)
                } else {
                    out.unicodeScalars.append(scalar)
                }
            }
        }
        return out + "\""
    }
}
