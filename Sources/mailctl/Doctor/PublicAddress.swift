// The addresses by which other hosts can reach this machine: found without sending anything.

import Configuration
import Kernel
import MailModel

enum PublicAddress {
    /// Those of this machine's interfaces that are neither private nor local to a link.
    static func own() -> [[UInt8]] { Machine.addresses().filter(isPublic) }

    /// As an administrator names them.
    static func given(_ texts: [String]) throws(Failure) -> [[UInt8]] {
        var out: [[UInt8]] = []
        for text in texts {
            guard let bytes = parse(text) else {
                throw Failure(.usage, "\(text) is no address", remedy: "write one such as 192.0.2.1 or 2001:db8::1")
            }
            out.append(bytes)
        }
        return out
    }

    /// RFC 6890: what is routed nowhere, or only here.
    static func isPublic(_ address: [UInt8]) -> Bool {
        if address.count == 4 {
            switch (address[0], address[1]) {
            case (0, _), (10, _), (127, _), (169, 254), (192, 168): return false
            case (172, 16...31), (100, 64...127), (198, 18...19): return false
            default: return address[0] < 224
            }
        }
        guard address.count == 16 else { return false }
        // Global unicast is 2000::/3; 2001:db8::/32 is for examples.
        return address[0] & 0xE0 == 0x20 && !address.starts(with: [0x20, 0x01, 0x0D, 0xB8])
    }

    /// Four numbers, or the groups of RFC 4291 §2.2 with at most one `::`.
    static func parse(_ text: String) -> [UInt8]? {
        guard text.contains(":") else {
            let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
            let bytes = parts.compactMap(\.self)
            return parts.count == 4 && bytes.count == 4 ? bytes : nil
        }
        let halves = text.split(separator: "::", omittingEmptySubsequences: false).map { half -> [UInt16?] in
            half.isEmpty ? [] : half.split(separator: ":", omittingEmptySubsequences: false).map { UInt16($0, radix: 16) }
        }
        guard (1...2).contains(halves.count), halves.allSatisfy({ $0.allSatisfy { $0 != nil } }) else { return nil }
        let missing = 8 - halves.reduce(0) { $0 + $1.count }
        guard halves.count == 1 ? missing == 0 : missing > 0 else { return nil }
        let zeros = halves.count == 2 ? [UInt16?](repeating: 0, count: missing) : []
        let groups = halves[0] + zeros + (halves.count == 2 ? halves[1] : [])
        return groups.compactMap(\.self).flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
    }

    /// The name under which DNS knows an address, in `zone` (RFC 1035 §3.5, RFC 3596 §2.5); block lists have the same form.
    static func reversed(_ address: [UInt8], in zone: String) -> [UInt8] {
        let labels: [String] = address.count == 4
            ? address.reversed().map { "\($0)" }
            : address.reversed().flatMap { [String($0 & 15, radix: 16), String($0 >> 4, radix: 16)] }
        return Array((labels.joined(separator: ".") + "." + zone).utf8)
    }
}
