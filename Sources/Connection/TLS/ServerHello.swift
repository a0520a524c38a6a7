// What the handshake chose (RFC 8446 §4.1.3, RFC 5246 §7.4.1.3). A HelloRetryRequest has the same shape and binds the same choice.

/// The version and cipher suite of a connection.
struct ServerHello: Hashable, Sendable {
    /// 0x0304 is TLS 1.3.
    let version: UInt16
    let cipherSuite: UInt16

    /// Reads the body of a handshake message of type 2; nil for what is none.
    init?(_ body: [UInt8]) {
        var cursor = TLSCursor(body[...])
        guard let legacy = cursor.number16(), cursor.take(32) != nil, let session = cursor.short(), session.count <= 32,
            let suite = cursor.number16(), cursor.byte() != nil, let extensions = cursor.extensions()
        else { return nil }
        cipherSuite = suite
        var version = legacy
        if let data = extensions[TLSExtension.supportedVersions] {
            var selected = TLSCursor(data)
            guard let number = selected.number16(), selected.isAtEnd else { return nil }
            version = number
        }
        self.version = version
    }

    static let type: UInt8 = 2

    /// The suite by its name in IANA's registry; one that we do not know by its number.
    var cipherName: [UInt8] {
        if let name = ServerHello.names[cipherSuite] { return name.withUTF8Buffer { Array($0) } }
        let digits = String(cipherSuite, radix: 16, uppercase: true)
        return Array("0x\(String(repeating: "0", count: max(0, 4 - digits.utf8.count)))\(digits)".utf8)
    }

    private static let names: [UInt16: StaticString] = [
        0x002F: "TLS_RSA_WITH_AES_128_CBC_SHA",
        0x0035: "TLS_RSA_WITH_AES_256_CBC_SHA",
        0x009C: "TLS_RSA_WITH_AES_128_GCM_SHA256",
        0x009D: "TLS_RSA_WITH_AES_256_GCM_SHA384",
        0x1301: "TLS_AES_128_GCM_SHA256",
        0x1302: "TLS_AES_256_GCM_SHA384",
        0x1303: "TLS_CHACHA20_POLY1305_SHA256",
        0xC009: "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
        0xC00A: "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
        0xC013: "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
        0xC014: "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
        0xC023: "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
        0xC027: "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
        0xC02B: "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        0xC02C: "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        0xC02F: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        0xC030: "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        0xCCA8: "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        0xCCA9: "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    ]
}
