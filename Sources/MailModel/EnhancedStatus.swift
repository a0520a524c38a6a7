// Temporary against permanent is a type, never a number that somebody compares.

/// An enhanced mail system status code `class.subject.detail` (RFC 3463 §2).
package struct EnhancedStatus: Hashable, Sendable, CustomStringConvertible {
    package enum Class: UInt8, Sendable { case success = 2, temporary = 4, permanent = 5 }

    package let statusClass: Class
    package let subject: UInt16
    package let detail: UInt16

    package init(_ statusClass: Class, _ subject: UInt16, _ detail: UInt16) {
        self.statusClass = statusClass
        self.subject = subject
        self.detail = detail
    }

    /// `5.1.1`; nil for anything else, numbers above 999 included.
    package init?(parsing text: some Collection<UInt8>) {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map(\.decimalValue)
        guard parts.count == 3, let raw = parts[0], raw <= 5, let statusClass = Class(rawValue: UInt8(raw)),
            let subject = parts[1], subject < 1000, let detail = parts[2], detail < 1000
        else { return nil }
        self.init(statusClass, UInt16(subject), UInt16(detail))
    }

    package var description: String { "\(statusClass.rawValue).\(subject).\(detail)" }
}

/// How one attempt to bring a message to one recipient ended.
package enum DeliveryOutcome: Hashable, Sendable {
    /// Final: the store or the next host has it.
    case delivered
    /// Try again later.
    case temporary(EnhancedStatus, reason: [UInt8])
    /// Final: it will never be delivered there.
    case permanent(EnhancedStatus, reason: [UInt8])
}
