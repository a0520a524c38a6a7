// Queue ids: printing and parsing are inverse, ids sort as they were given, and nothing else parses.

import MailModel
import MailTestKit
import Testing

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

@Suite struct QueueIDTests {
    @Test func printedAndParsedIsTheSame() throws {
        var random = SeededGenerator()
        for _ in 0..<5000 {
            let origin = try #require(QueueOrigin.allCases.randomElement(using: &random))
            let id = QueueID(origin: origin, epoch: random.next(), sequence: UInt32.random(in: 0...QueueID.maximumSequence, using: &random))
            #expect(id.text.count == QueueID.textLength)
            #expect(QueueID(parsing: id.text) == id)
        }
        for epoch in [0, 1, UInt64.max] {
            for sequence in [0, 1, QueueID.maximumSequence] {
                let id = QueueID(origin: .smtpd, epoch: epoch, sequence: sequence)
                #expect(QueueID(parsing: id.text) == id)
            }
        }
    }

    @Test func textSortsAsIdsDo() {
        var random = SeededGenerator()
        for _ in 0..<2000 {
            let one = QueueID(origin: .queued, epoch: random.next(), sequence: UInt32(random.next() & 0x1FF_FFFF))
            let two = QueueID(origin: .queued, epoch: random.next() & 1 == 0 ? one.epoch : random.next(), sequence: UInt32(random.next() & 0x1FF_FFFF))
            #expect((one < two) == one.text.lexicographicallyPrecedes(two.text))
        }
    }

    @Test(arguments: [
        "", "s", "x000000000000000000", "S000000000000000000", "s00000000000000000", "s0000000000000000000", "sg00000000000000000",
        "s00000000000000000i", "s00000000000000000l", "s00000000000000000o", "s00000000000000000u", "s00000000000000000A", "s0000000000000 0000",
        "s00000000000/00000", "../../../etc/passwd",
    ])
    func isRefused(_ text: String) { #expect(QueueID(parsing: bytes(text)) == nil) }

    @Test func hostileBytesGiveNothingOrThemselves() {
        var random = SeededGenerator()
        let alphabet = bytes("suq0123456789abcdefghjkmnpqrstvwxyzilo/. ")
        for _ in 0..<20_000 {
            let text = random.bytes(Int.random(in: 18...20, using: &random), from: alphabet)
            if let id = QueueID(parsing: text) { #expect(id.text == text) }
        }
    }

    @Test func aChildHasTheNameOfItsDigest() {
        let digest = (0..<32).map { UInt8($0 * 7) }
        let one = QueueID(origin: .queued, digest: digest)
        #expect(one == QueueID(origin: .queued, digest: digest))
        #expect(one != QueueID(origin: .queued, digest: digest.reversed()))
        #expect(QueueID(parsing: one.text) == one)
        #expect(QueueID(origin: .queued, digest: [UInt8]()).epoch == 0)
        #expect(one != QueueID(origin: .queued, digest: digest.prefix(11) + [digest[11] ^ 1]), "the twelfth byte counts")
    }

    @Test func aSequenceIsTwentyFiveBits() { #expect(QueueID(origin: .smtpd, epoch: 0, sequence: .max).sequence == (1 << 25) - 1) }
}

@Suite struct Base32Tests {
    @Test(arguments: [(0, 1, "0"), (31, 1, "z"), (32, 2, "10"), (UInt64.max, 13, "fzzzzzzzzzzzz"), (1, 5, "00001")] as [(UInt64, Int, String)])
    func digits(_ value: UInt64, _ count: Int, _ text: String) {
        #expect(Base32.digits(value, count: count) == bytes(text))
        #expect(Base32.value(bytes(text)) == value)
    }

    @Test(arguments: ["g000000000000", "zzzzzzzzzzzzz", "10000000000000", "i", "l", "o", "u", "-", "é", "A"])
    func isRefused(_ text: String) { #expect(Base32.value(bytes(text)) == nil) }
}
