// By when a message must be delivered, and what is done if it is not.

/// The value of BY (RFC 2852 §4): `120;R`, `-5;NT`.
package struct DeliverBy: Hashable, Sendable {
    package enum Mode: UInt8, Sendable, CaseIterable {
        /// Too late: it goes back.
        case `return` = 0x52  // R
        /// Too late: its sender is told, and it is tried on.
        case notify = 0x4E  // N
    }

    /// Seconds from the MAIL command on; negative if it is late already, which only `.notify` may be.
    package let seconds: Int
    package let mode: Mode
    /// The sender wants to hear of each host on the way.
    package let isTraced: Bool

    package static let maximum = 999_999_999

    /// Nil for more than nine digits, and for a return that is due at once.
    package init?(seconds: Int, mode: Mode, isTraced: Bool = false) {
        guard abs(seconds) <= DeliverBy.maximum, mode == .notify || seconds > 0 else { return nil }
        self.seconds = seconds
        self.mode = mode
        self.isTraced = isTraced
    }

    package init?(parsing text: some Collection<UInt8>) {
        let parts = text.split(separator: UInt8(ascii: ";"), maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 2, let seconds = DeliverBy.seconds(Array(parts[0])), (1...2).contains(parts[1].count),
            let mode = parts[1].first.flatMap({ Mode(rawValue: $0 & 0xDF) })
        else { return nil }
        let trace = parts[1].dropFirst().first
        guard trace == nil || trace == UInt8(ascii: "T") || trace == UInt8(ascii: "t") else { return nil }
        self.init(seconds: seconds, mode: mode, isTraced: trace != nil)
    }

    private static func seconds(_ text: [UInt8]) -> Int? {
        let sign = text.first == UInt8(ascii: "-") ? -1 : 1
        let digits = text.first == UInt8(ascii: "-") || text.first == UInt8(ascii: "+") ? text.dropFirst() : text[...]
        guard digits.count <= 9, let value = digits.decimalValue else { return nil }
        return sign * value
    }

    package var text: String { "\(seconds);\(mode == .return ? "R" : "N")\(isTraced ? "T" : "")" }
}
