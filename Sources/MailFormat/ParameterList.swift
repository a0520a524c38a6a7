// Parameters of MIME fields, with the continuations and character sets of RFC 2231 joined.
// Invariant: at most `maximumSegments` parameters are read, so joining is bounded however they are ordered.

internal import MailModel

/// One parameter: `name=value`.
package struct MIMEParameter: Hashable, Sendable {
    /// As written, without RFC 2231 marks but a last `*`: the value is extended.
    package let name: [UInt8]
    /// Unquoted. An extended value stays `charset'language'percent-encoded`, which is how IMAP clients expect it.
    package let value: [UInt8]

    package init(name: [UInt8], value: [UInt8]) {
        self.name = name
        self.value = value
    }
}

/// The parameters of one field, in the order in which their names first appear.
package struct ParameterList: Hashable, Sendable {
    /// Parameters and parts of parameters beyond this number are not read.
    package static let maximumSegments = 1000

    package private(set) var parameters: [MIMEParameter] = []

    package init() {}

    /// The value of a parameter as UTF-8, RFC 2231 and (as many mailers do) RFC 2047 decoded.
    package func decoded(_ name: StaticString) -> [UInt8]? {
        for parameter in parameters {
            if parameter.name.equalsIgnoringASCIICase(name) { return EncodedWord.decode(parameter.value[...]) }
            if parameter.name.last == UInt8(ascii: "*"), parameter.name.dropLast().equalsIgnoringASCIICase(name) {
                return ParameterList.extendedValue(parameter.value)
            }
        }
        return nil
    }

    /// Reads `; name=value` as often as it comes; what cannot be read is passed over up to the next `;`.
    init(reading lexer: inout FieldLexer) {
        var segments: [Segment] = []
        while segments.count < ParameterList.maximumSegments, let token = lexer.next() {
            guard case .atom(let name) = token else { continue }
            guard lexer.next() == .special(UInt8(ascii: "=")) else { continue }
            segments.append(Segment(name, ParameterList.value(&lexer)))
        }
        parameters = ParameterList.joined(segments)
    }

    /// A token or quoted string; a token with bytes that should be quoted (`name=a b.pdf`) goes up to the `;`.
    private static func value(_ lexer: inout FieldLexer) -> [UInt8] {
        switch lexer.next() {
        case .quoted(let text): return text
        case .atom(let text):
            let rest = lexer.raw(until: UInt8(ascii: ";"))
            let isComment = rest.first { !$0.isBlank } == UInt8(ascii: "(")
            return isComment ? text : text + rest
        case .literal(let text): return text
        case .special(let byte):
            return byte == UInt8(ascii: ";") ? [] : [byte] + lexer.raw(until: UInt8(ascii: ";"))
        case nil: return []
        }
    }

    /// Puts parts `name*0`, `name*1` … together (RFC 2231 §3); the first gap ends the value.
    private static func joined(_ segments: [Segment]) -> [MIMEParameter] {
        var order: [[UInt8]] = []
        var groups: [[UInt8]: [Segment]] = [:]
        for segment in segments {
            let key = segment.base.asciiLowercased
            if groups[key] == nil { order.append(key) }
            groups[key, default: []].append(segment)
        }
        return order.compactMap { groups[$0].flatMap(value(ofParts:)) }
    }

    private static func value(ofParts parts: [Segment]) -> MIMEParameter? {
        let numbered = parts.filter { $0.number != nil }.sorted { ($0.number ?? 0) < ($1.number ?? 0) }
        guard let first = numbered.first, first.number == 0 else {
            // A plain value and an extended one of the same name: RFC 2231 §4 readers take the extended.
            guard let chosen = parts.first(where: { $0.number == nil && $0.isExtended }) ?? parts.first else { return nil }
            return MIMEParameter(name: chosen.isExtended ? chosen.base + [UInt8(ascii: "*")] : chosen.base, value: chosen.value)
        }
        let isExtended = numbered.contains(where: \.isExtended)
        var value: [UInt8] = isExtended && !first.isExtended ? Array("''".utf8) : []
        var expected = 0
        for part in numbered where part.number == expected {
            value += isExtended && !part.isExtended ? percentEncoded(part.value) : part.value
            expected += 1
        }
        return MIMEParameter(name: isExtended ? first.base + [UInt8(ascii: "*")] : first.base, value: value)
    }

    private static func percentEncoded(_ text: [UInt8]) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        return text.flatMap { byte -> [UInt8] in
            if byte > 0x20, byte < 0x7F, byte != UInt8(ascii: "%"), byte != UInt8(ascii: "'"), byte != UInt8(ascii: "*") {
                return [byte]
            }
            return [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }

    /// RFC 2231 §4 `charset'language'text` as UTF-8; an unknown character set is read as UTF-8.
    private static func extendedValue(_ value: [UInt8]) -> [UInt8] {
        let parts = value.split(separator: UInt8(ascii: "'"), maxSplits: 2, omittingEmptySubsequences: false)
        let text = parts.count == 3 ? parts[2] : value[...]
        var octets: [UInt8] = []
        var index = text.startIndex
        while index < text.endIndex {
            if text[index] == UInt8(ascii: "%"), let octet = hexPair(text, at: index + 1) {
                octets.append(octet)
                index += 3
            } else {
                octets.append(text[index])
                index += 1
            }
        }
        return ((parts.count == 3 ? Charset(name: parts[0]) : nil) ?? .utf8).utf8(octets)
    }
}

/// A parameter as written: `base*number*=value`.
private struct Segment {
    let base: [UInt8]
    let number: Int?
    let isExtended: Bool
    let value: [UInt8]

    init(_ name: [UInt8], _ value: [UInt8]) {
        var name = name[...]
        self.value = value
        isExtended = name.last == UInt8(ascii: "*") && name.count > 1
        if isExtended { name = name.dropLast() }
        if let star = name.lastIndex(of: UInt8(ascii: "*")), star > name.startIndex,
            let value = name[(star + 1)...].decimalValue {
            number = value
            name = name[..<star]
        } else {
            number = nil
        }
        base = Array(name)
    }
}
