// The file of relay passwords: what is written is read, and which entry is for whom.

import MailModel
import Testing

struct RelayPasswordTests {
    private func parse(_ text: String) -> [RelayPassword]? { RelayPassword.parse(Array(text.utf8)) }

    @Test func eachEntryIsReadAsItWasWritten() throws {
        let lines = ["relay.example user secret", "relay.example:587 user  two  blanks ", "relay.example from=our.example user p", "[192.0.2.1]:25 unproved u p=from=x",
                     "relay.example:25 from=our.example unproved from@x unproved", "[ipv6:2001:db8::1] u p"]
        let all = try #require(parse(lines.joined(separator: "\n") + "\n"))
        #expect(all.map { $0.line.display } == lines)
        #expect(RelayPassword.parse(RelayPassword.file(all)) == all)
        #expect(all.map(\.port) == [nil, 587, nil, 25, 25, nil])
        #expect(all.map(\.needsProof) == [true, true, true, false, false, true])
        #expect(all[1].password == Array(" two  blanks ".utf8))
    }

    @Test(arguments: ["relay.example", "relay.example user", "relay.example user ", "relay.example:0 u p", "lmtp:/run/x u p", "smtps:h:1 u p", "-bad- u p", "h from=-bad- u p",
        "h u p\u{7}", " h u p"])
    func aLineThatIsNoneIsNotPassedOver(_ line: String) { #expect(parse("good.example u p\n\(line)\n") == nil) }

    /// Whatever is made comes back from the file as it was.
    @Test(arguments: ["unproved", "from=our.example", "from=", "u"]) func aUserThatWouldBeReadAsAnotherWordIsRefused(_ user: String) throws {
        let host = try #require(Domain("relay.example"))
        for sender in [nil, Domain("our.example")] {
            for needsProof in [true, false] {
                let entry = RelayPassword(host: host, port: 587, sender: sender, needsProof: needsProof, user: Array(user.utf8), password: [0x70])
                if let entry { #expect(RelayPassword.parse(RelayPassword.file([entry])) == [entry]) }
                #expect(entry != nil || needsProof && user != "u")
            }
        }
        let bare = RelayPassword(host: host, port: nil, sender: nil, needsProof: true, user: Array(user.utf8), password: [0x70])
        #expect((bare != nil) == (user == "u"))
    }

    @Test func theNearestIsTaken() throws {
        let all = try #require(parse("""
            # all
            relay.example any a
            relay.example:587 port b
            relay.example from=our.example sender c
            relay.example:587 from=our.example both d
            """))
        let (host, other) = (try #require(Domain("relay.example")), try #require(Domain("other.example")))
        let (ours, theirs) = (Domain("our.example"), Domain("their.example"))
        func user(_ host: Domain, _ port: UInt16, _ sender: Domain?) -> String? {
            RelayPassword.best(of: all, for: host, port: port, sender: sender)?.user.display
        }
        #expect(user(host, 25, theirs) == "any")
        #expect(user(host, 25, nil) == "any")
        #expect(user(host, 587, theirs) == "port")
        #expect(user(host, 25, ours) == "sender")
        #expect(user(host, 587, ours) == "both")
        #expect(user(other, 587, ours) == nil)
    }
}
