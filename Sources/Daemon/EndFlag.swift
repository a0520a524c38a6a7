// Something that ends on another thread, once, as a descriptor that a loop can poll beside its signals.

package import Kernel
import Synchronization

/// Readable for ever once it was set.
package final class EndFlag: Sendable {
    private let wakeup: Wakeup
    private let state = Atomic<Bool>(false)

    package init() throws(KernelError) { wakeup = try Wakeup() }

    package var descriptor: Int32 { wakeup.descriptor.raw }
    package var isSet: Bool { state.load(ordering: .acquiring) }

    package func set() {
        state.store(true, ordering: .releasing)
        wakeup.signal()
    }

    package func wait() {
        while !isSet { _ = waitReadable([descriptor], milliseconds: 60_000) }
    }
}
