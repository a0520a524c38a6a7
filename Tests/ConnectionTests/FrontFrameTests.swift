// What the two processes say: printing and reading agree, and whatever else comes is nil.

import MailTestKit
import Testing

@testable import Connection

@Suite struct FrontFrameTests {
    static let arrival = Arrival(
        role: ListenerRole("imaps", isImplicitTLS: true), peer: SocketName(address: Array("2001:db8::1".utf8), port: 4711),
        local: SocketName(address: Array("192.0.2.1".utf8), port: 993))

    static let requests: [FrontRequest] = [
        .start(1, AuthenticationStart(arrival: arrival, tls: nil, mechanism: Array("PLAIN".utf8), initialResponse: nil)),
        .start(2, AuthenticationStart(
            arrival: arrival, tls: TLSFacts(version: .tls13, isVerified: false), mechanism: [], initialResponse: [])),
        .start(UInt64.max, AuthenticationStart(
            arrival: arrival, tls: TLSFacts(version: .tls12, isVerified: false), mechanism: [0, 255], initialResponse: [1, 0, 2])),
        .response(3, []), .response(3, [UInt8](repeating: 7, count: 70000)), .abandon(4), .handOver(5, [10, 13]),
        .note(.connected(role: Array("pop3".utf8), peer: arrival.peer)), .note(.ended(peer: .unknown, trouble: [])), .note(.problem([63])),
    ]
    static let messages: [SessionMessage] = [
        .reply(1, .challenge([])), .reply(2, .challenge([1])), .reply(3, .success([2])), .reply(4, .failure(code: 9, [3])), .drain,
    ]

    @Test(arguments: requests) func requestsSurviveTheWay(_ request: FrontRequest) {
        #expect(FrontRequest(decoding: request.encoded[...]) == request)
    }

    @Test(arguments: messages) func messagesSurviveTheWay(_ message: SessionMessage) {
        #expect(SessionMessage(decoding: message.encoded[...]) == message)
    }

    @Test(arguments: requests) func aCutOrLongerRequestIsNone(_ request: FrontRequest) {
        let bytes = request.encoded
        for length in 0..<min(bytes.count, 300) { #expect(FrontRequest(decoding: bytes[..<length]) == nil) }
        #expect(FrontRequest(decoding: (bytes + [0])[...]) == nil)
    }

    @Test(arguments: messages) func aCutOrLongerMessageIsNone(_ message: SessionMessage) {
        let bytes = message.encoded
        for length in 0..<bytes.count { #expect(SessionMessage(decoding: bytes[..<length]) == nil) }
        #expect(SessionMessage(decoding: (bytes + [0])[...]) == nil)
    }

    @Test func rubbishIsReadOrRefusedAndNeverTraps() {
        var random = SeededGenerator()
        for _ in 0..<3000 {
            var bytes = FrontFrameTests.requests.randomElement(using: &random)?.encoded ?? []
            for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
                bytes[Int.random(in: 0..<min(bytes.count, 120), using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if let request = FrontRequest(decoding: bytes[...]) { #expect(request.encoded == bytes, "\(random.seed)") }
            if let message = SessionMessage(decoding: bytes[...]) { #expect(message.encoded == bytes, "\(random.seed)") }
        }
    }
}
