// One fetch a domain, and nobody who waits for it is forgotten.

import MailModel
import Testing

@testable import remoted

@Suite struct PolicyFetchesTests {
    @Test func aDomainIsFetchedOnceAndAllHearOfIt() throws {
        let (a, b) = (try #require(Domain("a.example")), try #require(Domain("b.example")))
        var fetches = PolicyFetches<Int>()
        #expect(fetches.join(a, 1) && fetches.join(b, 2))
        for waiter in 3...5 { #expect(!fetches.join(a, waiter)) }
        #expect(!fetches.join(a, nil), "what is being fetched is renewed already")
        #expect(fetches.end(a) == [1, 3, 4, 5] && fetches.end(a).isEmpty)
        #expect(fetches.end(b) == [2] && fetches.count == 0)
        #expect(fetches.join(a, 6), "the next one begins anew")
    }

    @Test func whoComesDuringARenewalWaitsForIt() throws {
        let a = try #require(Domain("a.example"))
        var fetches = PolicyFetches<Int>()
        #expect(fetches.join(a, nil) && !fetches.join(a, 1))
        #expect(fetches.end(a) == [1])
        #expect(fetches.join(a, nil) && fetches.end(a).isEmpty && fetches.count == 0)
    }
}
