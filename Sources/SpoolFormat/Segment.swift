// The rules of a segment: its name, its first line, and where a position in a log lies.

package import MailModel

/// A place in a log. Positions of one log compare by age.
package struct LogPosition: Hashable, Comparable, Sendable {
    /// The segment's number, from 1.
    package var segment: UInt32
    /// Bytes from the start of the segment.
    package var offset: Int64

    package init(segment: UInt32, offset: Int64) {
        self.segment = segment
        self.offset = offset
    }

    package static let start = LogPosition(segment: 0, offset: 0)
    package static func < (a: LogPosition, b: LogPosition) -> Bool { (a.segment, a.offset) < (b.segment, b.offset) }

    /// `00000007:4096`
    package var text: [UInt8] { SegmentName.digits(segment) + Array(":\(offset)".utf8) }

    package init?(parsing text: some Collection<UInt8>) {
        let parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count == 2, let segment = parts[0].decimalValue, segment <= UInt32.max, let offset = parts[1].decimalValue
        else { return nil }
        self.init(segment: UInt32(segment), offset: Int64(offset))
    }
}

/// `00000007.log`
package enum SegmentName {
    package static func digits(_ number: UInt32) -> [UInt8] {
        let text = String(number)
        return Array(String(repeating: "0", count: max(0, 8 - text.count)).utf8) + Array(text.utf8)
    }

    package static func name(_ number: UInt32) -> [UInt8] { digits(number) + Array(".log".utf8) }

    /// Eight digits: 1.6 PB of log. A higher number is no segment, so that one more is always a number.
    package static let maximum: UInt32 = 99_999_999

    package static func number(_ name: some Collection<UInt8>) -> UInt32? {
        guard name.count == 12, name.suffix(4).elementsEqual(".log".utf8), let value = name.dropLast(4).decimalValue, value > 0
        else { return nil }
        return UInt32(value)
    }
}

/// The first line of a segment: `martlet-log 1 smtpd/mail 00000007 epoch=… salt=… after=00000006 sealed=1048576 #crc`.
package struct SegmentHeader: Hashable, Sendable {
    package static let version = 1
    /// The folder below the spool, such as `smtpd/mail`: a segment moved elsewhere is not believed.
    package let log: [UInt8]
    package let number: UInt32
    package let epoch: UInt64
    /// Random, and in no id: who sends a message knows the epoch from its id, and must not be able to write records in it.
    package let salt: UInt32
    /// The segment before, and the length of it that counts; everything beyond was never acknowledged.
    package let predecessor: LogPosition?

    package init(log: [UInt8], number: UInt32, random: UInt64, salt: UInt32, predecessor: LogPosition?) {
        self.log = log
        self.number = number
        self.salt = salt
        self.predecessor = predecessor
        epoch = SegmentHeader.epoch(number: number, random: random)
    }

    /// Seeds the checksum of every line, so that a block of an older file is no record here.
    package var seed: UInt32 { salt ^ UInt32(truncatingIfNeeded: epoch ^ epoch >> 32) }

    /// 24 bits of the number, so that ids sort by age, and 40 bits that nobody can guess or repeat.
    package static func epoch(number: UInt32, random: UInt64) -> UInt64 {
        UInt64(number & 0xFF_FFFF) << 40 | random & 0xFF_FFFF_FFFF
    }

    package func line(checksum: Checksum) -> [UInt8] {
        var text = Array("martlet-log \(SegmentHeader.version) ".utf8) + log + [0x20] + SegmentName.digits(number)
        text += Array(" epoch=".utf8) + Hex.text(epoch, digits: 16) + Array(" salt=".utf8) + Hex.text(UInt64(salt), digits: 8)
        if let predecessor {
            text += Array(" after=".utf8) + SegmentName.digits(predecessor.segment) + Array(" sealed=\(predecessor.offset)".utf8)
        }
        let crc = checksum.of(text)
        return text + Array(" #".utf8) + Hex.text(UInt64(crc), digits: 8) + [0x0A]
    }

    /// Nil if this is no whole and valid header line; the second value is the line's length.
    package static func parse(_ bytes: ArraySlice<UInt8>, checksum: Checksum) -> (SegmentHeader, length: Int)? {
        guard let end = bytes.prefix(512).firstIndex(of: 0x0A), end - bytes.startIndex > 10 else { return nil }
        let line = bytes[bytes.startIndex..<end]
        let mark = line.endIndex - 10
        guard line[mark] == 0x20, line[mark + 1] == UInt8(ascii: "#"),
            line[(mark + 2)...].elementsEqual(Hex.text(UInt64(checksum.of(line[..<mark])), digits: 8))
        else { return nil }
        let words = line[..<mark].split(separator: 0x20)
        guard words.count == 6 || words.count == 8, words[0].elementsEqual("martlet-log".utf8), words[1].decimalValue == version,
            let number = words[3].decimalValue, let epoch = value(words[4], "epoch=").flatMap(Hex.value),
            let salt = value(words[5], "salt=").flatMap(Hex.value), salt <= UInt32.max
        else { return nil }
        var predecessor: LogPosition?
        if words.count == 8 {
            guard let after = value(words[6], "after=")?.decimalValue, let sealed = value(words[7], "sealed=")?.decimalValue,
                after <= SegmentName.maximum
            else { return nil }
            predecessor = LogPosition(segment: UInt32(after), offset: Int64(sealed))
        }
        guard number <= SegmentName.maximum else { return nil }
        let header = SegmentHeader(
            log: Array(words[2]), number: UInt32(number), random: epoch, salt: UInt32(salt), predecessor: predecessor)
        return header.epoch == epoch ? (header, line.count + 1) : nil
    }

    private static func value(_ word: ArraySlice<UInt8>, _ prefix: String) -> ArraySlice<UInt8>? {
        word.starts(with: prefix.utf8) ? word.dropFirst(prefix.utf8.count) : nil
    }
}

/// Where the content of an accepted message lies: `smtpd/00000007:4096+10240` or `smtpd/big+5242880`, and its checksum.
package struct ContentLocation: Hashable, Sendable {
    package let origin: QueueOrigin
    /// The content's own place in the mail log; nil for a big file named by the id.
    package let position: LogPosition?
    package let extent: ContentExtent

    package init(origin: QueueOrigin, position: LogPosition?, extent: ContentExtent) {
        self.origin = origin
        self.position = position
        self.extent = extent
    }

    package var text: [UInt8] {
        [origin.rawValue, UInt8(ascii: "/")] + (position?.text ?? Array("big".utf8)) + [UInt8(ascii: "+")] + extent.text
    }

    package init?(parsing text: [UInt8]) {
        guard text.count > 2, let origin = QueueOrigin(rawValue: text[0]), text[1] == UInt8(ascii: "/"),
            let plus = text.firstIndex(of: UInt8(ascii: "+")), let extent = ContentExtent(parsing: Array(text[(plus + 1)...]))
        else { return nil }
        let place = text[2..<plus]
        if place.elementsEqual("big".utf8) {
            self.init(origin: origin, position: nil, extent: extent)
        } else {
            guard let position = LogPosition(parsing: place) else { return nil }
            self.init(origin: origin, position: position, extent: extent)
        }
    }
}

extension QueueID {
    /// The number of the segment with which the epoch of this id begins; means nothing for a child's.
    package var segment: UInt32 { UInt32(truncatingIfNeeded: epoch >> 40) }
}
