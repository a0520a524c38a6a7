// XCLIENT: a mail filter that took the connection says whose it was. Postfix's extension, in no RFC; only for whom we configured.

private import MailModel

/// What one XCLIENT command says; nil is "not said", and so is `[UNAVAILABLE]` where there is nothing to replace.
package struct XClient: Sendable, Hashable {
    /// Numeric, without `IPV6:`.
    package var address: [UInt8]?
    package var port: UInt16?
    package var helo: [UInt8]?
    /// ESMTP or SMTP.
    package var isExtended: Bool?

    /// `ADDR=192.0.2.1 NAME=a.example HELO=a.example PROTO=ESMTP`, values in xtext; nil for another attribute, or one twice.
    ///
    /// NAME is checked and left aside: who the client is by DNS we find out ourselves. LOGIN is not taken, since nobody may
    /// relay here on another's word.
    init?(parsing text: ArraySlice<UInt8>) {
        let words = text.split(separator: UInt8(ascii: " "))
        guard !words.isEmpty, words.count <= 8 else { return nil }
        var seen: Set<String> = []
        for word in words {
            let parts = word.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let value = XText.decode(parts[1]), (1...255).contains(value.count),
                value.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), seen.insert(parts[0].map(\.asciiLowercased).display).inserted,
                take(parts[0].map(\.asciiLowercased).display, value)
            else { return nil }
        }
    }

    /// Those that we take, as EHLO tells them.
    static let attributes = "NAME ADDR PORT HELO PROTO"

    /// What follows the verb.
    var wire: [UInt8] {
        var words: [[UInt8]] = []
        if let address {
            let family = address.contains(UInt8(ascii: ":")) ? Array("IPV6:".utf8) : []
            words.append(Array("ADDR=".utf8) + XText.encode(family + address))
        }
        if let port { words.append(Array("PORT=\(port)".utf8)) }
        if let helo { words.append(Array("HELO=".utf8) + XText.encode(helo)) }
        if let isExtended { words.append(Array((isExtended ? "PROTO=ESMTP" : "PROTO=SMTP").utf8)) }
        return Array(words.joined(separator: [0x20]))
    }

    private mutating func take(_ name: String, _ value: [UInt8]) -> Bool {
        let isUnknown = value.equalsIgnoringASCIICase("[UNAVAILABLE]") || value.equalsIgnoringASCIICase("[TEMPUNAVAIL]")
        switch name {
        case "name": return true
        case "addr":
            // Without an address there is no client to speak of.
            guard !isUnknown, let address = XClient.address(value) else { return false }
            self.address = address
        case "port":
            guard isUnknown || value.decimalValue.flatMap(UInt16.init(exactly:)) != nil else { return false }
            port = value.decimalValue.flatMap(UInt16.init(exactly:))
        case "helo": helo = isUnknown ? nil : value
        case "proto":
            guard value.equalsIgnoringASCIICase("ESMTP") || value.equalsIgnoringASCIICase("SMTP") else { return false }
            isExtended = value.equalsIgnoringASCIICase("ESMTP")
        default: return false
        }
        return true
    }

    /// Four numbers, or the digits and colons of IPv6 behind `IPV6:`.
    private static func address(_ value: [UInt8]) -> [UInt8]? {
        if value.prefix(5).equalsIgnoringASCIICase("IPV6:") {
            let rest = Array(value.dropFirst(5))
            let isAddress = (2...45).contains(rest.count) && rest.contains(UInt8(ascii: ":"))
                && rest.allSatisfy { $0.hexValue != nil || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".") }
            return isAddress ? rest.map(\.asciiLowercased) : nil
        }
        let parts = value.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4, parts.allSatisfy({ (1...3).contains($0.count) && ($0.decimalValue ?? 256) < 256 }) else { return nil }
        return value
    }
}
