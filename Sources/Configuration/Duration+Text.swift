// Times as people write them, "5 min": a number, a unit, and never an overflow.

extension Duration: ConfigurationValue {
    package static let kind = "a time such as \"30 s\", \"5 min\", \"4 h\" or \"5 d\""

    private static let millisecondsPerUnit: [String: Int] = [
        "ms": 1, "": 1000, "s": 1000, "sec": 1000, "second": 1000, "seconds": 1000, "m": 60_000, "min": 60_000, "minute": 60_000,
        "minutes": 60_000, "h": 3_600_000, "hour": 3_600_000, "hours": 3_600_000, "d": 86_400_000, "day": 86_400_000,
        "days": 86_400_000, "w": 604_800_000, "week": 604_800_000, "weeks": 604_800_000,
    ]

    package init?(_ literal: ConfigurationLiteral) {
        switch literal {
        case .integer(let seconds):
            guard seconds >= 0, seconds < 1 << 40 else { return nil }
            self = .seconds(seconds)
        case .text(let text):
            guard let (number, unit) = numberAndUnit(text), let factor = Duration.millisecondsPerUnit[unit.lowercased()]
            else { return nil }
            let (milliseconds, overflow) = number.multipliedReportingOverflow(by: factor)
            guard !overflow else { return nil }
            self = .milliseconds(milliseconds)
        case .boolean, .list, .unusable:
            return nil
        }
    }

    package var literal: ConfigurationLiteral {
        let milliseconds = wholeMilliseconds
        for (factor, unit) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1000, "s")]
        where milliseconds != 0 && milliseconds % factor == 0 {
            return .text("\(milliseconds / factor) \(unit)")
        }
        return .text(milliseconds == 0 ? "0 s" : "\(milliseconds) ms")
    }

    /// Whole milliseconds, rounded down: what poll(2) and its kind take.
    package var wholeMilliseconds: Int {
        let (seconds, attoseconds) = components
        return Int(clamping: seconds) &* 1000 &+ Int(attoseconds / 1_000_000_000_000_000)
    }
}
