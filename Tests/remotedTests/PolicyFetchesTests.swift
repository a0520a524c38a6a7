// One fetch a domain, and nobody who waits for it is forgotten.

import MailModel
import Testing

@testable import remoted

@Suite struct PolicyFetchesTests {
    @Test func aDomainIsFetchedOnceAndAllHearOfIt() throws {
        let (a, b) = (try #require(Domain("a.example")), try #require(Domain("b.example")))
        var fetches = PolicyFetches<Int>()
        // What is being fetched is renewed already.
        let begun = [(a, 1), (b, 2), (a, 3), (a, 4), (a, nil)].map { fetches.join($0.0, $0.1) }
        #expect(begun == [true, true, false, false, false])
        #expect([a, a, b].map { fetches.end($0) } == [[1, 3, 4], [], [2]])
        let isAnew = fetches.join(a, 5)
        #expect(isAnew && fetches.count == 1)
    }

    @Test func whoComesDuringARenewalWaitsForIt() throws {
        let a = try #require(Domain("a.example"))
        var fetches = PolicyFetches<Int>()
        let begun = [nil, 1].map { fetches.join(a, $0) }
        let waited = fetches.end(a)
        #expect(begun == [true, false] && waited == [1])
        let isAnew = fetches.join(a, nil)
        let none = fetches.end(a)
        #expect(isAnew && none.isEmpty && fetches.count == 0)
    }
}
