// The form of a domain that every host understands.

extension Domain {
    /// The domain with each U-label as its A-label (RFC 5890 §2.3.2.1): `xn--bcher-kva.example` for `bücher.example`.
    ///
    /// Letters become lower case first, as far as Unicode has one; nothing else is mapped, and nothing is normalised. Nil if that is
    /// longer than a name may be. This is what is asked of DNS, and what a host without SMTPUTF8 is told (RFC 6531 §3.2).
    package var aLabels: Domain? {
        if isASCII { return self }
        var name: [UInt8] = []
        for label in bytes.split(separator: UInt8(ascii: ".")) {
            if !name.isEmpty { name.append(UInt8(ascii: ".")) }
            guard let encoded = Domain.aLabel(label) else { return nil }
            name += encoded
        }
        return Domain(parsing: name)
    }

    private static func aLabel(_ label: ArraySlice<UInt8>) -> [UInt8]? {
        if label.allSatisfy({ $0 < 0x80 }) { return Array(label) }
        let lower = label.display.unicodeScalars.flatMap { $0.properties.lowercaseMapping.unicodeScalars }
        if lower.allSatisfy(\.isASCII) { return lower.map { UInt8(truncatingIfNeeded: $0.value) } }
        return Punycode.encode(lower).map { Array("xn--".utf8) + $0 }
    }
}
