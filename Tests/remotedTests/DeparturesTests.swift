// What waits and what flies: never beyond the limits, each copy once, no domain behind another.

import MailModel
import MailTestKit
import SpoolFormat
import Testing

@testable import Spool
@testable import remoted

/// A job of one copy, as queued's `assign` makes it.
func job(_ message: Int, to address: String, route: String? = nil, assigned: Int64? = nil, from sender: String = "alice@example.org") throws -> Job {
    let id = QueueID(origin: .submission, epoch: 1, sequence: UInt32(message)).text.display
    let host = route.map { " host=\($0)" } ?? ""
    let line = "assign \(id) recipient=\(address) final=\(address) agent=remoted attempt=1\(host) from=\(sender) location=u/00000001:300+180:3d0a8730"
    let record = try #require(RecordParser.fields(Array(line.utf8)[...]))
    let position = LogPosition(segment: 1, offset: assigned ?? Int64(message) * 100)
    return try #require(Job(PlacedRecord(record: record, position: position, lineLength: line.utf8.count, contentLength: 0)))
}

@Suite struct DeparturesTests {
    @Test func aCopyIsBegunOnceUntilItIsForgotten() throws {
        var departures = Departures(limit: 10, limitPerDomain: 10)
        #expect(departures.add(try job(1, to: "a@x.example")))
        #expect(!departures.add(try job(1, to: "a@x.example")))
        let begun = departures.next()
        let flying = try #require(begun)
        #expect(!departures.add(try job(1, to: "a@x.example")))
        departures.ended(flying)
        // Its result is not durable yet.
        #expect(!departures.add(try job(1, to: "a@x.example")))
        departures.forget(flying.copies[0].key)
        #expect(departures.add(try job(1, to: "a@x.example")))
    }

    /// A copy that was forwarded has a sender of its own.
    @Test func oneTransactionHasOneSender() throws {
        var departures = Departures(limit: 10, limitPerDomain: 10)
        #expect(departures.add(try job(1, to: "a@x.example")))
        #expect(departures.add(try job(1, to: "b@x.example", from: "SRS0=A=B=y.example=z@example.org")))
        #expect(departures.next()?.copies.count == 1)
        #expect(departures.next()?.copies.count == 1)
    }

    @Test func theAnswerNamesTheNewestAssignment() throws {
        var departures = Departures(limit: 10, limitPerDomain: 10)
        #expect(departures.add(try job(1, to: "a@x.example", assigned: 10)))
        let begun = departures.next()
        let flying = try #require(begun)
        #expect(!departures.add(try job(1, to: "a@x.example", assigned: 20)))
        #expect(departures.assignment(of: flying.copies[0].key) == LogPosition(segment: 1, offset: 20))
        departures.forget(flying.copies[0].key)
        #expect(departures.assignment(of: flying.copies[0].key) == nil)
    }

    @Test(arguments: [
        (nil, 10, "begin"), ("temporary answers=00000001:10", 10, "say"), ("temporary answers=00000001:10", 20, "begin"),
        ("temporary answers=00000001:20", 10, "nothing"), ("sent", 10, "say"), ("failed", 30, "say"),
    ] as [(String?, Int64, String)])
    func anAssignmentOlderThanTheAnswerCallsForNothing(_ known: String?, _ assigned: Int64, _ expected: String) throws {
        let copy = try job(1, to: "a@x.example", assigned: assigned).copies[0]
        var ledger = AgentLedger<Never>()
        if let known {
            let words = known.split(separator: " ", maxSplits: 1)
            let fields = words.dropFirst().first.map { " \($0)" } ?? ""
            let line = "\(words[0]) \(copy.key.id.text.display) recipient=a@x.example final=a@x.example\(fields)"
            ledger.replay(try #require(RecordParser.fields(Array(line.utf8)[...])))
        }
        let duty =
            switch ledger.duty(copy.key, assigned: copy.answers) {
            case .begin: "begin"
            case .say: "say"
            case .nothing: "nothing"
            }
        #expect(duty == expected)
    }

    @Test func copiesOfOneMessageToOneDomainShareATransaction() throws {
        var departures = Departures(limit: 10, limitPerDomain: 10)
        for address in ["a@x.example", "b@x.example", "c@y.example"] { #expect(departures.add(try job(1, to: address))) }
        #expect(departures.add(try job(2, to: "a@x.example")))
        #expect(departures.add(try job(1, to: "d@x.example", route: "h:25")))
        var taken: [[String]] = []
        while let job = departures.next() { taken.append(job.copies.map { $0.address.wire.display }) }
        #expect(taken.sorted { $0.joined() < $1.joined() } == [["a@x.example"], ["a@x.example", "b@x.example"], ["c@y.example"], ["d@x.example"]])
    }

    @Test func aDomainKeepsToItsLimitAndDoesNotHoldUpOthers() throws {
        var departures = Departures(limit: 10, limitPerDomain: 2)
        for message in 1...5 { #expect(departures.add(try job(message, to: "a@slow.example"))) }
        #expect(departures.add(try job(6, to: "a@other.example")))
        var flying: [Job] = []
        while let job = departures.next() { flying.append(job) }
        #expect(flying.map(\.domain.description).sorted() == ["other.example", "slow.example", "slow.example"])
        departures.ended(try #require(flying.first { $0.domain.description == "slow.example" }))
        #expect(departures.next()?.domain.description == "slow.example")
        #expect(departures.next() == nil)
    }

    @Test func whatHasNotBegunCanBeDropped() throws {
        var departures = Departures(limit: 1, limitPerDomain: 1)
        for message in 1...3 { #expect(departures.add(try job(message, to: "a@x.example"))) }
        let begun = departures.next()
        let flying = try #require(begun)
        departures.dropWaiting()
        departures.ended(flying)
        #expect(departures.next() == nil)
        #expect(departures.assignment(of: flying.copies[0].key) != nil)
        #expect(departures.add(try job(2, to: "a@x.example")))
    }

    @Test func everyCopyLeavesOnceAndTheLimitsHold() throws {
        var random = SeededGenerator()
        for _ in 0..<30 {
            let limit = Int.random(in: 1...6, using: &random), perDomain = Int.random(in: 1...3, using: &random)
            var departures = Departures(limit: limit, limitPerDomain: perDomain)
            var added = 0, left = 0
            var flying: [Job] = []
            for message in 1...200 {
                if departures.add(try job(message, to: "a@d\(Int.random(in: 1...5, using: &random)).example")) { added += 1 }
                while Bool.random(using: &random), let job = departures.next() { flying.append(job) }
                while Bool.random(using: &random), let index = flying.indices.randomElement(using: &random) {
                    left += flying[index].copies.count
                    departures.ended(flying.remove(at: index))
                }
                #expect(departures.flights == flying.count && flying.count <= limit)
                #expect(Dictionary(grouping: flying, by: \.domain).values.allSatisfy { $0.count <= perDomain })
            }
            while true {
                while let job = departures.next() { flying.append(job) }
                if flying.isEmpty { break }
                left += flying[0].copies.count
                departures.ended(flying.removeFirst())
            }
            #expect(left == added)
        }
    }
}
