// Message identifiers in `Message-ID:`, `In-Reply-To:` and `References:` (RFC 5322 §3.6.4).

package import MailModel

/// The identifiers of a field in their order, each with its angle brackets; at most `limit` of them.
///
/// Text outside of brackets is passed over. Blanks inside are dropped: folding software puts them there.
package func messageIDs(in value: ArraySlice<UInt8>, limit: Int = 1000) -> [[UInt8]] {
    var found: [[UInt8]] = []
    var current: [UInt8]?
    for byte in value {
        switch byte {
        case UInt8(ascii: "<"): current = [byte]
        case UInt8(ascii: ">"):
            if let open = current, open.count > 1 { found.append(open + [byte]) }
            current = nil
            if found.count >= limit { return found }
        case 0x20, 0x09, 0x0D, 0x0A: break
        default:
            if let count = current?.count {
                if count < 998 { current?.append(byte) } else { current = nil }
            }
        }
    }
    return found
}

/// A new identifier `<left@domain>`; bytes that no dot-atom holds become `-`.
package func messageID(left: some Collection<UInt8>, domain: Domain) -> [UInt8] {
    let safe = left.map { $0.isASCIILetter || $0.isASCIIDigit || $0 == UInt8(ascii: ".") ? $0 : UInt8(ascii: "-") }
    return [UInt8(ascii: "<")] + safe + [UInt8(ascii: "@")] + domain.bytes + [UInt8(ascii: ">")]
}
