// Each rule of routing, one line each.

import MailModel
import Testing

@testable import Directory

struct RouterTests {
    static var book: MemoryBook {
        var book = MemoryBook()
        for name in ["alice", "bob", "carol", "root"] { book.account("\(name)@example.org") }
        book.account("x+y@example.org")
        book.account("off@example.org", isEnabled: false)
        book.alias("team@example.org", "alice@example.org", "bob@example.org", "ALICE@example.org")
        book.alias("nested@example.org", "team@example.org", "far@example.net")
        book.alias("partly@example.org", "alice@example.org", "nobody@example.org")
        book.alias("gone@example.org", "nobody@example.org")
        book.alias("bob@example.org", "bob@example.org", "bob@example.net")
        book.alias("carol@example.org", "carol+kept@example.org", "carol@example.net")
        book.alias("one@example.org", "two@example.org")
        book.alias("two@example.org", "three@example.org")
        book.alias("three@example.org", "one@example.org")
        book.alias("half@example.org", "half2@example.org", "alice@example.org")
        book.alias("half2@example.org", "half@example.org")
        book.alias("away@example.org", "off@example.org")
        book.domains["caught.org"] = DomainEntry(isLocal: true)
        book.alias("@caught.org", "alice@example.org")
        book.alias("self@caught.org", "nowhere@caught.org")
        book.domains["spun.org"] = DomainEntry(isLocal: true)
        book.alias("@spun.org", "any@spun.org")
        book.alias("abuse@caught.org", "far@example.net")
        let hub = NextHop(parsing: Array("hub.example.net:24".utf8))
        book.domains["hub.org"] = DomainEntry(isLocal: true, route: hub)
        book.account("here@hub.org")
        book.domains["smart.net"] = DomainEntry(isLocal: false, route: hub)
        return book
    }

    static let table: [(String, String)] = [
        ("alice@example.org", "=alice@example.org"),
        ("ALICE@Example.ORG", "=alice@example.org"),
        ("alice+tag@example.org", "=alice@example.org"),
        ("alice+a+b@example.org", "=alice@example.org"),
        ("+alice@example.org", "!+alice@example.org noSuchAddress"),
        ("x+y@example.org", "=x+y@example.org"),
        ("x+z@example.org", "!x+z@example.org noSuchAddress"),
        ("nobody@example.org", "!nobody@example.org noSuchAddress"),
        ("off@example.org", "!off@example.org accountDisabled"),
        ("away@example.org", "!off@example.org accountDisabled"),
        // Aliases
        ("team@example.org", "=alice@example.org =bob@example.org >bob@example.net"),
        ("team+tag@example.org", "=alice@example.org =bob@example.org >bob@example.net"),
        ("nested@example.org", "=alice@example.org =bob@example.org >bob@example.net >far@example.net"),
        ("partly@example.org", "!nobody@example.org noSuchAddress =alice@example.org"),
        ("gone@example.org", "!nobody@example.org noSuchAddress"),
        // A forward that keeps a copy, by its own address or one with a tag
        ("bob@example.org", "=bob@example.org >bob@example.net"),
        ("bob+t@example.org", "=bob@example.org >bob@example.net"),
        ("carol@example.org", "=carol@example.org >carol@example.net"),
        // Loops
        ("one@example.org", "~aliasLoop"),
        ("half@example.org", "=alice@example.org"),
        ("any@spun.org", "~aliasLoop"),
        ("other@spun.org", "~aliasLoop"),
        // Catch-all
        ("who@caught.org", "=alice@example.org"),
        ("self@caught.org", "=alice@example.org"),
        // RFC 5321 §4.5.1
        ("postmaster@example.org", "=root@example.org"),
        ("Postmaster+x@caught.org", "=root@example.org"),
        ("abuse@example.org", "=root@example.org"),
        ("abuse@caught.org", ">far@example.net"),
        // Other domains
        ("a@example.net", ">a@example.net"),
        ("a@smart.net", "hub.example.net:24>a@smart.net"),
        ("a@hub.org", "hub.example.net:24>a@hub.org"),
        ("here@hub.org", "=here@hub.org"),
        ("postmaster@example.net", ">postmaster@example.net"),
    ]

    @Test(arguments: table) func routes(_ recipient: String, _ expected: String) throws {
        let router = Router(postmaster: address("root@example.org"))
        #expect(try router.route(address(recipient), in: RouterTests.book).summary == expected)
    }

    @Test func postmasterIsHeldAndNeverRefusedWhereNobodyIsNamed() throws {
        let missing = address("nobody@example.org")
        for postmaster in [nil, missing, address("off@example.org"), address("postmaster@example.org")] {
            let router = Router(postmaster: postmaster)
            #expect(try router.route(address("postmaster@example.org"), in: RouterTests.book).summary == "~noPostmaster")
        }
        // Without one, the catch-all is better than nobody.
        let router = Router(postmaster: nil)
        #expect(try router.route(address("postmaster@caught.org"), in: RouterTests.book).summary == "=alice@example.org")
    }

