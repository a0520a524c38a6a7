// Packets are cut where their length says, and a length that cannot be is refused before anything is held for it.

import MailTestKit
import MilterProtocol
import Testing

struct PacketFramerTests {
    private func results(_ pieces: [ArraySlice<UInt8>], limit: Int = 16) -> [PacketFramer.Result] {
        var framer = PacketFramer(limit: limit)
        var results: [PacketFramer.Result] = []
        for piece in pieces {
            framer.append(piece)
            while results.last != .invalid, let result = framer.next() { results.append(result) }
        }
        return results
    }

    @Test(arguments: [
        ([0, 0, 0, 1, 99], [.packet(MilterPacket(99))]),
        ([0, 0, 0, 3, 99, 1, 2], [.packet(MilterPacket(99, [1, 2]))]),
        ([0, 0, 0, 1, 99, 0, 0, 0, 2, 98, 7], [.packet(MilterPacket(99)), .packet(MilterPacket(98, [7]))]),
        ([], []), ([0, 0, 0], []), ([0, 0, 0, 1], []), ([0, 0, 0, 3, 99, 1], []),
        ([0, 0, 0, 0], [.invalid]), ([0, 0, 0, 0, 99], [.invalid]),
        ([0, 0, 0, 17], [.invalid]), ([0xFF, 0xFF, 0xFF, 0xFF], [.invalid]), ([0x80, 0, 0, 0], [.invalid]),
        ([0, 0, 0, 1, 99, 0, 0, 0, 0, 0, 0, 0, 1, 99], [.packet(MilterPacket(99)), .invalid]),
    ] as [([UInt8], [PacketFramer.Result])])
    func table(input: [UInt8], expected: [PacketFramer.Result]) {
        #expect(results([input[...]]) == expected)
        #expect(Chop.difference(input) { results($0) } == nil)
    }

    @Test func theLimitIsTheLargestPacket() {
        let largest = [0, 0, 0, 16] + [UInt8](repeating: 7, count: 16)
        #expect(results([largest[...]]) == [.packet(MilterPacket(7, [UInt8](repeating: 7, count: 15)))])
    }

    @Test func nothingIsHeldForALengthThatCannotBe() {
        var framer = PacketFramer(limit: 1 << 20)
        framer.append([0xFF, 0xFF, 0xFF, 0xFF])
        #expect(framer.next() == .invalid)
        for _ in 0..<100 { framer.append([UInt8](repeating: 0, count: 1000)) }
        #expect(framer.count == 0 && framer.next() == .invalid)
    }

    @Test func whatIsWrittenIsRead() {
        var generator = SeededGenerator()
        for _ in 0..<200 {
            let sent = (0..<Int.random(in: 0...6, using: &generator)).map { _ in
                MilterPacket(
                    UInt8.random(in: 0...255, using: &generator),
                    generator.bytes(Int.random(in: 0...15, using: &generator), from: [0, 1, 255]))
            }
            var stream: [UInt8] = []
            for packet in sent { packet.append(to: &stream) }
            #expect(results([stream[...]]) == sent.map { .packet($0) })
            #expect(Chop.difference(stream, places: 20, seed: generator.seed) { results($0) } == nil)
        }
    }
}
