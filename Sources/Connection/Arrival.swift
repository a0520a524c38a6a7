// What is known of a connection before its first byte.

/// What a program calls the listener that a connection came from, and whether TLS comes first there.
package struct ListenerRole: Hashable, Sendable, ExpressibleByStringLiteral {
    /// The program's word, as in `LISTEN_FDNAMES`: `smtp`, `submissions`, `imap`.
    package let name: [UInt8]
    /// RFC 8314 §3: the handshake comes before any byte of the protocol.
    package let isImplicitTLS: Bool

    package init(_ name: [UInt8], isImplicitTLS: Bool = false) {
        self.name = name
        self.isImplicitTLS = isImplicitTLS
    }

    package init(_ name: StaticString, isImplicitTLS: Bool = false) {
        self.init(name.withUTF8Buffer { Array($0) }, isImplicitTLS: isImplicitTLS)
    }

    package init(stringLiteral name: StaticString) { self.init(name) }
}

/// Where a connection comes from or goes to.
package struct Arrival: Hashable, Sendable {
    package let role: ListenerRole
    package let peer: SocketName
    package let local: SocketName

    package init(role: ListenerRole, peer: SocketName, local: SocketName) {
        self.role = role
        self.peer = peer
        self.local = local
    }
}
