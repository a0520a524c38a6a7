// One act in a process of its own: with a user, with a confinement, with both, or with neither.

import CProbe
import Kernel
import Sandbox

/// Something that a process may not do.
struct Act {
    init(name: String, needsRoot: Bool, run: @escaping (_ isConfined: Bool) -> Int32) {
        (self.name, self.needsRoot, self.run) = (name, needsRoot, run)
    }

    let name: String
    let needsRoot: Bool
    /// What its process does before it is confined; without it the act is not made, and shown as unclear.
    var prepare: (() -> Bool)?
    /// Where it may leave a file.
    var folders: [UnsafePointer<CChar>] = []
    /// 0 or errno.
    let run: (_ isConfined: Bool) -> Int32
}

/// As what an act is tried.
struct Guise {
    /// Nil: whoever the probe runs as.
    var user: SystemUser?
    var confinement: Confinement?
    var layers: Confinement.Layers = .all
}

enum Outcome: Equatable {
    case done, killed, unclear
    case refused(code: Int32)

    var isRefusal: Bool { self != .done && self != .unclear }

    init(_ result: Int32) {
        self =
            switch result {
            case 0: .done
            case Int32(PROBE_KILLED): .killed
            case Int32(PROBE_UNCLEAR): .unclear
            default: .refused(code: result)
            }
    }
}

extension Act {
    func attempt(as guise: Guise) -> Outcome {
        let child = probe_fork()
        if child == 0 {
            probe_end((prepare?() ?? true) && guise.assume() ? run(guise.confinement != nil) : Int32(PROBE_UNCLEAR))
        }
        guard child > 0 else { return .unclear }
        defer { for folder in folders { probe_clean(folder) } }
        return Outcome(probe_wait(child))
    }
}

extension Guise {
    func assume() -> Bool {
        if let user, probe_become(user.uid, user.gid, user.groups, user.groups.count) != 0 { return false }
        guard let confinement else { return true }
        do throws(ConfinementError) { _ = try confinement.apply(layers) } catch {
            writeToStandardError(Array("sandbox-probe: \(error)\n".utf8))
            return false
        }
        return true
    }

    /// A process that waits: as confined as a program is against its neighbours.
    func begin() -> Int32 {
        let child = probe_fork()
        if child == 0 {
            _ = assume()
            probe_stay()
        }
        return child
    }
}
