// What macros stand for (RFC 7208 §7.2, §7.3). No expansion grows beyond what a name or a reply may have.

internal import MailModel

/// Whatever a macro may ask for.
struct SPFMacroValues: Sendable {
    let localPart: [UInt8]
    let senderDomain: [UInt8]
    /// `<domain>` of the record in hand.
    let domain: [UInt8]
    let client: IPAddress
    let hello: [UInt8]
    /// `unknown` if there is none (RFC 7208 §7.3).
    let validatedName: [UInt8]
    let receiver: [UInt8]
    /// Seconds since 1970.
    let time: Int

    func value(_ letter: SPFMacro.Letter) -> [UInt8] {
        switch letter {
        case .sender: localPart + [UInt8(ascii: "@")] + senderDomain
        case .localPart: localPart
        case .senderDomain: senderDomain
        case .domain: domain
        case .address: client.dotted
        case .validatedName: validatedName
        case .family: Array((client.family == .four ? "in-addr" : "ip6").utf8)
        case .hello: hello
        case .readableAddress: client.text
        case .receiver: receiver
        case .time: Array(String(time).utf8)
        }
    }
}

extension SPFMacro {
    /// The target name; nil if what comes out is none.
    func name(_ values: SPFMacroValues) -> DNSName? {
        // RFC 8616 §4: a local part that is not ASCII matches nothing.
        if needsLocalPart, !values.localPart.allSatisfy({ $0 < 0x80 }) { return nil }
        var out: [UInt8] = []
        for piece in pieces {
            append(piece, values, to: &out)
            // Only the end of a long name counts, whatever stands before it.
            if out.count > 1024 { out.removeFirst(out.count - 512) }
        }
        if out.last == UInt8(ascii: ".") { out.removeLast() }
        // RFC 7208 §7.3: labels are dropped from the left until the rest fits.
        if out.count > 253 {
            guard let dot = out[(out.count - 254)...].firstIndex(of: UInt8(ascii: ".")) else { return nil }
            out.removeFirst(dot + 1)
        }
        return DNSName(parsing: out)
    }

    /// The text of an explanation, at most `limit` bytes; nil unless it is printable ASCII (RFC 7208 §6.2).
    func text(_ values: SPFMacroValues, limit: Int) -> [UInt8]? {
        var out: [UInt8] = []
        for piece in pieces {
            append(piece, values, to: &out)
            if out.count > limit {
                out.removeLast(out.count - limit)
                break
            }
        }
        return out.allSatisfy { $0 >= 0x20 && $0 < 0x7F } ? out : nil
    }

    private func append(_ piece: Piece, _ values: SPFMacroValues, to out: inout [UInt8]) {
        switch piece {
        case .literal(let text): out += text
        case .expansion(let expansion):
            let value = expansion.transformed(values.value(expansion.letter))
            if expansion.isEscaped { URLEscape.append(value, to: &out) } else { out += value }
        }
    }
}

extension SPFMacro.Expansion {
    /// Split, turned round, cut, and joined with dots (RFC 7208 §7.3).
    fileprivate func transformed(_ value: [UInt8]) -> [UInt8] {
        if kept == nil, !isReversed, delimiters.isEmpty { return value }
        let marks = delimiters.isEmpty ? [UInt8(ascii: ".")] : delimiters
        var parts = value.split(omittingEmptySubsequences: false) { marks.contains($0) }
        if isReversed { parts.reverse() }
        if let kept, kept < parts.count { parts.removeFirst(parts.count - kept) }
        return Array(parts.joined(separator: [UInt8(ascii: ".")]))
    }
}

/// RFC 3986 §2.3: what is not unreserved becomes `%XX`.
private enum URLEscape {
    static func append(_ value: [UInt8], to out: inout [UInt8]) {
        for byte in value {
            if byte.isASCIILetter || byte.isASCIIDigit || "-._~".utf8.contains(byte) {
                out.append(byte)
            } else {
                out += [UInt8(ascii: "%"), upper(byte >> 4), upper(byte & 15)]
            }
        }
    }

    private static func upper(_ nibble: UInt8) -> UInt8 { nibble < 10 ? 0x30 + nibble : 0x37 + nibble }
}
