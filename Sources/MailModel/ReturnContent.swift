// How much of a message comes back with a notice of its failure.

/// The value of RET (RFC 3461 §4.3).
package enum ReturnContent: Hashable, Sendable, CaseIterable {
    case full
    case headers

    package init?(parsing text: some Collection<UInt8>) {
        guard let value = ReturnContent.allCases.first(where: { text.equalsIgnoringASCIICase($0.text.utf8) }) else { return nil }
        self = value
    }

    package var text: String {
        switch self {
        case .full: "FULL"
        case .headers: "HDRS"
        }
    }
}
