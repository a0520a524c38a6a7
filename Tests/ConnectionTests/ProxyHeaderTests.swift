// The PROXY header: the same however it is cut, and nothing else is taken for one.

import MailTestKit
import Testing

@testable import Connection

@Suite struct ProxyHeaderTests {
    private static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]

    private func header(_ command: UInt8, _ family: UInt8, _ body: [UInt8]) -> [UInt8] {
        ProxyHeaderTests.signature + [command, family, UInt8(body.count >> 8), UInt8(body.count & 0xFF)] + body
    }

    private let four: [UInt8] = [192, 0, 2, 7, 198, 51, 100, 1, 0x12, 0x34, 0, 25]

    @Test func anIPv4ClientIsNamed() {
        let expected = ProxyHeader.client(source: [192, 0, 2, 7], sourcePort: 0x1234, destination: [198, 51, 100, 1], destinationPort: 25)
        for more in [[], [3, 0, 4, 1, 2, 3, 4]] as [[UInt8]] {
            let bytes = header(0x21, 0x11, four + more)
            #expect(ProxyHeader.read((bytes + Array("EHLO x".utf8))[...]) == .header(expected, length: bytes.count))
            for count in 0..<bytes.count { #expect(ProxyHeader.read(bytes[..<count]) == .more) }
        }
    }

    @Test func anIPv6ClientIsNamed() {
        let (source, destination) = ([UInt8](repeating: 1, count: 16), [UInt8](repeating: 2, count: 16))
        let bytes = header(0x21, 0x21, source + destination + [0, 1, 0, 2])
        let expected = ProxyHeader.client(source: source, sourcePort: 1, destination: destination, destinationPort: 2)
        #expect(ProxyHeader.read(bytes[...]) == .header(expected, length: bytes.count))
    }

    @Test func aHealthCheckIsTheBalancersOwn() {
        for bytes in [header(0x20, 0x00, []), header(0x20, 0x11, four), header(0x21, 0x00, [1, 2, 3])] {
            #expect(ProxyHeader.read(bytes[...]) == .header(.local, length: bytes.count))
        }
    }

    @Test func nothingElseIsAHeader() {
        for bytes in [
            Array("EHLO client.example\r\n".utf8), Array("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n".utf8), header(0x11, 0x11, four),
            header(0x22, 0x11, four), header(0x21, 0x12, four), header(0x21, 0x31, [UInt8](repeating: 0, count: 216)),
            header(0x21, 0x11, Array(four.dropLast())), header(0x21, 0x21, four), header(0x21, 0x11, [UInt8](repeating: 0, count: 4097)), [0x16],
        ] { #expect(ProxyHeader.read(bytes[...]) == .invalid, "\(bytes.prefix(16))") }
    }

    @Test func rubbishNeverTraps() {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<20_000 {
            var bytes = header(0x21, [0x11, 0x21].randomElement(using: &generator) ?? 0, four)
            for _ in 0..<Int.random(in: 0...3, using: &generator) {
                bytes[Int.random(in: 12..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            if case .header(_, let length) = ProxyHeader.read(bytes[5...].prefix(0)) { #expect(length <= bytes.count) }
            if case .header(_, let length) = ProxyHeader.read(bytes[...]) { #expect(length <= bytes.count) }
        }
    }
}
