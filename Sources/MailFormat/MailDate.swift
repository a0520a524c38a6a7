// Dates of mail (RFC 5322 §3.3), between text and seconds; whoever calls brings the clock.

/// A moment and the zone in which it was written.
package struct MailDate: Hashable, Sendable {
    /// Seconds since 1970-01-01T00:00:00Z, leap seconds not counted.
    package let secondsSince1970: Int64
    /// Minutes east of UTC, within a day.
    package let zoneMinutes: Int

    package init(secondsSince1970: Int64, zoneMinutes: Int = 0) {
        self.secondsSince1970 = secondsSince1970
        self.zoneMinutes = Swift.min(Swift.max(zoneMinutes, -5999), 5999)
    }

    /// The calendar fields in the date's own zone.
    package var civil: CivilTime { CivilTime(secondsSince1970: secondsSince1970, zoneMinutes: zoneMinutes) }

    static let months: [[UInt8]] = "jan feb mar apr may jun jul aug sep oct nov dec".split(separator: " ").map { Array($0.utf8) }
    private static let monthNames = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    private static let dayNames = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]

    /// `Fri, 21 Nov 1997 09:55:06 -0600` (RFC 5322 §3.3).
    package var text: [UInt8] {
        let time = civil
        let day = MailDate.dayNames[time.weekdayFromThursday]
        let month = MailDate.monthNames[time.month - 1]
        return Array("\(day), \(time.day) \(month) \(decimal(time.year, 4)) ".utf8) + time.clockText + [0x20] + zoneText
    }

    /// `+hhmm` or `-hhmm`.
    package var zoneText: [UInt8] {
        let minutes = zoneMinutes.magnitude
        return Array("\(zoneMinutes < 0 ? "-" : "+")\(decimal(Int(minutes / 60), 2))\(decimal(Int(minutes % 60), 2))".utf8)
    }
}

/// A date and time of day of the Gregorian calendar.
package struct CivilTime: Hashable, Sendable {
    package var year: Int
    /// 1 … 12
    package var month: Int
    /// 1 … 31
    package var day: Int
    package var hour: Int
    package var minute: Int
    package var second: Int

    package init(year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int) {
        self.year = year
        self.month = month
        self.day = day
        self.hour = hour
        self.minute = minute
        self.second = second
    }

    /// The calendar fields of a moment; years are held within 0 … 9999.
    package init(secondsSince1970: Int64, zoneMinutes: Int) {
        let bounded = Swift.min(Swift.max(secondsSince1970, -62_167_000_000), 253_402_000_000)
        let local = bounded + Int64(zoneMinutes) * 60
        let days = Int(local >= 0 ? local / 86_400 : (local - 86_399) / 86_400)
        let rest = Int(local - Int64(days) * 86_400)
        // Count from 1 March 0000: the leap day is then the last day of a year, and 400 years repeat.
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        hour = rest / 3600
        minute = rest / 60 % 60
        second = rest % 60
    }

    /// Days since 1970-01-01; nil if there is no such day.
    package var days: Int? {
        guard (0...9999).contains(year), (1...12).contains(month), day >= 1, day <= daysInMonth else { return nil }
        let y = month <= 2 ? year - 1 : year
        let era = (y >= 0 ? y : y - 399) / 400
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// The moment in a zone; nil if there is no such day or time.
    package func secondsSince1970(zoneMinutes: Int) -> Int64? {
        guard let days, (0...23).contains(hour), (0...59).contains(minute), (0...60).contains(second) else { return nil }
        return Int64(days) * 86_400 + Int64(hour * 3600 + minute * 60 + second) - Int64(zoneMinutes) * 60
    }

    private var daysInMonth: Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// 0 is Thursday, the first day of 1970.
    var weekdayFromThursday: Int { (((days ?? 0) % 7) + 7) % 7 }

    /// `hh:mm:ss`
    package var clockText: [UInt8] { Array("\(decimal(hour, 2)):\(decimal(minute, 2)):\(decimal(second, 2))".utf8) }
}

/// `value` in at least `width` digits.
private func decimal(_ value: Int, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: Swift.max(0, width - digits.utf8.count)) + digits
}
