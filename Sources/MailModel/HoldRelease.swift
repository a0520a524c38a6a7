// A message that must not go before its time.

/// The values of HOLDFOR and HOLDUNTIL (RFC 4865 §4).
package enum HoldRelease: Hashable, Sendable {
    /// Seconds from its acceptance on: 1 to 999,999,999.
    case interval(Int)
    case until(InternetTime)

    /// The value of HOLDFOR: one to nine digits that do not begin with 0.
    package init?(interval text: some Collection<UInt8>) {
        guard text.count <= 9, text.first != UInt8(ascii: "0"), let seconds = text.decimalValue else { return nil }
        self = .interval(seconds)
    }

    /// The value of HOLDUNTIL.
    package init?(until text: some Collection<UInt8>) {
        guard let time = InternetTime(parsing: text) else { return nil }
        self = .until(time)
    }

    /// When it may go: seconds since 1970, for a message accepted at `accepted`.
    package func releaseTime(accepted: Int64) -> Int64 {
        switch self {
        case .interval(let seconds): accepted.addingReportingOverflow(Int64(seconds)).partialValue
        case .until(let time): time.seconds
        }
    }
}
