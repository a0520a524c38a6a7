// A-labels: the samples of RFC 3492, a decoder that is written for the test, and labels that cannot be one.

import MailModel
import MailTestKit
import Testing

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// RFC 3492 §6.2, as slowly as it can be done: what the encoder says is what it was told.
private func decoded(_ text: [UInt8]) -> [Unicode.Scalar]? {
    var out: [Int] = []
    var rest = text[...]
    if let mark = text.lastIndex(of: UInt8(ascii: "-")) {
        out = text[..<mark].map { Int($0) }
        rest = text[(mark + 1)...]
    }
    var (n, i, bias) = (0x80, 0, 72)
    while !rest.isEmpty {
        let old = i
        var (weight, k) = (1, 36)
        while let byte = rest.popFirst() {
            let digit = byte.isASCIIDigit ? Int(byte) - 0x16 : Int(byte.asciiLowercased) - 0x61
            i += digit * weight
            let threshold = min(max(k - bias, 1), 26)
            if digit < threshold { break }
            weight *= 36 - threshold
            k += 36
        }
        var delta = old == 0 ? (i - old) / 700 : (i - old) / 2
        delta += delta / (out.count + 1)
        var steps = 0
        while delta > 455 { (delta, steps) = (delta / 35, steps + 36) }
        bias = steps + 36 * delta / (delta + 38)
        n += i / (out.count + 1)
        i %= out.count + 1
        out.insert(n, at: i)
        i += 1
    }
    let scalars = out.compactMap { Unicode.Scalar(UInt32($0)) }
    return scalars.count == out.count ? scalars : nil
}

@Suite struct PunycodeTests {
    /// RFC 3492 §7.1, and names that are met.
    @Test(arguments: [
        ("b\u{FC}cher", "bcher-kva"), ("m\u{FC}nchen", "mnchen-3ya"), ("ma\u{F1}ana", "maana-pta"), ("\u{FC}", "tda"), ("fa\u{DF}", "fa-hia"),
        ("他们为什么不说中文", "ihqwcrb4cv8a8dqg056pqjye"), ("ليهمابتكلموشعربي؟", "egbpdaj6bu4bxfgehfvwxn"), ("そのスピードで", "d9juau41awczczp"),
        ("3年b組金八先生", "3b-ww4c5e180e575a65lsy2b"), ("パフィーdeルンバ", "de-jg4avhby1noc0d"), ("abc", "abc-"), ("", ""),
    ])
    func samples(_ text: String, _ encoded: String) { #expect(Punycode.encode(Array(text.unicodeScalars)) == bytes(encoded)) }

    @Test func whatIsEncodedCanBeDecoded() {
        var random = SeededGenerator()
        for _ in 0..<5000 {
            let scalars = (0..<Int.random(in: 1...12, using: &random)).compactMap { _ in
                Unicode.Scalar(UInt32.random(in: 0x30...(Bool.random(using: &random) ? 0x17F : 0x10FFFF), using: &random))
            }
            guard let encoded = Punycode.encode(scalars) else {
                Issue.record("\(scalars)")
                continue
            }
            #expect(decoded(encoded) == scalars && encoded.allSatisfy { $0 < 0x80 })
        }
    }

    @Test(arguments: [
        ("example.org", "example.org"), ("b\u{FC}cher.example", "xn--bcher-kva.example"), ("B\u{DC}CHER.example", "xn--bcher-kva.example"),
        ("mx.\u{4F8B}\u{3048}.example", "mx.xn--r8jz45g.example"), ("[192.0.2.1]", "[192.0.2.1]"), ("\u{212A}.example", "k.example"), ("xn--bcher-kva.example", "xn--bcher-kva.example"),
    ])
    func domains(_ name: String, _ ascii: String) throws { #expect(try #require(Domain(name)).aLabels == Domain(ascii)) }

    /// A label of 60 octets, as an A-label too long for one.
    @Test func whatIsTooLongInASCIIIsNothing() throws {
        let label = (0..<15).map { String(Unicode.Scalar(UInt32(0x1_0000 + $0 * 65537)) ?? "a") }.joined()
        #expect(label.utf8.count <= 63)
        #expect(try #require(Domain(label + ".example")).aLabels == nil)
    }
}
