// A record as read back: nothing is believed before its checksum is right, nothing is allocated before its bound is known.

package import MailModel

/// A record of a segment.
package struct Record: Hashable, Sendable {
    /// Nil for a verb of a later version, which readers skip.
    package let verb: Verb?
    package let id: QueueID?
    /// Keys as bytes and values unescaped, in the order of the line; a key may repeat.
    package let fields: [Field]

    package struct Field: Hashable, Sendable {
        package let key: [UInt8]
        package let value: [UInt8]
    }

    package subscript(_ key: Key) -> [UInt8]? {
        fields.first { $0.key.elementsEqual(key.rawValue.utf8) }?.value
    }

    package func all(_ key: Key) -> [[UInt8]] {
        fields.compactMap { $0.key.elementsEqual(key.rawValue.utf8) ? $0.value : nil }
    }

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
    package static func fields(_ line: ArraySlice<UInt8>) -> Record? {
        let words = line.split(separator: 0x20, omittingEmptySubsequences: false)
        guard words.count >= 2 else { return nil }
        var id: QueueID?
        if words[1] != [UInt8(ascii: "-")] {
            guard let parsed = QueueID(parsing: words[1]) else { return nil }
            id = parsed
        }
        var fields: [Record.Field] = []
        fields.reserveCapacity(words.count - 2)
        for word in words.dropFirst(2) {
            guard let equals = word.firstIndex(of: UInt8(ascii: "=")), let value = Escaping.value(word[(equals + 1)...])
            else { return nil }
            fields.append(Record.Field(key: Array(word[..<equals]), value: value))
        }
        return Record(verb: Verb(words[0]), id: id, fields: fields)
    }
}
