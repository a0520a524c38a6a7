// Answers of DNS, right and wrong: whatever the bytes are, reading them ends, and says nothing that is not in them.

import MailModel
import MailTestKit
import Testing

@testable import Resolver

@Suite struct DNSMessageTests {
    @Test func recordsAreReadWithTheirNames() throws {
        let answer = Answer(
            records: [
                .init(name: "Example.ORG", type: 15, data: [0, 10] + Answer.name("MX.example.org")),
                .init(name: "example.org", type: 1, data: [192, 0, 2, 1]),
                .init(name: "example.org", type: 28, data: [0x20, 1, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [1]),
                .init(name: "www.example.org", type: 5, data: Answer.name("example.org")),
                .init(name: "example.org", type: 16, data: [1, 65]),
            ])
        let message = try #require(DNSMessage(parsing: answer.bytes))
        #expect(message.records.map(\.name.display) == ["example.org", "example.org", "example.org", "www.example.org", "example.org"])
        #expect(
            message.records.map(\.data) == [
                .exchange(preference: 10, host: Array("mx.example.org".utf8)),
                .address([192, 0, 2, 1]),
                .address([0x20, 1, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [1]),
                .alias(Array("example.org".utf8)),
                .text([65]),
            ])
        #expect(message.records.allSatisfy { $0.timeToLive == 300 })
    }

    @Test func compressedNamesAreFollowed() throws {
        // 12 is the question's name, example.org.
        let answer = Answer(records: [
            .init(nameBytes: [0xC0, 12], type: 15, data: [0, 5, 2] + Array("mx".utf8) + [0xC0, 12])
        ])
        let message = try #require(DNSMessage(parsing: answer.bytes))
        #expect(message.records.first?.data == .exchange(preference: 5, host: Array("mx.example.org".utf8)))
    }

    @Test func theRootAsExchangerIsTheNullMX() throws {
        let message = try #require(DNSMessage(parsing: Answer(records: [.init(name: "example.org", type: 15, data: [0, 0, 0])]).bytes))
        #expect(message.exchangers == [])
    }

    @Test func anAnswerWithoutMXHasNoExchangers() throws {
        let message = try #require(DNSMessage(parsing: Answer(records: [.init(name: "example.org", type: 5, data: Answer.name("a.b"))]).bytes))
        #expect(message.exchangers == nil)
    }

    struct Wrong: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let bytes: [UInt8]
    }

    static let wrong: [Wrong] = [
        Wrong(testDescription: "no bytes", bytes: []),
        Wrong(testDescription: "half a header", bytes: [UInt8](repeating: 0, count: 11)),
        Wrong(testDescription: "a name that points at itself", bytes: Answer(records: [.init(nameBytes: [0xC0, 29], type: 1, data: [1, 2, 3, 4])]).bytes),
        Wrong(testDescription: "a pointer behind the end", bytes: Answer(records: [.init(nameBytes: [0xFF, 0xFF], type: 1, data: [1, 2, 3, 4])]).bytes),
        Wrong(testDescription: "a label of a reserved kind", bytes: Answer(records: [.init(nameBytes: [0x80, 0], type: 1, data: [1, 2, 3, 4])]).bytes),
        Wrong(testDescription: "an address of three octets", bytes: Answer(records: [.init(name: "a", type: 1, data: [1, 2, 3])]).bytes),
        Wrong(testDescription: "an IPv6 address of four octets", bytes: Answer(records: [.init(name: "a", type: 28, data: [1, 2, 3, 4])]).bytes),
        Wrong(testDescription: "an MX without a host", bytes: Answer(records: [.init(name: "a", type: 15, data: [0, 1])]).bytes),
        Wrong(testDescription: "an MX whose host ends outside", bytes: Answer(records: [.init(name: "a", type: 15, data: [0, 1, 5, 65])]).bytes),
        Wrong(testDescription: "more answers than there are", bytes: Answer(records: [], claimed: 1).bytes),
        Wrong(testDescription: "thousands of answers", bytes: Answer(records: [], claimed: 65535).bytes),
        Wrong(
            testDescription: "a name of more than 255 octets",
            bytes: Answer(records: [.init(name: Array(repeating: String(repeating: "a", count: 60), count: 5).joined(separator: "."), type: 1, data: [1, 2, 3, 4])]).bytes),
    ]

    @Test(arguments: wrong) func whatIsNoAnswerIsRefused(_ wrong: Wrong) {
        #expect(DNSMessage(parsing: wrong.bytes) == nil)
    }

    @Test func aPartOfAnAnswerIsNoAnswer() {
        let bytes = Answer(records: [.init(name: "example.org", type: 15, data: [0, 10] + Answer.name("mx.example.org"))]).bytes
        for end in bytes.indices { #expect(DNSMessage(parsing: Array(bytes[..<end])) == nil, "first \(end) bytes") }
        #expect(DNSMessage(parsing: bytes) != nil)
    }

    @Test func damagedAnswersAreReadOrRefused() {
        var random = SeededGenerator()
        let good = Answer(records: [
            .init(nameBytes: [0xC0, 12], type: 15, data: [0, 10, 2] + Array("mx".utf8) + [0xC0, 12]),
            .init(name: "mx.example.org", type: 1, data: [192, 0, 2, 1]),
        ]).bytes
        for _ in 0..<20_000 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let place = Int.random(in: bytes.indices, using: &random)
                bytes[place] = UInt8.random(in: 0...255, using: &random)
            }
            guard let message = DNSMessage(parsing: bytes) else { continue }
            #expect(message.records.allSatisfy { $0.name.count <= 255 })
            for case .address(let address) in message.records.map(\.data) { #expect(address.count == 4 || address.count == 16) }
        }
    }
}

/// An answer to the question for example.org's records, built byte by byte.
struct Answer {
    struct Record {
        let nameBytes: [UInt8]
        let type: UInt16
        let data: [UInt8]

        init(nameBytes: [UInt8], type: UInt16, data: [UInt8]) {
            self.nameBytes = nameBytes
            self.type = type
            self.data = data
        }

        init(name: String, type: UInt16, data: [UInt8]) { self.init(nameBytes: Answer.name(name), type: type, data: data) }

        var bytes: [UInt8] { nameBytes + two(type) + two(1) + [0, 0, 1, 0x2C] + two(UInt16(data.count)) + data }
    }

    let records: [Record]
    var claimed: UInt16?

    var bytes: [UInt8] {
        let header = two(0x1234) + two(0x8180) + two(1) + two(claimed ?? UInt16(records.count)) + two(0) + two(0)
        return header + Answer.name("example.org") + two(15) + two(1) + records.flatMap(\.bytes)
    }

    static func name(_ text: String) -> [UInt8] {
        text.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
    }
}

private func two(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xFF)] }
