// Reading dates as people's software writes them: RFC 5322 §3.3 and the obsolete forms of §4.3.

internal import MailModel

extension MailDate {
    /// The date of a `Date:` value; nil if it cannot be read as one. Comments and folds are passed over.
    package init?(parsing value: ArraySlice<UInt8>) {
        guard value.count <= 1000 else { return nil }
        var words = DateWords(value)
        words.skipWeekday()
        guard let day = words.number(1...2), let month = words.month(), let year = words.year(),
            let hour = words.number(1...2), words.colon(), let minute = words.number(1...2)
        else { return nil }
        var second = 0
        if words.colon() {
            guard let value = words.number(1...2) else { return nil }
            second = value
        }
        guard let zone = words.zone() else { return nil }
        let time = CivilTime(year: year, month: month, day: day, hour: hour, minute: minute, second: second)
        guard let seconds = time.secondsSince1970(zoneMinutes: zone) else { return nil }
        self.init(secondsSince1970: seconds, zoneMinutes: zone)
    }
}

private struct DateWords {
    private var words: [[UInt8]] = []
    private var index = 0

    init(_ value: ArraySlice<UInt8>) {
        var lexer = FieldLexer(value)
        while let token = lexer.next() {
            switch token {
            case .atom(let text): split(text)
            case .special(let byte) where byte != UInt8(ascii: "."): words.append([byte])
            case .special, .quoted, .literal: break
            }
        }
    }

    /// `21-Nov-1997` is three words; `-0600` is one.
    private mutating func split(_ atom: [UInt8]) {
        let parts = atom.split(separator: UInt8(ascii: "-"))
        if parts.count == 3 { words += parts.map(Array.init) } else { words.append(atom) }
    }

    private var current: [UInt8]? { index < words.count ? words[index] : nil }

    mutating func skipWeekday() {
        guard let word = current, word.allSatisfy(\.isASCIILetter) else { return }
        index += 1
        if current == [UInt8(ascii: ",")] { index += 1 }
    }

    mutating func number(_ digits: ClosedRange<Int>) -> Int? {
        guard let word = current, digits.contains(word.count), let value = word.decimalValue else { return nil }
        index += 1
        return value
    }

    mutating func month() -> Int? {
        guard let word = current, word.count >= 3, let found = MailDate.months.firstIndex(of: word.prefix(3).asciiLowercased)
        else { return nil }
        index += 1
        return found + 1
    }

    /// RFC 5322 §4.3: two digits mean 1950 … 2049, three are counted from 1900.
    mutating func year() -> Int? {
        guard let word = current, let value = number(2...4) else { return nil }
        if word.count == 2 { return value < 50 ? value + 2000 : value + 1900 }
        return word.count == 3 ? value + 1900 : value
    }

    mutating func colon() -> Bool {
        guard current == [UInt8(ascii: ":")] else { return false }
        index += 1
        return true
    }

    /// Minutes east of UTC; a zone that is missing or unknown counts as UTC (RFC 5322 §4.3).
    mutating func zone() -> Int? {
        guard let word = current, let sign = word.first else { return 0 }
        if sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
            guard word.count == 5, let value = word.dropFirst().decimalValue, value % 100 < 60 else { return nil }
            let minutes = value / 100 * 60 + value % 100
            return sign == UInt8(ascii: "-") ? -minutes : minutes
        }
        return DateWords.namedZones[word.asciiLowercased] ?? 0
    }

    private static let namedZones: [[UInt8]: Int] = [
        Array("est".utf8): -300, Array("edt".utf8): -240, Array("cst".utf8): -360, Array("cdt".utf8): -300,
        Array("mst".utf8): -420, Array("mdt".utf8): -360, Array("pst".utf8): -480, Array("pdt".utf8): -420,
    ]
}
