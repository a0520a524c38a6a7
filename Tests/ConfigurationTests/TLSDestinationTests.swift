// What is wanted of the TLS to one domain, as the file writes it.

import MailModel
import Testing

@testable import Configuration

@Suite struct TLSDestinationTests {
    @Test(arguments: RemoteTLS.allCases) func aWishComesBack(_ wish: RemoteTLS) throws {
        let text = "example.org \(wish.rawValue)"
        let found = try #require(TLSDestination(.text(text)))
        #expect(found.domain.description == "example.org" && found.tls == wish && found.literal == .text(text))
    }

    @Test(arguments: ["", "example.org", "required", "example.org sometimes", "example.org required now", "-x- required", "example.org REQUIRED"])
    func otherTextsAreNone(_ text: String) { #expect(TLSDestination(.text(text)) == nil) }

    @Test func bothSpellingsOfANameAreOneDomain() throws {
        for text in ["b\u{FC}cher.example required", "xn--bcher-kva.example required", "B\u{DC}CHER.example required"] {
            let found = try #require(TLSDestination(.text(text)))
            #expect(found.literal == .text("xn--bcher-kva.example required"))
            var remote = Configuration.Remote()
            remote.tlsFor = [found]
            for name in ["b\u{FC}cher.example", "xn--bcher-kva.example", "XN--BCHER-KVA.example"] {
                #expect(remote.tls(for: try #require(Domain(name))) == .required)
            }
            #expect(remote.tls(for: try #require(Domain("cher.example"))) == nil)
        }
        let both = try ["b\u{FC}cher.example required", "xn--bcher-kva.example never"].map { try #require(TLSDestination(.text($0))) }
        #expect(!Rule<[TLSDestination]>.destinations.holds(both))
    }

    @Test func eachDomainStandsOnce() throws {
        let one = try #require(TLSDestination(.text("example.org required"))), other = try #require(TLSDestination(.text("Example.ORG never")))
        #expect(Rule<[TLSDestination]>.destinations.holds([one]))
        #expect(!Rule<[TLSDestination]>.destinations.holds([one, other]))
    }
}
