// A domain as mail knows it: a DNS name or an address literal, in the one form in which we compare.

/// A domain name, lower case, without a trailing dot; or an address literal such as `[192.0.2.1]`.
///
/// U-labels (RFC 6531) are kept as UTF-8 bytes; they are legal only where the dialogue has agreed to SMTPUTF8.
package struct Domain: Hashable, Sendable {
    /// The canonical bytes: at most 255, ASCII lower case.
    package let bytes: [UInt8]

    /// RFC 5321 §4.1.2 `Domain` and §4.1.3 `address-literal`; nil if it is neither.
    package init?(parsing text: some Collection<UInt8>) {
        var name = text.asciiLowercased
        if name.first == UInt8(ascii: "[") {
            guard Domain.isLiteral(name) else { return nil }
        } else {
            if name.last == UInt8(ascii: ".") { name.removeLast() }
            guard Domain.isName(name) else { return nil }
        }
        bytes = name
    }

    package init?(_ text: String) { self.init(parsing: Array(text.utf8)) }

    package var isAddressLiteral: Bool { bytes.first == UInt8(ascii: "[") }
    package var isASCII: Bool { bytes.allSatisfy { $0 < 0x80 } }

    private static func isLiteral(_ text: [UInt8]) -> Bool {
        text.count <= 255 && text.count > 2 && text.last == UInt8(ascii: "]")
            && text.dropFirst().dropLast().allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x5B && $0 != 0x5C && $0 != 0x5D }
    }

    /// RFC 1035 §2.3.4: labels of 1 to 63 octets, 255 in all. An underscore is met in practice and taken.
    private static func isName(_ text: [UInt8]) -> Bool {
        guard !text.isEmpty, text.count <= 255 else { return false }
        return text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { label in
            !label.isEmpty && label.count <= 63 && label.first != UInt8(ascii: "-") && label.last != UInt8(ascii: "-")
                && label.allSatisfy {
                    $0.isASCIILetter || $0.isASCIIDigit || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") || $0 >= 0x80
                }
        } && isUTF8(text)
    }
}

extension Domain: CustomStringConvertible, Comparable {
    package var description: String { bytes.display }
    package static func < (a: Domain, b: Domain) -> Bool { a.bytes.lexicographicallyPrecedes(b.bytes) }
}

/// Whether bytes are well-formed UTF-8 (RFC 3629); overlong forms and surrogates are not.
package func isUTF8(_ bytes: some Collection<UInt8>) -> Bool {
    if bytes.allSatisfy({ $0 < 0x80 }) { return true }
    return String(validating: bytes, as: UTF8.self) != nil
}
