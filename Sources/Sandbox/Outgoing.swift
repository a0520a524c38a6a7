// What a process that serves inherited sockets may connect to: its content filters, by streams, and name servers.

extension Confinement {
    /// Sockets by which a listening process may reach its content filters and name servers.
    package struct Outgoing: Sendable, Hashable {
        /// TCP ports, whatever the address: Landlock has no rule for addresses.
        package var ports: [UInt16]
        /// Whether it may connect to sockets in the file system. To which ones, their modes say: Landlock has no rule for them.
        package var isLocal: Bool
        /// Whether it sends datagrams, as to name servers. Linux has no rule for where they go. A stream would be more: whoever may
        /// make one and listen gets a port that the kernel chooses, of which Landlock does not speak.
        package var sendsDatagrams = false

        package init(ports: [UInt16] = [], isLocal: Bool = false) {
            self.ports = ports
            self.isLocal = isLocal
        }

        package var isNone: Bool { ports.isEmpty && !isLocal && !sendsDatagrams }

        /// AF_UNIX, AF_INET and AF_INET6, as far as they are needed.
        var families: [UInt32] { (isLocal ? [1] : []) + (ports.isEmpty && !sendsDatagrams ? [] : [2, 10]) }
        /// SOCK_STREAM and SOCK_DGRAM, as far as they are needed.
        var kinds: [UInt32] { (ports.isEmpty && !isLocal ? [] : [1]) + (sendsDatagrams ? [2] : []) }
    }
}
