// A domain's MTA-STS policy: which hosts take its mail, and that they prove their names (RFC 8461 §3.2).

/// The policy file, read by its grammar; what it does not know it leaves out.
package struct STSPolicy: Hashable, Sendable {
    package enum Mode: String, Hashable, Sendable {
        /// Mail waits where the policy is not kept.
        case enforce
        /// Mail goes, and what is wrong is written down.
        case testing
        /// As if there were no policy: the way to be rid of one.
        case none
    }

    /// More octets of a policy are not read (RFC 8461 §3.3).
    package static let mostOctets = 64 * 1024
    private static let mostPatterns = 1000
    /// Seconds: about a year (RFC 8461 §3.2).
    private static let longestLife: Int64 = 31_557_600

    package let mode: Mode
    /// Seconds for which it may be kept.
    package let maximumAge: Int64
    /// Host names, lower case; `*.` stands for one label.
    package let patterns: [[UInt8]]

    /// Nil for what is no policy; then there is none, or an older one that is kept goes on.
    package init?(parsing text: [UInt8]) {
        guard text.count <= STSPolicy.mostOctets else { return nil }
        var values: [[UInt8]: [UInt8]] = [:]
        var patterns: [[UInt8]] = []
        for line in text.split(separator: 10) {
            let line = line.last == 13 ? line.dropLast() : line
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
            let name = Array(line[..<colon].trimmedOfBlanks), value = Array(line[(colon + 1)...].trimmedOfBlanks)
            if name.elementsEqual("mx".utf8) {
                guard patterns.count < STSPolicy.mostPatterns, let pattern = STSPolicy.pattern(value) else { return nil }
                patterns.append(pattern)
            } else if values[name] == nil {
                values[name] = value
            }
        }
        guard values[Array("version".utf8)]?.elementsEqual("STSv1".utf8) == true,
            let mode = values[Array("mode".utf8)].flatMap({ Mode(rawValue: String(decoding: $0, as: UTF8.self)) }),
            let age = values[Array("max_age".utf8)].flatMap(STSPolicy.seconds), mode == .none || !patterns.isEmpty
        else { return nil }
        self.mode = mode
        maximumAge = min(age, STSPolicy.longestLife)
        self.patterns = patterns
    }

    /// Whether the policy lets mail go to this host, in lower case (RFC 8461 §4.1).
    package func names(_ host: [UInt8]) -> Bool {
        patterns.contains { pattern in
            guard pattern.first == UInt8(ascii: "*") else { return pattern == host }
            guard let dot = host.firstIndex(of: UInt8(ascii: ".")), dot > 0 else { return false }
            return host[dot...].elementsEqual(pattern.dropFirst())
        }
    }

    private static func pattern(_ text: [UInt8]) -> [UInt8]? {
        var text = text.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
        if text.last == UInt8(ascii: ".") { text.removeLast() }
        let name = text.starts(with: "*.".utf8) ? text.dropFirst(2) : text[...]
        let isName = !name.isEmpty && text.count <= 255 && name.allSatisfy { byte in
            (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
                || byte == UInt8(ascii: "_")
        }
        return isName ? text : nil
    }

    /// At most ten digits.
    private static func seconds(_ text: [UInt8]) -> Int64? {
        guard (1...10).contains(text.count), text.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return text.reduce(0) { $0 * 10 + Int64($1 - 0x30) }
    }
}
