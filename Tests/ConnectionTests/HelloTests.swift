// The hellos of TLS: read whole however they are cut, and never trusted to be what they say.

import MailTestKit
import Testing

@testable import Connection

/// Hellos as a client or server writes them.
private enum Hello {
    static func vector(_ bytes: [UInt8]) -> [UInt8] { [UInt8(bytes.count >> 8), UInt8(bytes.count & 0xFF)] + bytes }
    static func ext(_ type: UInt8, _ data: [UInt8]) -> [UInt8] { [0, type] + vector(data) }
    static func name(_ text: String) -> [UInt8] { ext(0, vector([0] + vector(Array(text.utf8)))) }
    static func alpn(_ names: [String]) -> [UInt8] { ext(16, vector(names.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) })) }

    static func client(_ extensions: [UInt8]) -> [UInt8] {
        [3, 3] + [UInt8](repeating: 7, count: 32) + [0] + vector([0x13, 0x01, 0xC0, 0x2F]) + [1, 0] + (extensions.isEmpty ? [] : vector(extensions))
    }

    static func server(_ suite: [UInt8], _ extensions: [UInt8]) -> [UInt8] {
        [3, 3] + [UInt8](repeating: 7, count: 32) + [0] + suite + [0] + vector(extensions)
    }

    static func message(_ type: UInt8, _ body: [UInt8]) -> [UInt8] {
        [type, UInt8(body.count >> 16), UInt8(body.count >> 8 & 0xFF), UInt8(body.count & 0xFF)] + body
    }

    /// In records of at most `size` bytes.
    static func records(_ message: [UInt8], of size: Int = 1 << 14) -> [UInt8] {
        stride(from: 0, to: message.count, by: size).flatMap { [22, 3, 1] + vector(Array(message[$0..<min($0 + size, message.count)])) }
    }
}

@Suite struct HelloTests {
    private let body = Hello.client(Hello.name("Mail.Example.test") + Hello.alpn(["imap", "h2"]) + Hello.ext(43, [4, 3, 4, 3, 3]))

    @Test func aClientHelloSaysNameProtocolsAndVersions() throws {
        let hello = try #require(ClientHello(body))
        #expect(hello.serverName == Array("mail.example.test".utf8))
        #expect(hello.protocols == [Array("imap".utf8), Array("h2".utf8)])
        #expect(hello.versions == [0x0304, 0x0303])
        #expect(hello.accepts(Array("imap".utf8)) && !hello.accepts(Array("pop3".utf8)))
    }

    @Test func oneWithoutExtensionsAcceptsEveryProtocol() throws {
        let hello = try #require(ClientHello(Hello.client([])))
        #expect(hello.serverName == nil && hello.protocols == nil && hello.versions.isEmpty)
        #expect(hello.accepts(Array("imap".utf8)))
    }

    @Test func aServerHelloSaysVersionAndSuite() throws {
        let modern = try #require(ServerHello(Hello.server([0x13, 0x01], Hello.ext(43, [3, 4]))))
        #expect(modern.version == 0x0304 && modern.cipherName == Array("TLS_AES_128_GCM_SHA256".utf8))
        let older = try #require(ServerHello(Hello.server([0xC0, 0x2F], [])))
        #expect(older.version == 0x0303 && older.cipherName == Array("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256".utf8))
        let unknown = try #require(ServerHello(Hello.server([0x00, 0xAB], [])))
        #expect(unknown.cipherName == Array("0x00AB".utf8))
    }

    @Test func anyCutGivesTheSameMessage() {
        for size in [1, 2, 3, 5, 50, 1 << 14] {
            let bytes = Hello.records(Hello.message(1, body), of: size) + [23, 3, 3, 0, 1, 9]
            for cut in 0...bytes.count {
                var reader = FirstHandshakeMessage()
                _ = reader.read(bytes[..<cut])
                #expect(reader.read(bytes[cut...]) == .message(type: 1, body))
            }
            var single = FirstHandshakeMessage()
            for byte in bytes { _ = single.read([byte]) }
            #expect(single.outcome == .message(type: 1, body))
        }
    }

