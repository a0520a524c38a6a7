// What the client declared that the body is made of.

/// The `BODY` of MAIL (RFC 6152 §2, RFC 3030 §3).
package enum BodyType: Hashable, Sendable, CaseIterable {
    case sevenBit
    case eightBitMIME
    /// Any octets in lines of any length: only BDAT can carry it.
    case binaryMIME

    package init?(parsing text: some Collection<UInt8>) {
        guard let type = BodyType.allCases.first(where: { text.equalsIgnoringASCIICase($0.text.utf8) }) else { return nil }
        self = type
    }

    package var text: String {
        switch self {
        case .sevenBit: "7BIT"
        case .eightBitMIME: "8BITMIME"
        case .binaryMIME: "BINARYMIME"
        }
    }
}
