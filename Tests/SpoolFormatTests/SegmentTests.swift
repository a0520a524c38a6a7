// Header lines, positions and locations: what is printed is parsed, and what is damaged is not.

import MailModel
import MailTestKit
import SpoolFormat
import Testing

@Suite struct SegmentTests {
    static let header = SegmentHeader(
        log: bytes("smtpd/mail"), number: 7, random: 0xFFFF_FF12_3456_789A, salt: 0xCAFE_F00D, predecessor: LogPosition(segment: 6, offset: 16_779_240))

    @Test func theHeaderIsReadableText() {
        let text = SegmentTests.header.line(checksum: plainChecksum).display
        #expect(text.hasPrefix("martlet-log 1 smtpd/mail 00000007 epoch=000007123456789a salt=cafef00d after=00000006 sealed=16779240 #"))
        #expect(text.hasSuffix("\n"))
    }

    @Test func printedAndParsedIsTheSame() throws {
        var random = SeededGenerator()
        for _ in 0..<500 {
            let number = UInt32.random(in: 1...SegmentName.maximum, using: &random)
            let before = random.next() & 1 == 0 ? nil : LogPosition(segment: number - 1, offset: Int64(random.next() >> 8))
            let header = SegmentHeader(
                log: bytes("queued/events"), number: number, random: random.next(), salt: UInt32(truncatingIfNeeded: random.next()), predecessor: before)
            let line = header.line(checksum: plainChecksum)
            let parsed = try #require(SegmentHeader.parse((line + bytes("accept"))[...], checksum: plainChecksum))
            #expect(parsed.0 == header && parsed.length == line.count)
            #expect(header.epoch >> 40 == UInt64(number & 0xFF_FFFF), "ids sort by the segment's number")
        }
    }

    @Test func everyFlippedBitIsFound() {
        let line = SegmentTests.header.line(checksum: plainChecksum)
        for index in line.indices {
            for bit in 0..<8 {
                var flipped = line
                flipped[index] ^= 1 << UInt8(bit)
                #expect(SegmentHeader.parse(flipped[...], checksum: plainChecksum) == nil, "bit \(bit) of byte \(index)")
            }
        }
    }

    @Test func everyBeginningIsNoHeader() {
        let line = SegmentTests.header.line(checksum: plainChecksum)
        for length in 0..<line.count { #expect(SegmentHeader.parse(line.prefix(length), checksum: plainChecksum) == nil) }
    }

    /// Lines with a right checksum and a wrong meaning.
    @Test(arguments: [
        "martlet-log 2 a/mail 00000007 epoch=0000070000000000 salt=00000000", "martlet-log 1 a/mail 00000007 epoch=0000080000000000 salt=00000000",
        "martlet-log 1 a/mail 100000000 epoch=0000000000000000 salt=00000000", "martlet-log 1 a/mail 4294967295 epoch=ffffff0000000000 salt=00000000",
        "martlet-log 1 a/mail 00000007 epoch=0000070000000000", "martlet-log 1 a/mail 00000007 epoch=0000070000000000 salt=100000000",
        "martlet-log 1 a/mail 00000007 epoch=0000070000000000 salt=00000000 after=00000006",
        "martlet-log 1 a/mail 00000007 epoch=0000070000000000 salt=00000000 after=4294967295 sealed=1",
        "martlet-log 1 a/mail 00000007 epoch=0000070000000000 salt=00000000 after=00000006 sealed=-1", "", "x",
    ])
    func isNoHeader(_ text: String) {
        let line = bytes(text) + bytes(" #") + Hex.text(UInt64(plainChecksum.of(bytes(text))), digits: 8) + [0x0A]
        #expect(SegmentHeader.parse(line[...], checksum: plainChecksum) == nil)
    }

    @Test func whoKnowsTheEpochDoesNotKnowTheSeed() {
        let other = SegmentHeader(log: bytes("smtpd/mail"), number: 7, random: SegmentTests.header.epoch, salt: 1, predecessor: nil)
        #expect(other.epoch == SegmentTests.header.epoch && other.seed != SegmentTests.header.seed)
    }

    @Test(arguments: [("00000001.log", 1), ("00000042.log", 42), ("99999999.log", 99_999_999)] as [(String, UInt32)])
    func segmentName(_ name: String, _ number: UInt32) {
        #expect(SegmentName.name(number) == bytes(name) && SegmentName.number(bytes(name)) == number)
    }

    @Test(arguments: [
        "", ".log", "00000000.log", "1.log", "000000001.log", "4294967295.log", "99999999999.log", "0000000a.log", "00000001.txt", "00000001.log~",
        ".new-00000001", "-0000001.log", " 0000001.log",
    ])
    func isNoSegmentName(_ name: String) { #expect(SegmentName.number(bytes(name)) == nil) }

    @Test(arguments: [(LogPosition(segment: 7, offset: 4096), "00000007:4096"), (.start, "00000000:0")])
    func position(_ position: LogPosition, _ text: String) {
        #expect(position.text == bytes(text) && LogPosition(parsing: bytes(text)) == position)
    }

    @Test(arguments: ["", ":", "1", "1:", ":1", "1:2:3", "a:1", "4294967296:0", "1:-1"])
    func isNoPosition(_ text: String) { #expect(LogPosition(parsing: bytes(text)) == nil) }

    @Test func positionsCompareByAge() {
        #expect(LogPosition(segment: 1, offset: 900) < LogPosition(segment: 2, offset: 0))
        #expect(LogPosition(segment: 2, offset: 1) < LogPosition(segment: 2, offset: 2))
    }

    @Test func aContentLocationComesBack() {
        let extent = ContentExtent(length: 10, checksum: 0xABCD)
        for position in [nil, LogPosition(segment: 3, offset: 77)] {
            for origin in QueueOrigin.allCases {
                let location = ContentLocation(origin: origin, position: position, extent: extent)
                #expect(ContentLocation(parsing: location.text) == location)
            }
        }
        #expect(ContentLocation(origin: .smtpd, position: nil, extent: extent).text == bytes("s/big+10:0000abcd"))
    }

    @Test(arguments: ["", "s", "s/", "s/big", "s/big+", "x/big+1:0", "s-big+1:0", "s/small+1:0", "s/1:2+1", "s/1+1:0", "s/+1:0", "/big+1:0", "s+/1:0"])
    func isNoContentLocation(_ text: String) { #expect(ContentLocation(parsing: bytes(text)) == nil) }
}
