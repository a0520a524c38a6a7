// A moment as Internet protocols write it. No clock is read here: seconds go in and come out.

/// An RFC 3339 §5.6 `date-time` of the years 1970 to 9999, in whole seconds.
package struct InternetTime: Hashable, Sendable, Comparable {
    /// Since 1970, by UTC: 0 to 253,402,300,799.
    package let seconds: Int64

    package static let last: Int64 = 253_402_300_799

    package init?(seconds: Int64) {
        guard (0...InternetTime.last).contains(seconds) else { return nil }
        self.seconds = seconds
    }

    /// `2026-01-02T03:04:05Z`, with a fraction, which is dropped, or an offset `+01:00`. Nil for a day or hour that is none.
    package init?(parsing text: some Collection<UInt8>) {
        let text = Array(text)
        guard (20...35).contains(text.count), text[4] == UInt8(ascii: "-"), text[7] == UInt8(ascii: "-"), text[10] | 0x20 == UInt8(ascii: "t"),
            text[13] == UInt8(ascii: ":"), text[16] == UInt8(ascii: ":"),
            let year = text[0..<4].decimalValue, let month = text[5..<7].decimalValue, let day = text[8..<10].decimalValue,
            let hour = text[11..<13].decimalValue, let minute = text[14..<16].decimalValue, let second = text[17..<19].decimalValue,
            (1...12).contains(month), day >= 1, day <= InternetTime.days(in: month, of: year), hour < 24, minute < 60, second < 61,
            let offset = InternetTime.offset(text[19...])
        else { return nil }
        // A leap second is the second after it, as POSIX counts.
        let time = Int64(InternetTime.days(to: year, month, day)) * 86400 + Int64(hour * 3600 + minute * 60 + second)
        self.init(seconds: time - Int64(offset))
    }

    /// Seconds east of Greenwich, after a fraction of a second.
    private static func offset(_ text: ArraySlice<UInt8>) -> Int? {
        var rest = text
        if rest.first == UInt8(ascii: ".") {
            let digits = rest.dropFirst().prefix { $0.isASCIIDigit }
            guard !digits.isEmpty else { return nil }
            rest = rest[digits.endIndex...]
        }
        guard let first = rest.first else { return nil }
        if first | 0x20 == UInt8(ascii: "z") { return rest.count == 1 ? 0 : nil }
        let zone = Array(rest)
        guard first == UInt8(ascii: "+") || first == UInt8(ascii: "-"), zone.count == 6, zone[3] == UInt8(ascii: ":"),
            let hours = zone[1..<3].decimalValue, let minutes = zone[4..<6].decimalValue, hours < 24, minutes < 60
        else { return nil }
        return (first == UInt8(ascii: "-") ? -1 : 1) * (hours * 3600 + minutes * 60)
    }

    /// `2026-01-02T03:04:05Z`
    package var text: String {
        let (year, month, day) = InternetTime.date(ofDay: Int(seconds / 86400))
        let second = Int(seconds % 86400)
        let pad = { (number: Int, width: Int) in String(repeating: "0", count: max(0, width - String(number).count)) + String(number) }
        return "\(pad(year, 4))-\(pad(month, 2))-\(pad(day, 2))T\(pad(second / 3600, 2)):\(pad(second / 60 % 60, 2)):\(pad(second % 60, 2))Z"
    }

    package static func < (a: InternetTime, b: InternetTime) -> Bool { a.seconds < b.seconds }

    // MARK: - The Gregorian calendar

    private static func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    private static func days(in month: Int, of year: Int) -> Int {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days from 1 January 1970; the year counts from March, so that the leap day is its last.
    private static func days(to year: Int, _ month: Int, _ day: Int) -> Int {
        let y = month > 2 ? year : year - 1
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        return y * 365 + y / 4 - y / 100 + y / 400 + dayOfYear - 719_468
    }

    /// The inverse of `days(to:_:_:)`, by steps of a year: at most a few from the first guess.
    private static func date(ofDay day: Int) -> (year: Int, month: Int, day: Int) {
        var year = 1970 + day / 366
        while days(to: year + 1, 1, 1) <= day { year += 1 }
        var rest = day - days(to: year, 1, 1)
        var month = 1
        while rest >= days(in: month, of: year) {
            rest -= days(in: month, of: year)
            month += 1
        }
        return (year, month, rest + 1)
    }
}
