// Where this host listens for mail: a message that is sent there comes back, again and again.

import Configuration
import Connection
import Kernel

/// The listeners for SMTP, and the addresses of this machine; the latter are looked up before the confinement, which forbids it.
struct OwnListeners: Sendable {
    private let listeners: [Endpoint]
    private let addresses: Set<[UInt8]>

    /// `addresses`: those of the interfaces, 4 or 16 bytes each.
    init(_ listen: Configuration.Listen, addresses: [[UInt8]]) {
        listeners = listen.smtp + listen.submission + listen.submissions
        self.addresses = Set(addresses.map(OwnListeners.text))
    }

    /// Whether a connection to `socket` reaches one of them.
    func take(_ socket: SocketName) -> Bool {
        listeners.contains { listener in
            guard listener.port == socket.port, listener.isIPv6 == socket.isIPv6 || listener.host == "::" else { return false }
            if Array(listener.host.utf8) == socket.address { return true }
            return (listener.host == "0.0.0.0" || listener.host == "::") && isOfThisMachine(socket.address)
        }
    }

    private func isOfThisMachine(_ address: [UInt8]) -> Bool {
        address.starts(with: Array("127.".utf8)) || address == Array("::1".utf8) || addresses.contains(address)
    }

    /// As `SocketName` has it: four numbers; eight groups of which the longest run of zeros is left out (RFC 5952 §4).
    private static func text(_ address: [UInt8]) -> [UInt8] {
        if address.count == 4 { return Array(address.map { "\($0)" }.joined(separator: ".").utf8) }
        let groups = stride(from: 0, to: address.count - 1, by: 2).map { UInt16(address[$0]) << 8 | UInt16(address[$0 + 1]) }
        var (first, length) = (0, 0)
        for start in groups.indices {
            let run = groups[start...].prefix { $0 == 0 }.count
            if run > length { (first, length) = (start, run) }
        }
        func hex(_ part: ArraySlice<UInt16>) -> String { part.map { String($0, radix: 16) }.joined(separator: ":") }
        guard length > 1 else { return Array(hex(groups[...]).utf8) }
        return Array("\(hex(groups[..<first]))::\(hex(groups[(first + length)...]))".utf8)
    }
}
