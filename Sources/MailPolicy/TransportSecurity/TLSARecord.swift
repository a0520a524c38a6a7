// What DNS says of a server's certificate (RFC 6698 §2.1), and what of it mail uses (RFC 7672 §3.1).

/// One TLSA record as it stands; any numbers.
package struct TLSARecord: Hashable, Sendable {
    /// 2 names the trust anchor of the chain, 3 the server's own certificate; 0 and 1 mean nothing to mail (RFC 7672 §3.1.3).
    package let usage: UInt8
    /// 0: the whole certificate; 1: its public key.
    package let selector: UInt8
    /// 0: the bytes themselves; 1: their SHA-256; 2: their SHA-512.
    package let matching: UInt8
    package let data: [UInt8]

    package init(usage: UInt8, selector: UInt8, matching: UInt8, data: [UInt8]) {
        self.usage = usage
        self.selector = selector
        self.matching = matching
        self.data = data
    }

    /// Whether a certificate can be compared with it at all; the other records of a name are then still used.
    package var isUsable: Bool {
        guard usage == 2 || usage == 3, selector <= 1 else { return false }
        return switch matching {
        case 0: !data.isEmpty
        case 1: data.count == 32
        case 2: data.count == 64
        default: false
        }
    }
}