    @Test(arguments: [
        ("alice@example.org", "local"), ("nested@example.org", "local"), ("a@hub.org", "local"), ("a@example.net", "remote"),
        ("a@smart.net", "remote"), ("partly@example.org", "local"), ("gone@example.org", "5.1.1"), ("nobody@example.org", "5.1.1"),
        ("off@example.org", "5.2.1"), ("one@example.org", "4.4.6"), ("postmaster@caught.org", "local"),
    ]) func answersRCPT(_ recipient: String, _ expected: String) {
        let found = Router(postmaster: address("root@example.org")).deliverability(of: address(recipient), in: RouterTests.book)
        let text =
            switch found {
            case .local: "local"
            case .remote: "remote"
            case .refused(let refusal): "\(refusal.status)"
            case .unavailable: "unavailable"
            }
        #expect(text == expected)
    }

    @Test func aBookThatCannotBeReadIsNeverAnAnswer() {
        var book = RouterTests.book
        book.isUnavailable = true
        let router = Router(postmaster: nil)
        #expect(throws: DirectoryUnavailable.self) { try router.route(address("nobody@example.org"), in: book) }
        #expect(router.deliverability(of: address("alice@example.org"), in: book) == .unavailable(DirectoryUnavailable("test")))
    }

    @Test func depthIsBoundedByTenAliases() throws {
        var book = MemoryBook()
        book.account("end@example.org")
        for level in 0..<11 { book.alias("a\(level)@example.org", level == 0 ? "end@example.org" : "a\(level - 1)@example.org") }
        let router = Router(postmaster: nil)
        #expect(try router.route(address("a9@example.org"), in: book).summary == "=end@example.org")
        #expect(try router.route(address("a10@example.org"), in: book).summary == "~aliasTooDeep")
    }

    @Test func bothBoundsAreTheAdministrators() throws {
        var book = MemoryBook()
        book.account("end@example.org")
        for level in 0..<4 { book.alias("a\(level)@example.org", level == 0 ? "end@example.org" : "a\(level - 1)@example.org") }
        book.alias("two@example.org", "x@example.net", "y@example.net")
        let router = Router(postmaster: nil, limits: Router.Limits(depth: 3, results: 1))
        #expect(try router.route(address("a2@example.org"), in: book).summary == "=end@example.org")
        #expect(try router.route(address("a3@example.org"), in: book).summary == "~aliasTooDeep")
        #expect(try router.route(address("two@example.org"), in: book).summary == "~tooManyResults")
    }

    @Test func resultsAreBoundedByAThousand() throws {
        var book = MemoryBook()
        for count in [1000, 1001] {
            book.entries[alias("all@example.org").key] = AddressEntry(targets: (0..<count).map { address("u\($0)@example.net") })
            let result = try Router(postmaster: nil).route(address("all@example.org"), in: book)
            if count == 1000, case .routed(let route) = result { #expect(route.remotes.count == 1000) }
            #expect((result.summary == "~tooManyResults") == (count > 1000))
        }
    }

    @Test func separatorsAreAParameter() throws {
        var router = Router(postmaster: nil, separators: [])
        #expect(try router.route(address("alice+t@example.org"), in: RouterTests.book).summary == "!alice+t@example.org noSuchAddress")
        router.separators = [UInt8(ascii: "-"), UInt8(ascii: "+")]
        #expect(try router.route(address("alice-t@example.org"), in: RouterTests.book).summary == "=alice@example.org")
        #expect(try router.route(address("alice+t@example.org"), in: RouterTests.book).summary == "=alice@example.org")
    }

    @Test func theExplanationNamesEveryStep() throws {
        let result = try Router(postmaster: nil).route(address("nested+t@example.org"), in: RouterTests.book)
        #expect(result.explanation.first == """
            account alice@example.org folder example.org/alice: nested+t@example.org → nested@example.org (subaddress) \
            → team@example.org (alias) → alice@example.org (alias)
            """)
        let half = try Router(postmaster: nil).route(address("half@example.org"), in: RouterTests.book)
        #expect(half.explanation.last == "loop half@example.org: half@example.org → half2@example.org (alias) → half@example.org (alias)")
    }

    @Test(arguments: [
        ("hub.example.net", "hub.example.net:25"), ("hub.example.net:24", "hub.example.net:24"), ("[192.0.2.1]:2525", "[192.0.2.1]:2525"),
        ("[IPv6:2001:db8::1]", "[ipv6:2001:db8::1]:25"), ("h:0", nil), ("h:65536", nil), ("h:", nil), (":25", nil), ("", nil), ("h:2x", nil),
    ]) func nextHops(_ text: String, _ expected: String?) {
        #expect(NextHop(parsing: Array(text.utf8))?.description == expected)
    }
}
