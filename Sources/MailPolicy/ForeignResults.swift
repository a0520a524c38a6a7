// `Authentication-Results:` that strangers wrote in our name are taken out of their mail (RFC 8601 §5): who reads it later
// believes what bears our host's name.

package import MailModel

/// Content on its way in, in pieces of any size; everything but the fields that claim our name comes out as it went in.
package struct ForeignResults: Sendable {
    private let host: [UInt8]
    private var isInHeader = true
    /// A line whose end has not come yet, from its first byte on.
    private var line: [UInt8] = []
    /// The line in hand was too long to be held: the rest of it goes the way of its beginning.
    private var isLineSplit = false
    /// The field `Authentication-Results:` in hand, whole so far.
    private var field: [UInt8]?
    private var isDropping = false

    /// Bytes of a line, or of such a field, that are held back; what claims nothing by then is taken to claim our name.
    private static let most = 16384
    private static let name = Array("authentication-results".utf8)

    package init(host: Domain) { self.host = host.bytes.asciiLowercased }

    /// The whole content at once; the same array where there is nothing to take out.
    package static func removed(from content: [UInt8], host: Domain) -> [UInt8] {
        guard mayHold(content) else { return content }
        var results = ForeignResults(host: host)
        return results.pass(content) + results.finish()
    }

    /// Whether a line of the header begins as the field does.
    private static func mayHold(_ content: [UInt8]) -> Bool {
        var start = 0
        while start < content.count {
            let first = content[start]
            if first == 13 || first == 10 { return false }
            if first | 0x20 == UInt8(ascii: "a"), isField(content[start...]) { return true }
            guard let end = content[start...].firstIndex(of: 10) else { return false }
            start = end + 1
        }
        return false
    }

    package mutating func pass(_ bytes: [UInt8]) -> [UInt8] {
        guard isInHeader else { return bytes }
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count)
        var rest = bytes[...]
        while isInHeader, !rest.isEmpty {
            let end = rest.firstIndex(of: 10)
            line += rest[..<(end.map { $0 + 1 } ?? rest.endIndex)]
            rest = end.map { rest[($0 + 1)...] } ?? []
            if end != nil || line.count >= ForeignResults.most { take(isWhole: end != nil, &out) }
        }
        return out + rest
    }

    /// What was held back; the content is over.
    package mutating func finish() -> [UInt8] {
        var out: [UInt8] = []
        if !line.isEmpty { take(isWhole: true, &out) }
        close(&out)
        return out
    }

    /// A line, or as much of it as is held.
    private mutating func take(isWhole: Bool, _ out: inout [UInt8]) {
        defer {
            line.removeAll(keepingCapacity: true)
            isLineSplit = !isWhole
        }
        let isContinued = isLineSplit || line[0] == 0x20 || line[0] == 0x09
        if !isContinued {
            close(&out)
            isDropping = false
            isInHeader = line[0] != 13 && line[0] != 10
            if isInHeader, ForeignResults.isField(line[...]) { field = [] }
        }
        if field != nil {
            // In its place: a field of a thousand folds must not be copied a thousand times.
            field?.append(contentsOf: line)
            if field?.count ?? 0 >= ForeignResults.most { close(&out, isCut: true) }
        } else if !isDropping {
            out += line
        }
    }

    /// Decides on the field in hand.
    private mutating func close(_ out: inout [UInt8], isCut: Bool = false) {
        guard let whole = field else { return }
        field = nil
        isDropping = claimant(of: whole) == host || isCut && claimant(of: whole) == nil
        if !isDropping { out += whole }
    }

    private static func isField(_ line: ArraySlice<UInt8>) -> Bool {
        guard line.prefix(name.count).asciiLowercased == name else { return false }
        // RFC 5322 §4.5: blanks before the colon were allowed once.
        return line.dropFirst(name.count).first { $0 != 0x20 && $0 != 0x09 } == UInt8(ascii: ":")
    }

    /// The `authserv-id`, lower case (RFC 8601 §2.2); nil if there is none.
    private func claimant(of field: [UInt8]) -> [UInt8]? {
        guard let colon = field.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        var rest = ForeignResults.withoutComments(field[(colon + 1)...])
        var id: [UInt8] = []
        if rest.first == UInt8(ascii: "\"") {
            rest = rest.dropFirst()
            while let byte = rest.popFirst(), byte != UInt8(ascii: "\"") {
                if byte == UInt8(ascii: "\\"), let escaped = rest.popFirst() { id.append(escaped) } else { id.append(byte) }
            }
        } else {
            id = Array(rest.prefix { $0 > 0x20 && $0 != UInt8(ascii: ";") && $0 != UInt8(ascii: "(") })
        }
        if id.last == UInt8(ascii: ".") { id.removeLast() }
        return id.isEmpty ? nil : id.asciiLowercased
    }

    /// What follows blanks and comments (RFC 5322 §3.2.2).
    private static func withoutComments(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var rest = text
        var depth = 0
        while let byte = rest.first {
            if depth > 0 {
                if byte == UInt8(ascii: "\\") { rest = rest.dropFirst() }
                if byte == UInt8(ascii: "(") { depth += 1 }
                if byte == UInt8(ascii: ")") { depth -= 1 }
            } else if byte == UInt8(ascii: "(") {
                depth = 1
            } else if byte > 0x20 {
                return rest
            }
            rest = rest.dropFirst()
        }
        return rest
    }
}
