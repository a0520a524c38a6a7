// A next hop as an administrator writes it and as `assign` says it: how mail leaves this host, and for where.

/// Where a copy goes from here, and by which protocol.
package enum NextHop: Hashable, Sendable {
    /// The servers that DNS names for the recipient's domain, whatever a more general route says.
    case exchangers
    /// A host name or an address literal, and a port.
    case server(Domain, port: UInt16, Transport)
    /// A local socket that speaks LMTP: its absolute path, at most `longestSocket` octets.
    case socket([UInt8])

    /// What is spoken with a server.
    package enum Transport: String, Hashable, Sendable {
        case smtp
        /// SMTP under TLS from the first byte (RFC 8314 §3.3).
        case smtps
        /// A reply for each recipient after the content (RFC 2033 §4.2).
        case lmtp

        /// RFC 5321 §4.5.4.2, RFC 8314 §7.3; LMTP has no port of its own (RFC 2033 §5), and 24 is for any private mail system.
        package var port: UInt16 {
            switch self {
            case .smtp: 25
            case .smtps: 465
            case .lmtp: 24
            }
        }
    }

    /// The kernel takes 108 octets with the NUL.
    package static let longestSocket = 107

    /// `mx`, `HOST[:PORT]`, `smtp:HOST[:PORT]`, `smtps:HOST[:PORT]`, `lmtp:HOST[:PORT]` or `lmtp:/PATH`; a host may be an address in brackets.
    package init?(parsing text: some Collection<UInt8>) {
        let text = Array(text)
        if text.equalsIgnoringASCIICase("mx") { self = .exchangers; return }
        guard let (transport, rest) = NextHop.transport(of: text) else { return nil }
        if transport == .lmtp, rest.first == UInt8(ascii: "/") {
            guard rest.count > 1, rest.count <= NextHop.longestSocket, rest.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else { return nil }
            self = .socket(Array(rest))
            return
        }
        let close = rest.lastIndex(of: UInt8(ascii: "]")) ?? -1
        let colon = rest.lastIndex(of: UInt8(ascii: ":")).flatMap { $0 > close ? $0 : nil }
        guard let host = Domain(parsing: rest[..<(colon ?? rest.endIndex)]) else { return nil }
        guard let colon else { self = .server(host, port: transport.port, transport); return }
        guard let number = rest[(colon + 1)...].decimalValue, let port = UInt16(exactly: number), port > 0 else { return nil }
        self = .server(host, port: port, transport)
    }

    /// The word before the first colon; what it is not, with digits alone behind it, is the name of a host: `lmtp:24`.
    private static func transport(of text: [UInt8]) -> (Transport, ArraySlice<UInt8>)? {
        guard let colon = text.firstIndex(of: UInt8(ascii: ":")), !text[(colon + 1)...].allSatisfy(\.isASCIIDigit),
            let transport = Transport(rawValue: text[..<colon].asciiLowercased.display)
        else { return (.smtp, text[...]) }
        return (transport, text[(colon + 1)...])
    }

    package var transport: Transport {
        switch self {
        case .exchangers: .smtp
        case .server(_, _, let transport): transport
        case .socket: .lmtp
        }
    }

    /// The target of a delivery to a program or a file, which other mail systems have and this one does not.
    package static func isProgramOrFile(_ text: some Collection<UInt8>) -> Bool {
        let text = Array(text)
        let words: [StaticString] = ["pipe:", "file:", "prog:", "mbox:", "command:", ":include:"]
        return text.first == UInt8(ascii: "|") || text.first == UInt8(ascii: "/")
            || words.contains { word in text.prefix(word.utf8CodeUnitCount).equalsIgnoringASCIICase(word) }
    }

    /// Why there is none, for whoever asks for one.
    package static let noProgramsOrFiles = """
        mail is given to no program and written to no file by design: a message would run as whom it is delivered to. \
        A program that takes mail listens for LMTP: `mailctl route add DOMAIN lmtp:HOST:PORT`
        """
}

extension NextHop: CustomStringConvertible {
    /// As it is parsed; `HOST:PORT` for SMTP.
    package var description: String {
        switch self {
        case .exchangers: "mx"
        case .server(let host, let port, .smtp): "\(host):\(port)"
        case .server(let host, let port, let transport): "\(transport.rawValue):\(host):\(port)"
        case .socket(let path): "lmtp:\(path.display)"
        }
    }

    /// As records hold it.
    package var bytes: [UInt8] {
        if case .socket(let path) = self { return Array("lmtp:".utf8) + path }
        return Array(description.utf8)
    }
}
