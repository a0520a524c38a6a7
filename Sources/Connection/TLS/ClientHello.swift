// What a client says of itself before a key exists (RFC 8446 §4.1.2): read, believed in nothing but the choice of a certificate.

/// The part of a ClientHello that decides how it is answered.
struct ClientHello: Hashable, Sendable {
    /// RFC 6066 §3, in lower case; nil if none was sent.
    let serverName: [UInt8]?
    /// RFC 7301 §3.1, in the client's order; nil if the extension is missing.
    let protocols: [[UInt8]]?
    /// RFC 8446 §4.2.1; empty before TLS 1.3.
    let versions: [UInt16]

    /// Reads the body of a handshake message of type 1; nil for what is none.
    init?(_ body: [UInt8]) {
        var cursor = TLSCursor(body[...])
        // Version, random, session, cipher suites, compression methods.
        guard cursor.take(34) != nil, let session = cursor.short(), session.count <= 32,
            let suites = cursor.long(), !suites.isEmpty, suites.count % 2 == 0, let compression = cursor.short(), !compression.isEmpty,
            let extensions = cursor.extensions()
        else { return nil }
        var name: [UInt8]?
        if let data = extensions[TLSExtension.serverName] {
            guard let found = ClientHello.serverName(data) else { return nil }
            name = found
        }
        serverName = name
        var protocols: [[UInt8]]?
        if let data = extensions[TLSExtension.protocols] {
            guard let found = ClientHello.protocols(data) else { return nil }
            protocols = found
        }
        self.protocols = protocols
        guard let versions = ClientHello.versions(extensions[TLSExtension.supportedVersions]) else { return nil }
        self.versions = versions
    }

    static let type: UInt8 = 1

    /// One name of type host_name; others are not defined.
    private static func serverName(_ data: ArraySlice<UInt8>) -> [UInt8]? {
        var cursor = TLSCursor(data)
        guard let list = cursor.long(), cursor.isAtEnd else { return nil }
        var names = TLSCursor(list)
        guard names.byte() == 0, let name = names.long(), names.isAtEnd, (1...255).contains(name.count), !name.contains(0) else { return nil }
        return name.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
    }

    private static func protocols(_ data: ArraySlice<UInt8>) -> [[UInt8]]? {
        var cursor = TLSCursor(data)
        guard let list = cursor.long(), cursor.isAtEnd, !list.isEmpty else { return nil }
        var names = TLSCursor(list)
        var found: [[UInt8]] = []
        while !names.isAtEnd {
            guard let name = names.short(), !name.isEmpty else { return nil }
            found.append(Array(name))
        }
        return found
    }

    private static func versions(_ data: ArraySlice<UInt8>?) -> [UInt16]? {
        guard let data else { return [] }
        var cursor = TLSCursor(data)
        guard let list = cursor.short(), cursor.isAtEnd, !list.isEmpty, list.count % 2 == 0 else { return nil }
        var numbers = TLSCursor(list)
        var found: [UInt16] = []
        while let number = numbers.number16() { found.append(number) }
        return found
    }

    /// Whether the client would speak `name`; one that says nothing of protocols would.
    func accepts(_ name: [UInt8]) -> Bool { protocols?.contains(name) ?? true }
}

/// The numbers of the extensions that we look at.
enum TLSExtension {
    static let serverName: UInt16 = 0
    static let protocols: UInt16 = 16
    static let supportedVersions: UInt16 = 43
}
