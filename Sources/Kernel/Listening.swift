// Listening sockets, for the supervisor that binds them and hands them down.

import CLinux
import Glibc

package enum Listening {
    /// Binds and listens on a numeric IPv4 or IPv6 address.
    package static func bind(address: String, port: UInt16, backlog: Int32 = 4096) throws(KernelError) -> Descriptor {
        let family: Int32 = address.utf8.contains(UInt8(ascii: ":")) ? 6 : 4
        let name = Path(family == 6 ? "[\(address)]:\(port)" : "\(address):\(port)")
        let raw = try attempt(.listen, on: name.bytes) { Int(martlet_tcp_listen(address, port, family, backlog)) }
        return Descriptor(adopting: Int32(raw), name: name)
    }
}
