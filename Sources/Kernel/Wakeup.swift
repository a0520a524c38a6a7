// A thread tells another that there is work.

import CLinux
import Glibc

/// An eventfd: signalled by any thread, polled by one.
package struct Wakeup: ~Copyable, Sendable {
    package let descriptor: Descriptor

    package init() throws(KernelError) {
        let raw = try attempt(.open, on: []) { Int(martlet_eventfd()) }
        descriptor = Descriptor(adopting: Int32(raw), name: "eventfd")
    }

    package func signal() {
        var one: UInt64 = 1
        _ = Glibc.write(descriptor.raw, &one, 8)
    }

    package func clear() {
        var value: UInt64 = 0
        _ = Glibc.read(descriptor.raw, &value, 8)
    }
}
