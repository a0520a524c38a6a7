// SASL messages from the corpus and mutated: each input is the messages of one client, a line each.

import MailTestKit
import SASLProtocol
import Testing

struct SASLFuzzTests {
    private static let words = ["\0", "\0alice\0", "secret", "n,,", "y,,", "p=tls-exporter,,", "n=alice", ",r=", "c=biws", ",p=", "=2C", "=3D", "a=", "\n", "servernonce", "AAAA", "="]

    /// Nobody gets in without the password, whatever is said in whatever order.
    @Test func exchanges() throws {
        let fuzz = try Fuzz("sasl", words: Self.words)
        let binding = ChannelBinding(type: bytes("tls-exporter"), data: [1, 2, 3])
        let failure = fuzz.failure(rounds: 1500) { input in
            for mechanism in Mechanism.allCases {
                guard var server = ServerExchange(mechanism: mechanism.name, hashes: hashes, nonce: bytes("servernonce"), channelBinding: binding) else {
                    return "no \(mechanism)"
                }
                let messages = input.split(separator: 10, maxSplits: 7, omittingEmptySubsequences: false).map { Array($0) }
                if isLetIn(&server, messages), !input.holds(bytes("secret")) || !mechanism.revealsPassword { return "\(mechanism) let it in" }
            }
            return nil
        }
        #expect(failure == nil)
    }

    private func isLetIn(_ server: inout ServerExchange, _ messages: [[UInt8]]) -> Bool {
        var isOver = false
        for message in messages {
            let result = settled(server.response(message), &server)
            if case .success(let identity) = result { return isOver || identity == bytes("alice@example.org") }
            if case .failure = result { isOver = true }
        }
        return false
    }

    /// Whatever decodes is the one text of its bytes.
    @Test func base64() throws {
        let failure = try Fuzz("base64", words: ["=", "==", "AAAA", "\r\n", "-", "_"]).failure { input in
            guard let decoded = Base64.decode(input) else { return nil }
            return Base64.encode(decoded) == input ? nil : "\(decoded) has two texts"
        }
        #expect(failure == nil)
    }
}

extension [UInt8] {
    fileprivate func holds(_ part: [UInt8]) -> Bool { indices.contains { self[$0...].starts(with: part) } }
}
