// Whether a domain has an MTA-STS policy, and which version of it: the TXT record at `_mta-sts` (RFC 8461 §3.1).

/// `v=STSv1; id=20160831085700Z;`
package struct STSRecord: Hashable, Sendable {
    /// Changes with each version of the policy: 1 to 32 letters and digits.
    package let id: [UInt8]

    /// The one record among the texts of the name; none, or more than one, is no policy (RFC 8461 §3.1).
    package init?(texts: [[UInt8]]) {
        let ours = texts.filter(STSRecord.isVersion1)
        guard ours.count == 1, let text = ours.first else { return nil }
        var found: [UInt8]?
        for field in text.split(separator: UInt8(ascii: ";")).dropFirst() {
            let field = field.trimmedOfBlanks
            guard let equals = field.firstIndex(of: UInt8(ascii: "=")), field[..<equals].trimmedOfBlanks.elementsEqual("id".utf8) else { continue }
            let id = Array(field[(equals + 1)...].trimmedOfBlanks)
            // A field that stands twice counts as it stands first.
            found = found ?? id
        }
        guard let id = found, (1...32).contains(id.count), id.allSatisfy(STSRecord.isAlphanumeric) else { return nil }
        self.id = id
    }

    private static func isVersion1(_ text: [UInt8]) -> Bool {
        let first = text.prefix { $0 != UInt8(ascii: ";") }
        return text.count > first.count && first.trimmedOfBlanks.elementsEqual("v=STSv1".utf8)
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }
}

extension Collection<UInt8> where SubSequence == ArraySlice<UInt8> {
    /// Without blanks and tabs at both ends.
    var trimmedOfBlanks: ArraySlice<UInt8> {
        var rest = self[...]
        while let first = rest.first, first == 0x20 || first == 9 { rest.removeFirst() }
        while let last = rest.last, last == 0x20 || last == 9 { rest.removeLast() }
        return rest
    }
}
