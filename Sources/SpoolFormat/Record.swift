// A record as read back: nothing is believed before its checksum is right, nothing is allocated before its bound is known.

package import MailModel

/// A record of a segment: one copy of its line, and where the fields lie in it. A value is made when it is asked for.
package struct Record: Hashable, Sendable {
    /// Nil for a verb of a later version, which readers skip.
    package let verb: Verb?
    package let id: QueueID?
    let line: [UInt8]
    let places: [Place]

    /// `key=value` in the line, the value as it stands there.
    struct Place: Hashable, Sendable {
        let key: Range<Int>
        let value: Range<Int>
    }

    package struct Field: Hashable, Sendable {
        package let key: [UInt8]
        package let value: [UInt8]
    }

    /// Keys as bytes and values unescaped, in the order of the line; a key may repeat.
    package var fields: [Field] { places.map { Field(key: Array(line[$0.key]), value: value($0)) } }

    package subscript(_ key: Key) -> [UInt8]? {
        for place in places where names(place, key) { return value(place) }
        return nil
    }

    package func all(_ key: Key) -> [[UInt8]] {
        var values: [[UInt8]] = []
        for place in places where names(place, key) { values.append(value(place)) }
        return values
    }

    /// Whether it is an accept that the owner of this mail log may say: of a message of its own, and only queued of a notice.
    package func isAccept(from origin: QueueOrigin) -> Bool {
        verb == .accept && id?.origin == origin && (origin == .queued || self[.parent] == nil)
    }

    private func names(_ place: Place, _ key: Key) -> Bool {
        let name = key.rawValue.utf8
        guard name.count == place.key.count else { return false }
        var at = place.key.lowerBound
        for byte in name {
            if line[at] != byte { return false }
            at += 1
        }
        return true
    }

    /// Escapes were found to be whole when the line was parsed.
    private func value(_ place: Place) -> [UInt8] { Escaping.value(line[place.value]) ?? [] }

    package func number(_ key: Key) -> Int? { self[key]?.decimalValue }
    package func text(_ key: Key) -> String? { self[key]?.display }

    /// The lengths and checksum of a `content=` or `big=` value.
    package func extent(_ key: Key) -> ContentExtent? { self[key].flatMap { ContentExtent(parsing: $0) } }
}

/// `length:crc32c` of a message's content.
package struct ContentExtent: Hashable, Sendable {
    /// Bytes.
    package let length: Int
    package let checksum: UInt32

    package init(length: Int, checksum: UInt32) {
        self.length = length
        self.checksum = checksum
    }

    package init?(parsing value: [UInt8]) {
        let parts = value.split(separator: UInt8(ascii: ":"))
        guard parts.count == 2, let length = parts[0].decimalValue, let crc = Hex.value(parts[1]), crc <= UInt32.max
        else { return nil }
        self.init(length: length, checksum: UInt32(crc))
    }

    package var text: [UInt8] { Array("\(length):".utf8) + Hex.text(UInt64(checksum), digits: 8) }
}

/// The result of looking for one record at the start of some bytes.
package enum RecordParse: Hashable, Sendable {
    /// A record whose line takes `lineLength` bytes; its inline content, if any, and a line feed follow.
    case record(Record, lineLength: Int)
    /// More bytes are needed, up to `RecordParser.maximumLine`.
    case incomplete
    case invalid
}

package enum RecordParser {
    /// No longer line is written or read: 1,000 recipients with the longest addresses fit.
    package static let maximumLine = 1 << 20

    /// Parses the line at the start of `bytes`; `seed` is that of the segment's epoch.
    package static func parse(_ bytes: ArraySlice<UInt8>, seed: UInt32, checksum: Checksum) -> RecordParse {
        guard let end = bytes.firstIndex(of: 0x0A) else { return bytes.count >= maximumLine ? .invalid : .incomplete }
        let line = bytes[bytes.startIndex..<end]
        guard line.count > 12, line.count < maximumLine else { return .invalid }
        let mark = line.endIndex - 10
        guard line[mark] == 0x20, line[mark + 1] == UInt8(ascii: "#"),
            line[(mark + 2)...].elementsEqual(Hex.text(UInt64(checksum.of(line[..<mark], seed: seed)), digits: 8)),
            let record = fields(line[..<mark])
        else { return .invalid }
        return .record(record, lineLength: line.count + 1)
    }

    /// The words of a line whose checksum was right, or of an event line on stderr.
    package static func fields(_ text: ArraySlice<UInt8>) -> Record? {
        let line = Array(text)
        guard let verbEnd = line.firstIndex(of: 0x20) else { return nil }
        let idEnd = line[(verbEnd + 1)...].firstIndex(of: 0x20) ?? line.count
        var id: QueueID?
        if idEnd != verbEnd + 2 || line[verbEnd + 1] != UInt8(ascii: "-") {
            guard let parsed = QueueID(parsing: line[(verbEnd + 1)..<idEnd]) else { return nil }
            id = parsed
        }
        guard let places = places(line, from: idEnd) else { return nil }
        return Record(verb: Verb(line[..<verbEnd]), id: id, line: line, places: places)
    }

    /// One pass: words are set apart by single spaces, each has a `=`, and each `%` begins an escape.
    private static func places(_ line: [UInt8], from start: Int) -> [Record.Place]? {
        var places: [Record.Place] = []
        places.reserveCapacity(8)
        var at = start
        while at < line.count {
            let keyStart = at + 1
            var equals = -1
            at = keyStart
            while at < line.count, line[at] != 0x20 {
                if line[at] == UInt8(ascii: "="), equals < 0 { equals = at }
                if line[at] == UInt8(ascii: "%"), equals >= 0 {
                    guard at + 2 < line.count, line[at + 1].hexValue != nil, line[at + 2].hexValue != nil else { return nil }
                }
                at += 1
            }
            guard equals >= 0 else { return nil }
            places.append(Record.Place(key: keyStart..<equals, value: (equals + 1)..<at))
        }
        return places
    }
}
