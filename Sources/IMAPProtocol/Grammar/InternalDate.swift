// Dates as IMAP writes them; the calendar itself is MailFormat's.

package import MailFormat
internal import MailModel

/// `date-time` (RFC 3501 §9): a moment, and the offset in which it is shown.
package struct InternalDate: Hashable, Sendable {
    /// Seconds since 1970-01-01 00:00:00 UTC, between the years 1 and 9999.
    package let seconds: Int64
    /// Minutes east of UTC, within ±24 hours.
    package let offset: Int

    package init(seconds: Int64, offset: Int = 0) {
        self.seconds = min(max(seconds, -62_135_510_400), 253_402_214_400)
        self.offset = min(max(offset, -1439), 1439)
    }

    /// ` 7-Feb-1994 21:52:25 -0800`, 26 bytes, without quotes; nil for anything else.
    package init?(parsing text: some Collection<UInt8>) {
        let text = Array(text)
        guard text.count == 26, text[11] == 0x20, text[14] == 0x3A, text[17] == 0x3A, text[20] == 0x20,
            text[21] == UInt8(ascii: "+") || text[21] == UInt8(ascii: "-"),
            let day = CalendarDay(parsing: text[0] == 0x20 ? text[1..<11] : text[0..<11]),
            let hour = text[12..<14].decimalValue, hour < 24, let minute = text[15..<17].decimalValue, minute < 60,
            let second = text[18..<20].decimalValue, second <= 60,
            let zoneHours = text[22..<24].decimalValue, zoneHours < 24,
            let zoneMinutes = text[24..<26].decimalValue, zoneMinutes < 60
        else { return nil }
        let east = (zoneHours * 60 + zoneMinutes) * (text[21] == UInt8(ascii: "-") ? -1 : 1)
        let local = day.daysSince1970 * 86_400 + hour * 3600 + minute * 60 + second
        self.init(seconds: Int64(local - east * 60), offset: east)
    }

    /// The day as shown in its own offset: what BEFORE, ON and SINCE compare (RFC 3501 §6.4.4).
    package var day: CalendarDay { CalendarDay(civil) }

    private var civil: CivilTime { CivilTime(secondsSince1970: seconds, zoneMinutes: offset) }

    /// The fixed-width form, without quotes.
    package var text: [UInt8] {
        let time = civil
        let zone = abs(offset)
        return digits(time.day, 2, pad: 0x20) + [0x2D] + CalendarDay.months[time.month - 1] + [0x2D] + digits(time.year, 4)
            + [0x20] + digits(time.hour, 2) + [0x3A] + digits(time.minute, 2) + [0x3A] + digits(time.second, 2)
            + [0x20, offset < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+")] + digits(zone / 60, 2) + digits(zone % 60, 2)
    }

    private func digits(_ value: Int, _ width: Int, pad: UInt8 = 0x30) -> [UInt8] {
        let text = Array(String(value).utf8)
        return [UInt8](repeating: pad, count: max(0, width - text.count)) + text
    }
}

/// `date` (RFC 3501 §9): a day of the Gregorian calendar, without a zone.
package struct CalendarDay: Hashable, Sendable, Comparable {
    package let daysSince1970: Int

    package init(daysSince1970: Int) { self.daysSince1970 = daysSince1970 }

    /// The day of a moment, in its own zone.
    package init(_ time: CivilTime) { daysSince1970 = time.days ?? 0 }

    /// `1-Feb-1994` or `01-Feb-1994`, without quotes; nil for a day that does not exist.
    package init?(parsing text: some Collection<UInt8>) {
        let parts = text.split(separator: 0x2D, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].count <= 2, let day = parts[0].decimalValue,
            let month = CalendarDay.months.firstIndex(where: { parts[1].equalsIgnoringASCIICase($0) }),
            parts[2].count == 4, let year = parts[2].decimalValue, year >= 1,
            let days = CivilTime(year: year, month: month + 1, day: day, hour: 0, minute: 0, second: 0).days
        else { return nil }
        daysSince1970 = days
    }

    static let months: [[UInt8]] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ].map { Array($0.utf8) }

    package static func < (a: CalendarDay, b: CalendarDay) -> Bool { a.daysSince1970 < b.daysSince1970 }
}
