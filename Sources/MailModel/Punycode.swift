// How a label in Unicode is said in ASCII, for DNS and for servers that know no other.

/// The encoder of RFC 3492. A label has at most 63 octets, so its squares are small.
package enum Punycode {
    private static let (base, lowest, highest, skew, damp) = (36, 1, 26, 38, 700)

    /// Without the `xn--`; nil for numbers too large, which no label of 63 octets has.
    package static func encode(_ scalars: some Collection<Unicode.Scalar>) -> [UInt8]? {
        let points = scalars.map { Int($0.value) }
        var out = points.filter { $0 < 0x80 }.map { UInt8(truncatingIfNeeded: $0) }
        let basic = out.count
        if basic > 0 { out.append(UInt8(ascii: "-")) }
        var (n, delta, bias, handled) = (0x80, 0, 72, basic)
        while handled < points.count {
            let next = points.lazy.filter { $0 >= n }.min() ?? n
            let (steps, overflow) = (next - n).multipliedReportingOverflow(by: handled + 1)
            guard !overflow, steps < Int.max - delta - points.count else { return nil }
            delta += steps
            n = next
            for point in points {
                if point < n { delta += 1 }
                guard point == n else { continue }
                append(delta, bias: bias, to: &out)
                bias = adapt(delta, points: handled + 1, isFirst: handled == basic)
                delta = 0
                handled += 1
            }
            delta += 1
            n += 1
        }
        return out
    }

    /// A number in digits of variable weight, least first (RFC 3492 §3.3).
    private static func append(_ number: Int, bias: Int, to out: inout [UInt8]) {
        var rest = number
        var position = base
        while true {
            let threshold = min(max(position - bias, lowest), highest)
            guard rest >= threshold else { break }
            out.append(digit(threshold + (rest - threshold) % (base - threshold)))
            rest = (rest - threshold) / (base - threshold)
            position += base
        }
        out.append(digit(rest))
    }

    private static func adapt(_ delta: Int, points: Int, isFirst: Bool) -> Int {
        var delta = isFirst ? delta / damp : delta / 2
        delta += delta / points
        var position = 0
        while delta > (base - lowest) * highest / 2 {
            delta /= base - lowest
            position += base
        }
        return position + (base - lowest + 1) * delta / (delta + skew)
    }

    private static func digit(_ value: Int) -> UInt8 { UInt8(truncatingIfNeeded: value < 26 ? 0x61 + value : 0x16 + value) }
}
