// Where a service manager hears how a service is (sd_notify(3)). Connected before the confinement, which makes no sockets;
// afterwards it is only written to.

import CLinux
import Glibc

package struct NotifySocket: ~Copyable, Sendable {
    private let descriptor: Descriptor

    /// `address` as in $NOTIFY_SOCKET.
    package init(address: String) throws(KernelError) {
        let raw = try attempt(.open, on: Array(address.utf8)) { Int(martlet_notify_socket(address)) }
        descriptor = Descriptor(adopting: Int32(raw), name: Path(address))
    }

    /// Says one thing; a manager that does not listen loses it, and a service that waits for that would be the worse for it.
    package func say(_ state: StaticString) {
        _ = state.withUTF8Buffer { Glibc.write(descriptor.raw, $0.baseAddress, $0.count) }
    }
}