    @Test func aCutMessageIsNotWhole() {
        let bytes = Hello.records(Hello.message(1, body))
        for count in 0..<bytes.count {
            var reader = FirstHandshakeMessage()
            #expect(reader.read(bytes[..<count]) == .more)
        }
        for count in 0..<body.count { #expect(count == 43 || ClientHello(Array(body[..<count])) == nil, "\(count)") }
    }

    @Test func whatIsNoHandshakeOrTooLargeIsSaidSo() {
        let large = [UInt8](repeating: 0, count: 70_000)
        for bytes in [
            Array("EHLO x\r\n".utf8), [22, 2, 0], [22, 3, 1, 0, 0], [22, 3, 1, 0x40, 1], [22, 3, 1, 0, 4, 1, 1, 0, 0],
            Hello.records(Hello.message(1, Array(large[..<65_000])), of: 7),
        ] {
            var reader = FirstHandshakeMessage()
            #expect(reader.read(bytes) == .other)
        }
    }

    @Test func wrongLengthsAndDoubledExtensionsAreNoHello() {
        for extensions in [
            Hello.ext(0, []), Hello.ext(0, [0, 0]), Hello.ext(0, Hello.vector([0] + Hello.vector([]))), Hello.ext(16, []), Hello.ext(16, [0, 1, 0]),
            Hello.ext(16, [0, 2, 5, 1]), Hello.ext(43, [1, 3]), Hello.ext(43, []), Hello.name("a") + Hello.name("b"),
            Hello.ext(0, Hello.vector([0] + Hello.vector([0x61, 0]))), [0, 0, 0, 9],
        ] { #expect(ClientHello(Hello.client(extensions)) == nil, "\(extensions)") }
    }

    @Test func rubbishNeverTraps() {
        var generator = SeededGenerator(seed: 20_260_101)
        for _ in 0..<20_000 {
            var bytes = Hello.client(Hello.name("a.example") + Hello.alpn(["smtp"]) + Hello.ext(43, [2, 3, 4]))
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            bytes.removeLast(Int.random(in: 0...4, using: &generator))
            _ = ClientHello(bytes)
            _ = ServerHello(bytes)
            _ = CertificateDER(bytes)
            var reader = FirstHandshakeMessage()
            _ = reader.read(Hello.records(bytes, of: Int.random(in: 1...40, using: &generator)))
            _ = CertificateDER((0..<40).map { _ in [0x30, 0x82, 0x06, 0xA3, 0x80, 0, 1, 255].randomElement(using: &generator) ?? 0 })
        }
    }
}

@Suite struct CertificateDERTests {
    private func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        content.count < 128 ? [tag, UInt8(content.count)] + content : [tag, 0x82, UInt8(content.count >> 8), UInt8(content.count & 0xFF)] + content
    }

    private func certificate(_ algorithm: [UInt8], names: [String], isCritical: Bool = false) -> [UInt8] {
        let list = element(0x30, names.flatMap { element(0x82, Array($0.utf8)) })
        let alternative = element(0x30, element(0x06, [0x55, 0x1D, 0x11]) + (isCritical ? [1, 1, 255] : []) + element(0x04, list))
        let other = element(0x30, element(0x06, [0x55, 0x1D, 0x13]) + element(0x04, element(0x30, [])))
        let signed = element(0x30, element(0x02, [1]) + element(0xA3, element(0x30, other + alternative)))
        return element(0x30, signed + element(0x30, element(0x06, algorithm) + [5, 0]) + element(0x03, [0]))
    }

    private let rsa: [UInt8] = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01]

    @Test func theHashIsThatOfTheSignature() {
        for (last, hash) in [(4, EndPointHash.sha256), (5, .sha256), (11, .sha256), (12, .sha384), (13, .sha512)] as [(UInt8, EndPointHash)] {
            #expect(CertificateDER(certificate(rsa + [last], names: []))?.hash == hash)
        }
        let ecdsa: [UInt8] = [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04]
        #expect(CertificateDER(certificate(ecdsa + [1], names: []))?.hash == .sha256)
        #expect(CertificateDER(certificate(ecdsa + [3, 3], names: []))?.hash == .sha384)
        // RSASSA-PSS and Ed25519: RFC 5929 §4.1 defines none.
        #expect(CertificateDER(certificate(rsa + [10], names: [])).map { $0.hash == nil } == true)
        #expect(CertificateDER(certificate([0x2B, 0x65, 0x70], names: [])).map { $0.hash == nil } == true)
    }

    @Test func aWildcardIsOneLabel() throws {
        for isCritical in [false, true] {
            let found = try #require(CertificateDER(certificate(rsa + [11], names: ["Mail.example.org", "*.example.net"], isCritical: isCritical)))
            #expect(found.covers(Array("mail.example.org".utf8)) && found.covers(Array("a.example.net".utf8)))
            for other in ["example.net", "a.b.example.net", ".example.net", "www.example.org", ""] { #expect(!found.covers(Array(other.utf8))) }
        }
    }
}
