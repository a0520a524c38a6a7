// What a process that serves inherited sockets may connect to, its content filters: streams, and nothing beside them.

extension Confinement {
    /// Sockets by which a listening process may reach its content filters.
    package struct Outgoing: Sendable, Hashable {
        /// TCP ports, whatever the address: Landlock has no rule for addresses.
        package var ports: [UInt16]
        /// Whether it may connect to sockets in the file system. To which ones, their modes say: Landlock has no rule for them.
        package var isLocal: Bool

        package init(ports: [UInt16] = [], isLocal: Bool = false) {
            self.ports = ports
            self.isLocal = isLocal
        }

        package var isNone: Bool { ports.isEmpty && !isLocal }

        /// AF_UNIX, AF_INET and AF_INET6, as far as they are needed.
        var families: [UInt32] { (isLocal ? [1] : []) + (ports.isEmpty ? [] : [2, 10]) }
    }
}
