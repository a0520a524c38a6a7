// Rates and open connections, and the memory that has a bound.

import MailModel
import MailTestKit
import Testing

@testable import MailPolicy

@Suite struct RateTableTests {
    private let second: Int64 = 1_000_000_000
    private let client = IPAddress.four(192, 0, 2, 1)

    @Test func aBucketGivesWhatItHoldsAndFillsAgain() {
        var table = RateTable(address: RateLimits(messages: Rate(3, per: 60)), network: RateLimits())
        for _ in 0..<3 { #expect(table.spend(1, .messages, from: client, at: 0) == .allowed) }
        #expect(table.spend(1, .messages, from: client, at: 0) == .limited(.messages, .address, seconds: 20))
        #expect(table.spend(1, .messages, from: client, at: 20 * second - 1) == .limited(.messages, .address, seconds: 1))
        #expect(table.spend(1, .messages, from: client, at: 20 * second) == .allowed)
        #expect(table.spend(1, .messages, from: client, at: 20 * second) == .limited(.messages, .address, seconds: 20))
        #expect(table.spend(3, .messages, from: client, at: 79 * second) == .limited(.messages, .address, seconds: 1))
        #expect(table.spend(3, .messages, from: client, at: 80 * second) == .allowed)
    }

    @Test func subjectsAndClientsHaveBucketsOfTheirOwn() {
        let limits = RateLimits(
            connections: Rate(1, per: 60), messages: Rate(1, per: 60), recipients: Rate(1, per: 60), unknownRecipients: Rate(1, per: 60))
        var table = RateTable(address: limits, network: RateLimits())
        for subject in RateSubject.allCases {
            #expect(table.spend(1, subject, from: client, at: 0) == .allowed)
            #expect(table.spend(1, subject, from: client, at: 0) == .limited(subject, .address, seconds: 60))
        }
        #expect(table.spend(1, .messages, from: .four(192, 0, 2, 2), at: 0) == .allowed)
    }

    @Test func aNetworkIsCountedTogether() throws {
        var table = RateTable(address: RateLimits(), network: RateLimits(recipients: Rate(2, per: 60)))
        #expect(table.spend(1, .recipients, from: .four(192, 0, 2, 1), at: 0) == .allowed)
        #expect(table.spend(1, .recipients, from: .four(192, 0, 2, 200), at: 0) == .allowed)
        #expect(table.spend(1, .recipients, from: .four(192, 0, 2, 3), at: 0) == .limited(.recipients, .network, seconds: 30))
        #expect(table.spend(1, .recipients, from: .four(192, 0, 3, 3), at: 0) == .allowed)
    }

    @Test func anIPv6ClientIsIts64() throws {
        var table = RateTable(address: RateLimits(messages: Rate(1, per: 60)), network: RateLimits(messages: Rate(2, per: 60)))
        func spend(_ text: String) throws -> RateVerdict { table.spend(1, .messages, from: try ip(text), at: 0) }
        #expect(try spend("2001:db8::1") == .allowed)
        #expect(try spend("2001:db8::ffff:1") == .limited(.messages, .address, seconds: 60))
        #expect(try spend("2001:db8:0:1::1") == .allowed)
        #expect(try spend("2001:db8:0:2::1") == .limited(.messages, .network, seconds: 30))
        #expect(try spend("2001:db8:1::1") == .allowed)
        #expect(try spend("::ffff:192.0.2.1") == .allowed)
        #expect(try spend("192.0.2.1") == .limited(.messages, .address, seconds: 60))
    }

    @Test func aRefusalTakesNothing() {
        var table = RateTable(address: RateLimits(messages: Rate(5, per: 50)), network: RateLimits(messages: Rate(2, per: 50)))
        #expect(table.spend(2, .messages, from: client, at: 0) == .allowed)
        for _ in 0..<10 { #expect(table.spend(1, .messages, from: client, at: 0) == .limited(.messages, .network, seconds: 25)) }
        #expect(table.wait(1, .messages, from: client, at: 25 * second) == .allowed)
        #expect(table.spend(1, .messages, from: client, at: 25 * second) == .allowed)
        #expect(table.spend(4, .messages, from: client, at: 25 * second) != .allowed, "more than a bucket ever holds")
    }

    @Test func openConnectionsAreCounted() {
        var table = RateTable(address: RateLimits(concurrent: 2), network: RateLimits(concurrent: 3))
        #expect(table.connectionOpened(from: client, at: 0) == .allowed)
        #expect(table.connectionOpened(from: client, at: 0) == .allowed)
        #expect(table.connectionOpened(from: client, at: 0) == .crowded(.address))
        let neighbour = IPAddress.four(192, 0, 2, 2)
        #expect(table.connectionOpened(from: neighbour, at: 0) == .allowed)
        #expect(table.connectionOpened(from: neighbour, at: 0) == .crowded(.network))
        #expect(table.open(.address, from: client) == 2 && table.open(.network, from: client) == 3)
        table.connectionClosed(from: client)
        #expect(table.connectionOpened(from: neighbour, at: 0) == .allowed)
        for _ in 0..<9 { table.connectionClosed(from: client) }
        #expect(table.open(.address, from: client) == 0)
    }

    @Test func aConnectionThatCameTooOftenIsNotOpen() {
        var table = RateTable(address: RateLimits(connections: Rate(1, per: 10), concurrent: 9), network: RateLimits())
        #expect(table.connectionOpened(from: client, at: 0) == .allowed)
        #expect(table.connectionOpened(from: client, at: 0) == .limited(.connections, .address, seconds: 10))
        #expect(table.open(.address, from: client) == 1)
    }

    @Test func theOldestIsForgottenAndTheTableNeverGrows() {
        var table = RateTable(address: RateLimits(messages: Rate(1, per: 3600)), network: RateLimits(), capacity: 3)
        func address(_ last: UInt8) -> IPAddress { .four(198, 51, 100, last) }
        for last in 1...3 { #expect(table.spend(1, .messages, from: address(UInt8(last)), at: 0) == .allowed) }
        #expect(table.spend(1, .messages, from: address(4), at: 0) == .allowed)
        #expect(table.count == 3)
        #expect(table.wait(1, .messages, from: address(1), at: 0) == .allowed, "forgotten")
        for last in 2...4 { #expect(table.wait(1, .messages, from: address(UInt8(last)), at: 0) != .allowed) }
    }

    @Test func whoIsConnectedIsNotForgotten() {
        var table = RateTable(address: RateLimits(messages: Rate(1, per: 3600), concurrent: 1), network: RateLimits(), capacity: 4)
        #expect(table.connectionOpened(from: client, at: 0) == .allowed)
        for last in 1...50 { _ = table.spend(1, .messages, from: .four(203, 0, 113, UInt8(last)), at: 0) }
        #expect(table.connectionOpened(from: client, at: 0) == .crowded(.address))
        #expect(table.connectionOpened(from: .four(198, 51, 100, 1), at: 0) == .allowed)
        // Four keys are held by two connections.
        #expect(table.connectionOpened(from: .four(203, 0, 113, 1), at: 0) == .full)
        table.connectionClosed(from: client)
        #expect(table.connectionOpened(from: .four(203, 0, 113, 1), at: 0) == .allowed)
        #expect(table.count == 4)
    }

    @Test func timeMayJumpAndNumbersMayBeWild() {
        var random = SeededGenerator()
        var table = RateTable(
            address: RateLimits(
                connections: Rate(.max, per: .max), messages: Rate(.min, per: .min), recipients: Rate(7, per: 13),
                unknownRecipients: Rate(1_000_000, per: 1), concurrent: .min),
            network: RateLimits(recipients: Rate(11, per: 7), concurrent: 5), capacity: 7)
        let times: [Int64] = [.min, -1, 0, 1, 1_000_000_000, .max]
        for _ in 0..<20_000 {
            let client = IPAddress.four(10, 0, UInt8.random(in: 0...3, using: &random), UInt8.random(in: 0...3, using: &random))
            let time = Bool.random(using: &random) ? times.randomElement(using: &random) ?? 0 : Int64.random(in: 0...100_000_000_000, using: &random)
            let subject = RateSubject.allCases.randomElement(using: &random) ?? .messages
            switch Int.random(in: 0..<4, using: &random) {
            case 0: _ = table.connectionOpened(from: client, at: time)
            case 1: table.connectionClosed(from: client)
            default:
                let count = [Int.min, -1, 0, 1, 2, 7, Int.max].randomElement(using: &random) ?? 1
                if case .limited(_, _, let seconds) = table.spend(count, subject, from: client, at: time) {
                    #expect(seconds >= 1 && seconds <= 31 * 86400)
                }
            }
            #expect(table.count <= 7)
        }
    }

    /// Against a model that remembers every event.
    @Test func noMoreIsGivenThanTheRateAllows() {
        var random = SeededGenerator()
        for _ in 0..<50 {
            let rate = Rate(Int.random(in: 1...20, using: &random), per: Int.random(in: 1...60, using: &random))
            var table = RateTable(address: RateLimits(messages: rate), network: RateLimits())
            var now: Int64 = 0
            var given: [Int64] = []
            for _ in 0..<300 {
                now += Int64.random(in: 0...(second * Int64(rate.seconds) / Int64(rate.count)), using: &random)
                if table.spend(1, .messages, from: client, at: now) == .allowed { given.append(now) }
            }
            // Any window of one period gives at most a full bucket and what came back meanwhile.
            for (index, start) in given.enumerated() {
                let within = given[index...].prefix { $0 - start <= Int64(rate.seconds) * second }.count
                #expect(within <= 2 * rate.count + 1)
            }
            // And in the long run not less than the rate either.
            let wanted = Int(now / second) * rate.count / rate.seconds
            #expect(given.count >= min(wanted / 2, 150))
        }
    }
}

@Suite struct RecencyTableTests {
    /// Against a model: an array in the order of use.
    @Test func theTableIsItsModel() {
        var random = SeededGenerator()
        var table = RecencyTable<Int, Int>(capacity: 5)
        var model: [(key: Int, value: Int)] = []
        for _ in 0..<4000 {
            let key = Int.random(in: 0..<12, using: &random)
            let change = Int.random(in: -1...1, using: &random)
            let isKnown = model.contains { $0.key == key }
            let free = model.firstIndex { $0.value == 0 }
            let expected = isKnown || model.count < 5 || free != nil
            #expect(table.hasRoom(for: [key]) == expected)
            #expect(table.update(key, or: 0, isPinned: { $0 > 0 }) { $0 = max(0, $0 + change) } == expected)
            if let place = model.firstIndex(where: { $0.key == key }) {
                let old = model.remove(at: place)
                model.append((key, max(0, old.value + change)))
            } else if expected {
                if model.count == 5, let free { model.remove(at: free) }
                model.append((key, max(0, change)))
            }
            #expect(table.count == model.count)
            for key in 0..<12 { #expect(table[key] == model.first { $0.key == key }?.value) }
        }
    }
}
