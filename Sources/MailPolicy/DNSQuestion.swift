// What policy asks of DNS, and what it may be told. Who asks, and how long to wait, is decided elsewhere.

internal import MailModel

/// A name that may be asked: lower case, no final dot, at least two labels.
///
/// Any printable ASCII may stand in it, since macros put local parts there (RFC 7208 §7.3), except a backslash, which some
/// resolver libraries take for an escape.
package struct DNSName: Hashable, Sendable {
    /// 3 to 253 bytes.
    package let bytes: [UInt8]

    /// RFC 1035 §2.3.4: labels of 1 to 63 octets. A name of one label is nobody's mail domain, and is never asked.
    package init?(parsing text: some Collection<UInt8>) {
        guard text.count <= 254 else { return nil }
        var name = text.asciiLowercased
        if name.last == UInt8(ascii: ".") { name.removeLast() }
        guard name.count <= 253, name.allSatisfy({ $0 >= 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }) else { return nil }
        let labels = name.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard labels.count >= 2, labels.allSatisfy({ (1...63).contains($0.count) }) else { return nil }
        bytes = name
    }

    package init?(_ text: String) { self.init(parsing: Array(text.utf8)) }

    /// Whether this is `other` or a name below it.
    package func isWithin(_ other: DNSName) -> Bool {
        guard bytes.count > other.bytes.count else { return self == other }
        return bytes.suffix(other.bytes.count).elementsEqual(other.bytes)
            && bytes[bytes.count - other.bytes.count - 1] == UInt8(ascii: ".")
    }
}

extension DNSName: CustomStringConvertible {
    package var description: String { bytes.display }
}

/// A question to DNS: one name, one type.
package struct DNSQuestion: Hashable, Sendable {
    package enum RecordType: Hashable, Sendable, CaseIterable { case a, aaaa, mx, ptr, txt }

    package let name: DNSName
    package let type: RecordType

    package init(_ type: RecordType, _ name: DNSName) {
        self.name = name
        self.type = type
    }

    /// The address records in which an address of this family can be found.
    static func addresses(of name: DNSName, _ family: IPAddress.Family) -> DNSQuestion {
        DNSQuestion(family == .four ? .a : .aaaa, name)
    }
}

/// One record of an answer, aliases already followed.
package enum DNSDatum: Hashable, Sendable {
    case address(IPAddress)
    case exchanger(preference: UInt16, host: [UInt8])
    case pointer([UInt8])
    /// The strings of a TXT record, joined without anything between them (RFC 7208 §3.3).
    case text([UInt8])
}

/// What came of a question.
package enum DNSFinding: Hashable, Sendable {
    case found([DNSDatum])
    /// The name exists and has no such record.
    case noData
    /// The name does not exist.
    case noSuchName
    /// No usable answer: nothing may be concluded.
    case unavailable
}

extension DNSFinding {
    private var data: [DNSDatum] {
        if case .found(let data) = self { return data }
        return []
    }

    package var addresses: [IPAddress] {
        data.compactMap { if case .address(let address) = $0 { address } else { nil } }
    }
    package var texts: [[UInt8]] {
        data.compactMap { if case .text(let text) = $0 { text } else { nil } }
    }
    package var pointers: [[UInt8]] {
        data.compactMap { if case .pointer(let name) = $0 { name } else { nil } }
    }
    /// Hosts, the preferred first; the empty one is the null MX (RFC 7505 §3).
    package var exchangers: [[UInt8]] {
        var hosts: [(place: Int, preference: UInt16, host: [UInt8])] = []
        for case .exchanger(let preference, let host) in data { hosts.append((hosts.count, preference, host)) }
        return hosts.sorted { ($0.preference, $0.place) < ($1.preference, $1.place) }.map(\.host)
    }
}
