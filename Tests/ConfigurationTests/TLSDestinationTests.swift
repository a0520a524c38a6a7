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

    @Test func eachDomainStandsOnce() throws {
        let one = try #require(TLSDestination(.text("example.org required"))), other = try #require(TLSDestination(.text("Example.ORG never")))
        #expect(Rule<[TLSDestination]>.destinations.holds([one]))
        #expect(!Rule<[TLSDestination]>.destinations.holds([one, other]))
    }
}
