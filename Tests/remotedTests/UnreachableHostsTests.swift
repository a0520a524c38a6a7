// The exchanger that is down is tried last, and asked again by one message at a time.

import Kernel
import Testing

@testable import remoted

@Suite struct UnreachableHostsTests {
    private static func at(_ seconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: seconds * 1_000_000_000) }

    /// What is tried first at this time.
    private func order(_ hosts: inout UnreachableHosts<String>, _ targets: [String] = ["one", "two", "three"], at seconds: Int64) -> [String] {
        hosts.ordered(targets, initial: 300, maximum: 14_400, now: Self.at(seconds)) { $0 }
    }

    private func fail(_ hosts: inout UnreachableHosts<String>, _ host: String, at seconds: Int64) {
        hosts.note(host, isReached: false, initial: 300, maximum: 14_400, now: Self.at(seconds))
    }

    @Test func theOneThatIsDownComesLast() {
        var hosts = UnreachableHosts<String>()
        fail(&hosts, "one", at: 10)
        #expect(order(&hosts, at: 11) == ["one", "two", "three"])
        fail(&hosts, "one", at: 12)
        #expect(order(&hosts, at: 13) == ["two", "three", "one"])
        // One asks when the rest is over, the others go on as before.
        #expect(order(&hosts, at: 312) == ["one", "two", "three"])
        #expect(order(&hosts, at: 313) == ["two", "three", "one"])
        fail(&hosts, "one", at: 340)
        // Twice as long.
        #expect(order(&hosts, at: 900) == ["two", "three", "one"])
        #expect(order(&hosts, at: 941) == ["one", "two", "three"])
        hosts.note("one", isReached: true, initial: 300, maximum: 14_400, now: Self.at(950))
        #expect(order(&hosts, at: 951) == ["one", "two", "three"])
    }

    @Test func whereAllAreDownTheOrderStays() {
        var hosts = UnreachableHosts<String>()
        for host in ["one", "two", "three"] { for second in 0..<40 { fail(&hosts, host, at: Int64(second)) } }
        #expect(order(&hosts, at: 50) == ["one", "two", "three"])
        #expect(order(&hosts, ["one"], at: 50) == ["one"])
        #expect(order(&hosts, at: 40 + 14_400) == ["one", "two", "three"])
    }

    @Test func tenThousandHostsAndNoMoreAreRemembered() {
        var hosts = UnreachableHosts<String>()
        for number in 0..<10_001 { for _ in 0..<2 { fail(&hosts, "host\(number)", at: 1) } }
        #expect(order(&hosts, ["host1", "other"], at: 2) == ["host1", "other"])
    }
}
