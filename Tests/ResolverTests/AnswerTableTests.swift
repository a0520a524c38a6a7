// What DNS said is remembered as long as it said, and no longer.

import MailModel
import MailPolicy
import MailTestKit
import Testing

@testable import Resolver

@Suite struct AnswerTableTests {
    private let question = AnswerTable.Question(name: Array("example.org".utf8), type: 15)

    private func message(life: UInt32) throws -> DNSMessage {
        var bytes = Answer(records: [.init(name: "example.org", type: 1, data: [192, 0, 2, 1])]).bytes
        bytes.replaceSubrange((bytes.count - 10)..<(bytes.count - 6), with: [UInt8(life >> 24), UInt8(life >> 16 & 255), UInt8(life >> 8 & 255), UInt8(life & 255)])
        return try #require(DNSMessage(parsing: bytes))
    }

    @Test(arguments: [(UInt32(60), Int64(60)), (1, 1), (1_000_000, 86400)]) func anAnswerLivesAsLongAsItSays(_ life: UInt32, _ seconds: Int64) throws {
        var table = AnswerTable()
        table.keep(.found(try message(life: life)), to: question, negativeLife: nil, at: 1000)
        guard case .found? = table.answer(to: question, at: 1000 + seconds - 1) else { return #expect(Bool(false)) }
        #expect(table.answer(to: question, at: 1000 + seconds) == nil)
    }

    @Test(arguments: [UInt32(0), 0x8000_0000, 0xFFFF_FFFF]) func aLifeOfNothingIsNotKept(_ life: UInt32) throws {
        var table = AnswerTable()
        table.keep(.found(try message(life: life)), to: question, negativeLife: nil, at: 1000)
        #expect(table.count == 0)
    }

    @Test(arguments: [(UInt32(60), Int64(60)), (100_000, 900)]) func whatIsMissingIsRememberedByItsSOA(_ life: UInt32, _ seconds: Int64) {
        for answer in [DNSAnswer<DNSMessage>.noData, .noSuchName] {
            var table = AnswerTable()
            table.keep(answer, to: question, negativeLife: life, at: 1000)
            #expect(table.answer(to: question, at: 1000 + seconds - 1) != nil)
            #expect(table.answer(to: question, at: 1000 + seconds) == nil)
        }
    }

    @Test func withoutAnSOAAndWithoutAnAnswerNothingIsRemembered() throws {
        var table = AnswerTable()
        table.keep(.noSuchName, to: question, negativeLife: nil, at: 1000)
        #expect(table.count == 0)
        table.keep(.found(try message(life: 60)), to: question, negativeLife: nil, at: 1000)
        table.keep(.unavailable, to: question, negativeLife: 60, at: 1000)
        #expect(table.count == 0)
    }

    @Test func theTableHasABound() throws {
        var table = AnswerTable(capacity: 100)
        let answer = DNSAnswer<DNSMessage>.found(try message(life: 60))
        for number in 0..<10_000 {
            table.keep(answer, to: AnswerTable.Question(name: Array("\(number)".utf8), type: 1), negativeLife: nil, at: Int64(number / 10))
            #expect(table.count <= 100)
        }
        #expect(table.answer(to: AnswerTable.Question(name: Array("9999".utf8), type: 1), at: 999) != nil)
    }

    @Test func aLargeAnswerIsNotKeptNorWhatWasThereBefore() throws {
        let bytes = Answer(records: [.init(name: "example.org", type: 1, data: [192, 0, 2, 1])]).bytes
        for (excess, isKept) in [(0, true), (1, false)] {
            var table = AnswerTable()
            table.keep(.found(try message(life: 60)), to: question, negativeLife: nil, at: 1000)
            let large = try #require(DNSMessage(parsing: bytes + Array(repeating: 0, count: 4096 + excess - bytes.count)))
            table.keep(.found(large), to: question, negativeLife: nil, at: 1000)
            #expect((table.count == 1) == isKept)
        }
    }

    @Test func aliasesAreFollowedToAnEnd() throws {
        func message(_ pairs: [(String, String)]) throws -> DNSMessage {
            try #require(DNSMessage(parsing: Answer(records: pairs.map { .init(name: $0.0, type: 5, data: Answer.name($0.1)) }).bytes))
        }
        func end(_ pairs: [(String, String)], _ name: String) throws -> String? {
            var left = DNSMessage.mostAliases
            return try message(pairs).canonicalName(of: Array(name.utf8), left: &left)?.display
        }
        #expect(try end([], "a.example") == "a.example")
        #expect(try end([("b.example", "c.example"), ("a.example", "b.example")], "a.example") == "c.example")
        #expect(try end([("a.example", "b.example"), ("b.example", "a.example")], "a.example") == nil)
        #expect(try end([("a.example", "a.example")], "a.example") == nil)
        let long = (0..<9).map { ("\($0).example", "\($0 + 1).example") }
        #expect(try end(Array(long.prefix(8)), "0.example") == "8.example")
        #expect(try end(long, "0.example") == nil)
    }

    @Test func theHeaderSaysWhetherAllWasValidatedAndTheSOAHowLongNothingIsThere() throws {
        var bytes = Answer(records: []).bytes
        #expect(try #require(DNSMessage(parsing: bytes)).isAuthentic == false)
        bytes[3] |= 0x20
        bytes[9] = 1
        let soa: [UInt8] = [0, 0] + [0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 77]
        let whole = bytes + Answer.Record(name: "org", type: 6, data: soa).bytes
        let message = try #require(DNSMessage(parsing: whole))
        #expect(message.isAuthentic && message.negativeLife == 77 && message.code == 0)
        for end in bytes.count..<whole.count { #expect(try #require(DNSMessage(parsing: Array(whole[..<end]))).negativeLife == nil) }
    }

    @Test func aCertificateAssociationIsReadAndHalfOfOneIsNoAnswer() throws {
        let message = try #require(DNSMessage(parsing: Answer(records: [.init(name: "_25._tcp.mx.example.org", type: 52, data: [3, 1, 1, 9, 8])]).bytes))
        guard case .association(let record)? = message.records.first?.data else { return #expect(Bool(false)) }
        #expect(record.usage == 3 && record.selector == 1 && record.matching == 1 && record.data == [9, 8])
        #expect(DNSMessage(parsing: Answer(records: [.init(name: "a", type: 52, data: [3, 1])]).bytes) == nil)
    }
}
