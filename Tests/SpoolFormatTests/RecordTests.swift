// Record lines: a value, an incomplete one or an invalid one, and no flipped bit goes unseen.

import MailModel
import MailTestKit
import SpoolFormat
import Testing

@Suite struct RecordTests {
    static let seed: UInt32 = 0x5EED_1234
    static let id = QueueID(origin: .smtpd, epoch: 0x0000_0700_1234_5678, sequence: 9)

    static func parse(_ bytes: some Sequence<UInt8>, seed: UInt32 = seed) -> RecordParse {
        RecordParser.parse(Array(bytes)[...], seed: seed, checksum: plainChecksum)
    }

    static var line: [UInt8] {
        var line = RecordLine(.accept, id)
        line.add(.from, "alice@example.org")
        line.add(.to, "bob@example.net")
        line.add(.to, "käthe b@example.net")
        line.add(.size, 812)
        line.add(.helo, [0xFF, 0x0A, 0x25] as [UInt8])
        line.add(.reason, nil as [UInt8]?)
        return line.sealed(seed: seed, checksum: plainChecksum)
    }

    @Test func theChecksumIsCRC32C() { #expect(plainChecksum.of(bytes("123456789")) == 0xE306_9283) }

    @Test func aWholeLineIsARecord() throws {
        guard case .record(let record, let length) = RecordTests.parse(RecordTests.line + bytes("more")) else {
            Issue.record("no record")
            return
        }
        #expect(length == RecordTests.line.count)
        #expect(record.verb == .accept && record.id == RecordTests.id)
        #expect(record[.from] == bytes("alice@example.org"))
        #expect(record.all(.to) == [bytes("bob@example.net"), bytes("käthe b@example.net")])
        #expect(record.number(.size) == 812 && record[.helo] == [0xFF, 0x0A, 0x25])
        #expect(record[.reason] == nil && record.fields.count == 5)
        #expect(record.text(.from) == "alice@example.org")
    }

    @Test func everyBeginningOfALineIsIncomplete() {
        let line = RecordTests.line
        for length in 0..<line.count { #expect(RecordTests.parse(line.prefix(length)) == .incomplete, "\(length)") }
    }

    @Test func everyFlippedBitIsFound() {
        let line = RecordTests.line
        for index in line.indices {
            for bit in 0..<8 {
                var flipped = line
                flipped[index] ^= 1 << UInt8(bit)
                if case .record = RecordTests.parse(flipped + bytes("\n")) { Issue.record("bit \(bit) of byte \(index)") }
            }
        }
    }

    @Test func aLineOfAnotherSegmentIsInvalid() { #expect(RecordTests.parse(RecordTests.line, seed: RecordTests.seed ^ 1) == .invalid) }

    /// Lines with a right checksum that are no records all the same.
    @Test(arguments: ["accept", "accept notanid a=b", "accept - novalue", "accept - a=%zz", "accept  - a=b", "accept - a=b "])
    func isInvalid(_ text: String) {
        let text = bytes(text)
        let line = text + bytes(" #") + Hex.text(UInt64(plainChecksum.of(text, seed: RecordTests.seed)), digits: 8) + [0x0A]
        #expect(RecordTests.parse(line) == .invalid)
    }

    @Test(arguments: ["\n", "\n\n", "#00000000\n", " #00000000\n", "message text of a stranger\r\n", "\u{0}\u{0}\u{0}\n"])
    func whatIsNoRecordIsInvalid(_ text: String) { #expect(RecordTests.parse(bytes(text)) == .invalid) }

    @Test func aVerbOfALaterVersionIsARecordWithoutOne() {
        let text = bytes("teleport - to=mars")
        let line = text + bytes(" #") + Hex.text(UInt64(plainChecksum.of(text, seed: 1)), digits: 8) + [0x0A]
        guard case .record(let record, _) = RecordTests.parse(line, seed: 1) else {
            Issue.record("skipping needs a record")
            return
        }
        #expect(record.verb == nil && record.id == nil && record[.to] == bytes("mars"))
    }

    @Test func noLineIsLongerThanTheBound() {
        let endless = [UInt8](repeating: 0x61, count: RecordParser.maximumLine)
        #expect(RecordTests.parse(endless.dropLast()) == .incomplete)
        #expect(RecordTests.parse(endless) == .invalid)
        #expect(RecordTests.parse(endless + [0x0A]) == .invalid)
    }

    @Test func randomRecordsComeBack() {
        var random = SeededGenerator()
        for _ in 0..<3000 {
            let verb = Verb.allCases.randomElement(using: &random) ?? .accept
            var line = RecordLine(verb, random.next() & 1 == 0 ? RecordTests.id : nil)
            var expected: [[UInt8]] = []
            for _ in 0..<Int.random(in: 0...5, using: &random) {
                let value = random.bytes(Int.random(in: 0...9, using: &random), from: bytes("a %=#\n") + [0xFF, 0xC3, 0xA9])
                line.add(Key.allCases.randomElement(using: &random) ?? .to, value)
                expected.append(value)
            }
            let sealed = line.sealed(seed: 7, checksum: plainChecksum)
            guard case .record(let record, let length) = RecordTests.parse(sealed, seed: 7) else {
                Issue.record("\(line.bytes.display)")
                continue
            }
            #expect(length == sealed.count && record.verb == verb && record.id == line.id && record.fields.map(\.value) == expected)
            #expect(RecordParser.fields(line.bytes[...]) == record)
        }
    }

    @Test func randomBytesAreNoRecord() {
        var random = SeededGenerator()
        for _ in 0..<20_000 {
            let text = random.bytes(Int.random(in: 0...40, using: &random), from: bytes("accept - a=b#0 \n"))
            if case .record = RecordTests.parse(text) { Issue.record("\(text)") }
        }
    }

    @Test(arguments: ["1", "1:", ":1", "1:2:3", "x:1", "1:g", "1:100000000", "-1:0", "9999999999999999999:0"])
    func isNoExtent(_ text: String) { #expect(ContentExtent(parsing: bytes(text)) == nil) }

    @Test func anExtentComesBack() {
        let extent = ContentExtent(length: 10240, checksum: 0x9E)
        #expect(extent.text == bytes("10240:0000009e") && ContentExtent(parsing: extent.text) == extent)
    }

    @Test func verbsAndKeysHaveNamesOfTheirOwn() {
        #expect(Set(Verb.allCases.map(\.rawValue)).count == Verb.allCases.count)
        for name in Verb.allCases.map(\.rawValue) + Key.allCases.map(\.rawValue) {
            #expect(name.utf8.allSatisfy { $0.isASCIILetter || $0 == UInt8(ascii: "-") }, "\(name) would need escaping")
        }
    }
}
