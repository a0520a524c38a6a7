// Whether the mail store is there, for those who read it: one that is missing is no empty one.

import Kernel
import Mailbox

/// Asked at each login, and all the time by the main thread.
struct StorePresence: Sendable {
    private let path: Path
    /// A file mode keeps us out, and no new process changes that.
    private let wasDenied: Bool

    /// Call before the confinement, which lets nobody into a store that is mounted later.
    init(_ path: Path) {
        self.path = path
        wasDenied = StorePresence.look(path) == .denied
    }

    private enum Look { case there, missing, denied }

    private static func look(_ store: Path) -> Look {
        do throws(StoreError) { try StoreIdentity.verifyPresence(store: store) } catch {
            if case .kernel(let reason) = error, reason.permissionDenied { return .denied }
            return .missing
        }
        return .there
    }

    /// Where it cannot be told, the mailbox itself will say.
    var isThere: Bool { wasDenied || StorePresence.look(path) == .there }

    /// Whether it was mounted since the confinement: what is refused now is open to a process that starts now.
    var isLockedOut: Bool { !wasDenied && StorePresence.look(path) == .denied }
}
