// SCRAM-SHA-256 against the example of its RFC, and against clients and servers that cheat.

import MailTestKit
import SASLProtocol
import Testing

struct ScramTests {
    /// RFC 7677 §3: user `user`, password `pencil`.
    @Test func exampleOfTheRFC() throws {
        let salt = try #require(Base64.decode(bytes("W22ZaJ0SNY7soEsUEjb6gQ==")))
        let verifier = ScramVerifier(password: bytes("pencil"), salt: salt, iterations: 4096, hashes: hashes)
        var server = try #require(
            ServerExchange(
                mechanism: bytes("SCRAM-SHA-256"), hashes: hashes, nonce: bytes("%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0")))
        #expect(
            server.start(initialResponse: bytes("n,,n=user,r=rOprNGfwEbeRWgbNEkqO"))
                == .ask(.scramVerifier(authentication: bytes("user"))))
        #expect(
            server.credential(verifier, known: true, identity: bytes("user"))
                == .challenge(
                    bytes("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")))
        let final =
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        #expect(server.response(bytes(final)) == .challenge(bytes("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")))
        #expect(server.response([]) == .success(identity: bytes("user")))
        #expect(server.response([]) == .failure(.malformed))
    }

    @Test func verifierKnowsItsPassword() {
        #expect(aliceVerifier.matches(password: bytes("secret"), hashes: hashes))
        #expect(!aliceVerifier.matches(password: bytes("Secret"), hashes: hashes))
    }

    @Test(arguments: [
        "", "n", "n,", "n,,", "n,,n=", "n,,n=alice", "n,,r=x,n=alice", "n,,n=alice,r=", "n,,n=ali=ce,r=x",
        "n,,n=ali=2c,r=x",
        "n,,m=ext,n=alice,r=x", "q,,n=alice,r=x", "n,b=x,n=alice,r=x", "p,,n=alice,r=x", "p=,,n=alice,r=x",
        "n,,n=alice,r=a\u{7F}",
        "n,,n=al\0ice,r=x", "n,,n=alice,r=x,x=1", "n,,n=alice,r=a b",
    ])
    func malformedFirstMessages(message: String) throws {
        var server = try #require(ServerExchange(mechanism: bytes("SCRAM-SHA-256"), hashes: hashes, nonce: bytes("n")))
        #expect(server.start(initialResponse: bytes(message)) == .failure(.malformed))
    }

    @Test(arguments: ["p=tls-unique,,n=alice,r=x", "n,a=bob,n=alice,r=x", "p=tls-exporter,,n=alice,r=x"])
    func refusedFirstMessages(message: String) throws {
        var server = try #require(ServerExchange(mechanism: bytes("SCRAM-SHA-256"), hashes: hashes, nonce: bytes("n")))
        #expect(server.start(initialResponse: bytes(message)) == .failure(.rejected))
    }

    @Test(arguments: ["n,,n=alice,r=x", "y,,n=alice,r=x", "n,a=alice,n=alice,r=x"])
    func acceptedFirstMessages(message: String) throws {
        var server = try #require(ServerExchange(mechanism: bytes("SCRAM-SHA-256"), hashes: hashes, nonce: bytes("n")))
        #expect(server.start(initialResponse: bytes(message)) == .ask(.scramVerifier(authentication: bytes("alice"))))
    }

    @Test func commaAndEqualsInNamesAreUnescaped() throws {
        var server = try #require(ServerExchange(mechanism: bytes("SCRAM-SHA-256"), hashes: hashes, nonce: bytes("n")))
        #expect(
            server.start(initialResponse: bytes("n,,n=a=2Cb=3Dc,r=x"))
                == .ask(.scramVerifier(authentication: bytes("a,b=c"))))
    }

    /// RFC 5802 §6: a client that could bind and saw no offer is told on if we did offer.
    @Test func removedPlusOfferIsNoticed() throws {
        let binding = ChannelBinding(type: bytes("tls-exporter"), data: [1, 2, 3])
        for (message, expected) in [
            ("y,,n=alice,r=x", ServerExchange.Result.failure(.rejected)),
            ("n,,n=alice,r=x", .ask(.scramVerifier(authentication: bytes("alice")))),
        ] {
            var server = try #require(
                ServerExchange(
                    mechanism: bytes("SCRAM-SHA-256"), hashes: hashes, nonce: bytes("n"), channelBinding: binding))
            #expect(server.start(initialResponse: bytes(message)) == expected)
        }
    }

    @Test func bindingToAnotherChannelFails() throws {
        for (data, succeeds) in [([1, 2, 3] as [UInt8], true), ([1, 2, 4], false)] {
            let mine = ChannelBinding(type: bytes("tls-exporter"), data: [1, 2, 3])
            var server = try #require(
                ServerExchange(
                    mechanism: bytes("SCRAM-SHA-256-PLUS"), hashes: hashes, nonce: bytes("n"), channelBinding: mine))
            let result = try finished(&server, header: "p=tls-exporter,,", binding: data, nonce: "xn")
            #expect({ if case .challenge = result { true } else { false } }() == succeeds)
        }
    }

    @Test func finalMessageIsCheckedInFull() throws {
        for (header, binding, nonce, expected) in [
            ("n,,", [] as [UInt8], "xn", true), ("n,,", [], "xm", false), ("n,,", [], "x", false),
            ("y,,", [], "xn", false),
            ("n,,", [0], "xn", false),
        ] {
            var server = try #require(
                ServerExchange(mechanism: bytes("SCRAM-SHA-256"), hashes: hashes, nonce: bytes("n")))
            let result = try finished(&server, opening: "n,,", header: header, binding: binding, nonce: nonce)
            #expect({ if case .challenge = result { true } else { false } }() == expected, "\(header) \(nonce)")
        }
    }

    /// A client that computes an honest proof over whatever it claims.
    private func finished(
        _ server: inout ServerExchange, opening: String? = nil, header: String, binding: [UInt8], nonce: String
    ) throws -> ServerExchange.Result {
        guard
            case .challenge(let first) = settled(
                server.start(initialResponse: bytes((opening ?? header) + "n=alice,r=x")), &server)
        else { return .failure(.malformed) }
        let withoutProof = bytes("c=") + Base64.encode(bytes(header) + binding) + bytes(",r=" + nonce)
        let signed = bytes("n=alice,r=x,") + first + bytes(",") + withoutProof
        let salted = hashes.pbkdf2SHA256(bytes("secret"), bytes("0123456789abcdef"), 4096)
        let clientKey = hashes.hmacSHA256(salted, bytes("Client Key"))
        let signature = hashes.hmacSHA256(hashes.sha256(clientKey), signed)
        return server.response(withoutProof + bytes(",p=") + Base64.encode(zip(clientKey, signature).map { $0 ^ $1 }))
    }

    @Test(arguments: [
        "r=clientnonceX,s=AAAA,i=4095", "r=clientnonce,s=AAAA,i=4096", "r=other,s=AAAA,i=4096",
        "r=clientnonceX,s=,i=4096",
        "r=clientnonceX,s=AAAA,i=2000000", "r=clientnonceX,s=AAAA,i=99999999999", "r=clientnonceX,s=AA,i=4096",
        "e=other-error",
        "r=clientnonceX,s=AAAA,i=-1", "m=x,r=clientnonceX,s=AAAA,i=4096",
    ])
    func clientRefusesBadServers(challenge: String) throws {
        var client = try #require(
            ClientExchange(
                mechanism: .scramSHA256, name: bytes("alice"), password: bytes("secret"), hashes: hashes,
                nonce: bytes("clientnonce")))
        #expect(client.challenge(bytes(challenge)) == .failure)
    }

    @Test func clientBelievesNoServerThatDoesNotProveItself() throws {
        var client = try #require(
            ClientExchange(
                mechanism: .scramSHA256, name: bytes("alice"), password: bytes("secret"), hashes: hashes,
                nonce: bytes("clientnonce")))
        #expect(!client.acceptsSuccess)
        guard case .respond = client.challenge(bytes("r=clientnonceX,s=AAAA,i=4096")) else {
            Issue.record("no response")
            return
        }
        #expect(client.challenge(bytes("v=") + Base64.encode(Array(repeating: 0, count: 32))) == .failure)
        #expect(!client.acceptsSuccess)
    }

    @Test func constantTimeComparisonCompares() {
        #expect(equalsInConstantTime([1, 2, 3], [1, 2, 3]))
        #expect(!equalsInConstantTime([1, 2, 3], [1, 2, 4]))
        #expect(!equalsInConstantTime([1, 2, 3], [1, 2]))
    }
}
