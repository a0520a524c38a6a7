// An answer of DNS, read defensively: every length is checked, every name bounded, a compression loop ends.

import MailModel
package import MailPolicy

/// The records of an answer section (RFC 1035 §4.1).
package struct DNSMessage: Hashable, Sendable {
    package enum Data: Hashable, Sendable {
        /// Four or sixteen bytes.
        case address([UInt8])
        /// A preference and a host; the root (empty) is the null MX (RFC 7505).
        case exchange(preference: UInt16, host: [UInt8])
        case alias([UInt8])
        /// The name of an address (RFC 1035 §3.3.12).
        case pointer([UInt8])
        /// A text, its pieces joined (RFC 7208 §3.3).
        case text([UInt8])
        /// Where a service is (RFC 2782).
        case service(port: UInt16, host: [UInt8])
        /// What a server's certificate is to match (RFC 6698 §2.1).
        case association(TLSARecord)
        case other(type: UInt16)
    }

    package struct Record: Hashable, Sendable {
        package let name: [UInt8]
        package let data: Data
        /// Seconds.
        package let timeToLive: UInt32
    }

    package let records: [Record]
    /// RCODE (RFC 1035 §4.1.1): 0 no error, 3 no such name.
    package let code: UInt8
    /// The server says that it has validated all of this (RFC 4035 §3.2.3); no more than its word.
    package var isAuthentic: Bool
    /// Seconds for which a missing name or record may be remembered (RFC 2308 §5); nil if the answer does not say.
    package let negativeLife: UInt32?
    /// Of the whole answer, as it came.
    let octets: Int

    private static let maximumRecords = 500

    /// Nil for bytes that are no whole answer.
    package init?(parsing bytes: [UInt8]) {
        guard bytes.count >= 12 else { return nil }
        let questions = Int(bytes[4]) << 8 | Int(bytes[5])
        let answers = Int(bytes[6]) << 8 | Int(bytes[7])
        guard questions <= 1, answers <= DNSMessage.maximumRecords else { return nil }
        var offset = 12
        for _ in 0..<questions {
            guard let (_, next) = DNSMessage.name(bytes, at: offset), next + 4 <= bytes.count else { return nil }
            offset = next + 4
        }
        var records: [Record] = []
        for _ in 0..<answers {
            guard let (record, next) = DNSMessage.record(bytes, at: offset) else { return nil }
            records.append(record)
            offset = next
        }
        self.records = records
        octets = bytes.count
        code = bytes[3] & 15
        isAuthentic = bytes[3] & 0x20 != 0
        negativeLife = DNSMessage.negativeLife(bytes, at: offset, count: Int(bytes[8]) << 8 | Int(bytes[9]))
    }

    /// The SOA of the authority section; what else is there, or is broken there, means nothing to us.
    private static func negativeLife(_ bytes: [UInt8], at start: Int, count: Int) -> UInt32? {
        var offset = start
        for _ in 0..<min(count, maximumRecords) {
            guard let (_, fixed) = name(bytes, at: offset), fixed + 10 <= bytes.count else { return nil }
            let end = fixed + 10 + (Int(bytes[fixed + 8]) << 8 | Int(bytes[fixed + 9]))
            guard end <= bytes.count else { return nil }
            if bytes[fixed] == 0, bytes[fixed + 1] == 6, end - fixed >= 32 {
                return min(number(bytes[(fixed + 4)..<(fixed + 8)]), number(bytes[(end - 4)..<end]))
            }
            offset = end
        }
        return nil
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt32 { bytes.reduce(0) { $0 << 8 | UInt32($1) } }

    private static func record(_ bytes: [UInt8], at offset: Int) -> (Record, Int)? {
        guard let (name, fixed) = name(bytes, at: offset), fixed + 10 <= bytes.count else { return nil }
        let type = UInt16(bytes[fixed]) << 8 | UInt16(bytes[fixed + 1])
        let life = number(bytes[(fixed + 4)..<(fixed + 8)])
        let length = Int(bytes[fixed + 8]) << 8 | Int(bytes[fixed + 9])
        let start = fixed + 10
        guard start + length <= bytes.count, let data = data(bytes, type, start, length) else { return nil }
        return (Record(name: name, data: data, timeToLive: life), start + length)
    }

    private static func data(_ bytes: [UInt8], _ type: UInt16, _ start: Int, _ length: Int) -> Data? {
        switch type {
        case 1: return length == 4 ? .address(Array(bytes[start..<(start + 4)])) : nil
        case 28: return length == 16 ? .address(Array(bytes[start..<(start + 16)])) : nil
        case 5: return name(bytes, at: start).map { .alias($0.0) }
        case 12: return name(bytes, at: start).map { .pointer($0.0) }
        case 16: return text(bytes[start..<(start + length)]).map { .text($0) }
        case 33:
            guard length >= 7, let (host, end) = name(bytes, at: start + 6), end <= start + length else { return nil }
            return .service(port: UInt16(bytes[start + 4]) << 8 | UInt16(bytes[start + 5]), host: host)
        case 52:
            guard length >= 3 else { return nil }
            let association = Array(bytes[(start + 3)..<(start + length)])
            return .association(TLSARecord(usage: bytes[start], selector: bytes[start + 1], matching: bytes[start + 2], data: association))
        case 15:
            guard length >= 3, let (host, end) = name(bytes, at: start + 2), end <= start + length else { return nil }
            return .exchange(preference: UInt16(bytes[start]) << 8 | UInt16(bytes[start + 1]), host: host)
        default: return .other(type: type)
        }
    }

    /// Strings of up to 255 bytes, one behind the other.
    private static func text(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
        var out: [UInt8] = []
        var rest = bytes
        while let length = rest.popFirst() {
            guard rest.count >= length else { return nil }
            out += rest.prefix(Int(length))
            rest = rest.dropFirst(Int(length))
        }
        return out
    }

    /// A name in text form, lower case, without the final dot; and where it ended in place (RFC 1035 §4.1.4).
    private static func name(_ bytes: [UInt8], at start: Int) -> ([UInt8], Int)? {
        var out: [UInt8] = []
        var offset = start
        var end: Int?
        var jumps = 0
        while offset < bytes.count {
            let length = Int(bytes[offset])
            if length == 0 { return (out, end ?? offset + 1) }
            if length & 0xC0 == 0xC0 {
                guard offset + 1 < bytes.count, jumps < 32 else { return nil }
                end = end ?? offset + 2
                offset = (length & 0x3F) << 8 | Int(bytes[offset + 1])
                jumps += 1
                continue
            }
            guard length < 64, offset + 1 + length <= bytes.count, out.count + length < 255 else { return nil }
            if !out.isEmpty { out.append(UInt8(ascii: ".")) }
            out += bytes[(offset + 1)..<(offset + 1 + length)].asciiLowercased
            offset += 1 + length
        }
        return nil
    }
}
