// What waits and what flies: never beyond the limits, each copy once, no domain behind another.

import MailModel
import MailTestKit
import SpoolFormat
import Testing

@testable import Spool
@testable import remoted

/// A job of one copy, as queued's `assign` makes it.
func job(_ message: Int, to address: String, route: String? = nil) throws -> Job {
    let id = QueueID(origin: .submission, epoch: 1, sequence: UInt32(message)).text.display
    let host = route.map { " host=\($0)" } ?? ""
    let line = "assign \(id) recipient=\(address) final=\(address) agent=remoted attempt=1\(host) from=alice@example.org location=u/00000001:300+180:3d0a8730"
    let record = try #require(RecordParser.fields(Array(line.utf8)[...]))
    let position = LogPosition(segment: 1, offset: Int64(message) * 100)
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
        #expect(departures.knows(flying.copies[0].key))
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
