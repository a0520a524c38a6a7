// The order of servers, and what is answered without asking anybody.

import MailModel
import MailTestKit
import Testing

@testable import Resolver

@Suite struct StubResolverTests {
    @Test func exchangersComeByPreferenceAndEqualOnesInAnyOrder() throws {
        let hosts = try [(20, "c.example"), (10, "a.example"), (10, "b.example"), (30, "d.example")].map {
            Exchanger(preference: UInt16($0.0), host: try #require(Domain($0.1)))
        }
        var random = SeededGenerator()
        var firsts: Set<String> = []
        for _ in 0..<100 {
            let order = Exchanger.inOrder(hosts, using: &random)
            #expect(order.map(\.preference) == [10, 10, 20, 30])
            #expect(Set(order) == Set(hosts))
            firsts.insert(order[0].host.description)
        }
        #expect(firsts == ["a.example", "b.example"])
    }

    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1"), ("[192.0.2.1]", "192.0.2.1"), ("[IPv6:2001:db8::1]", "2001:db8::1"), ("[::1]", "::1"), ("example.org", nil),
        ("[example.org]", nil), ("[300.0.0.1]", nil), ("1.2.3", nil),
    ])
    func numericHostsAreTheirOwnAddress(_ host: String, _ address: String?) throws {
        #expect(StubResolver.numeric(try #require(Domain(host))).map(\.display) == address)
    }

    @Test func noServerIsAskedAboutLocalhostOrALiteral() throws {
        // Nobody answers here: whoever asked would find nothing.
        let resolver = StubResolver(servers: [("127.0.0.1", 1)])
        guard case .found(let local) = resolver.addresses(of: try #require(Domain("localhost"))) else { return #expect(Bool(false), "localhost") }
        #expect(local.map(\.display) == ["127.0.0.1", "::1"])
        guard case .noSuchName = resolver.addresses(of: try #require(Domain("[x]"))) else { return #expect(Bool(false), "[x]") }
    }

    @Test func familiesTakeTurns() {
        let six: [[UInt8]] = [[6], [66], [200]]
        #expect(StubResolver.inTurn(six, [[4]]) == [[6], [4], [66], [200]])
        #expect(StubResolver.inTurn([], [[4], [44]]) == [[4], [44]])
    }

    @Test func addressesAreWrittenAsNumbers() {
        #expect(StubResolver.text(of: [192, 0, 2, 255]).display == "192.0.2.255")
        #expect(StubResolver.text(of: [0x20, 1, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [1]).display == "2001:db8:0:0:0:0:0:1")
    }
}
