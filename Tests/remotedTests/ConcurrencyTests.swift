// How fast connections begin: slowly where nothing is known, faster with each success, not at all where nobody answers.

import MailModel
import MailTestKit
import Testing

@testable import remoted

@Suite struct ConcurrencyTests {
    @Test func itGrowsByOneAndShrinksByHalf() {
        var pace = Concurrency()
        #expect(pace.allowed == 2)
        for expected in [3, 4, 5, 5] {
            pace.note(.reached, limit: 5)
            #expect(pace.allowed == expected)
        }
        pace.note(.unknown, limit: 5)
        #expect(pace.allowed == 5)
        pace.note(.unreached, limit: 5)
        #expect(pace.allowed == 2 && !pace.isDead)
        pace.note(.reached, limit: 5)
        pace.note(.unreached, limit: 5)
        #expect(!pace.isDead)
        pace.note(.unreached, limit: 5)
        #expect(pace.allowed == 1 && pace.isDead)
        pace.note(.reached, limit: 1)
        #expect(pace.allowed == 1 && !pace.isDead)
    }

    @Test func whoWaitsForADeadHostIsAnsweredAlike() throws {
        var departures = Departures(limit: 10, limitPerDomain: 5)
        for message in 1...1000 { #expect(departures.add(try job(message, to: "a@dead.example"))) }
        #expect(departures.add(try job(2000, to: "a@quick.example")))
        var flying: [Job] = []
        while let job = departures.next() { flying.append(job) }
        let dead = flying.filter { $0.domain.description == "dead.example" }
        #expect(flying.count == 3 && dead.count == 2)
        let none = departures.ended(dead[0], .unreached)
        #expect(none.isEmpty)
        let alike = departures.ended(dead[1], .unreached)
        #expect(alike.count == 998 && alike.allSatisfy { $0.domain.description == "dead.example" })
        // They stay known until their answers are durable, and then may come again.
        let early = departures.add(alike[0])
        departures.forget(alike[0].copies[0].key)
        let late = departures.add(alike[0])
        #expect(!early && late)
        let again = departures.next()
        #expect(again?.id == alike[0].id)
    }

    @Test func theLastConnectionsAreForDomainsThatHaveNone() throws {
        var departures = Departures(limit: 100, limitPerDomain: 5)
        for message in 1...10_000 { #expect(departures.add(try job(message, to: "a@slow\(message % 40).example"))) }
        var flying: [Job] = []
        while let job = departures.next() { flying.append(job) }
        #expect(flying.count == 75)
        for message in 1...25 { #expect(departures.add(try job(20_000 + message, to: "a@quick\(message).example"))) }
        while let job = departures.next() { flying.append(job) }
        #expect(flying.count == 100 && Set(flying.map(\.domain)).count == 65)
    }

    /// Three days down, then ten thousand messages at once: a manual clock in seconds, 80 domains that take a message in a second, 20 whose hosts let
    /// a connection wait for half a minute and are down.
    @Test func afterALongOutageConnectionsBeginAtABoundedRate() throws {
        var random = SeededGenerator(), departures = Departures(limit: 100, limitPerDomain: 5)
        let domains = (0..<100).map { "host\($0).example" }
        for message in 0..<10_000 { #expect(departures.add(try job(message, to: "a@\(domains[message % 100])"))) }
        var flying: [(job: Job, end: Int)] = [], begun: [Int: Int] = [:], firstSecond: [Domain: Int] = [:], deadConnections: [Domain: Int] = [:]
        var delivered = 0, alike = 0, second = 0
        while delivered + alike < 10_000, second < 3600 {
            for (job, _) in flying.filter({ $0.end <= second }) {
                let isDead = deadConnections[job.domain] != nil
                alike += departures.ended(job, isDead ? .unreached : .reached).count + (isDead ? 1 : 0)
                delivered += isDead ? 0 : 1
            }
            flying.removeAll { $0.end <= second }
            while let job = departures.next() {
                let isDead = (Int(job.domain.description.dropFirst(4).prefix { $0.isNumber }) ?? 0) % 5 == 0
                if isDead { deadConnections[job.domain, default: 0] += 1 }
                begun[second / 60, default: 0] += 1
                if second == 0 { firstSecond[job.domain, default: 0] += 1 }
                flying.append((job, second + (isDead ? 30 : 1) + Int.random(in: 0...1, using: &random)))
            }
            #expect(flying.count <= 100)
            second += 1
        }
        #expect(delivered == 8000 && alike == 2000)
        #expect(firstSecond.values.allSatisfy { $0 <= Concurrency.start })
        #expect(deadConnections.count == 20 && deadConnections.values.allSatisfy { $0 <= 3 }, "\(deadConnections.values)")
        #expect(begun.values.allSatisfy { $0 <= 100 * 60 }, "\(begun)")
    }
}
