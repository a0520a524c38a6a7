// What one program may do, as one value. It is applied once, before the first thread, and cannot be taken back.

package import Kernel

/// The rights that a process keeps; everything else that the kernel can refuse it is refused.
///
/// Descriptors that are open already keep working: listeners, logs and snapshots are opened before.
package struct Confinement: Sendable, Hashable {
    /// What a process may do on the network.
    package enum Network: Sendable, Hashable {
        /// No internet socket is made or used.
        case none
        /// Inherited sockets accept; no new internet socket can be made.
        case inheritedSockets
        /// New sockets; TCP connects to these ports only. Linux has no such rule for UDP, which DNS needs.
        case connecting(toPorts: [UInt16])
        /// For the administrator's own tools.
        case unrestricted
    }

    /// Files, and folders with all beneath them, that may be read.
    package var readable: [Path]
    /// Files, and folders with all beneath them, that may be read, written, made, renamed and removed.
    package var writable: [Path]
    package var network: Network
    /// Whether it may execute programs: the supervisor and the tools alone.
    package var mayExecute = false
    /// Whether it may signal other processes of its user id: a session process reloads and ends its front by signals.
    package var maySignal = false
    /// The most open descriptors; nil leaves the limit as it is.
    package var descriptors: UInt64?
    /// The most processes and threads of its user id, other processes of that id included.
    package var processes: UInt64?
    /// The largest file in bytes.
    package var fileSize: UInt64?

    package init(readable: [Path], writable: [Path], network: Network) {
        self.readable = readable
        self.writable = writable
        self.network = network
    }

    /// What the C library and the runtime read behind our backs: the time zone. Missing ones do not matter.
    package static let systemFiles: [Path] = ["/etc/localtime", "/usr/share/zoneinfo"]

    /// Confines this process and all that it starts; what the kernel cannot do is returned and worth an event.
    ///
    /// Throws if a thread exists already, because the rules bind the calling thread alone, and if the kernel refuses
    /// what it should be able to do: the program then ends rather than run unconfined.
    package func apply() throws(ConfinementError) -> [ConfinementWarning] {
        try ConfinementError.checkThreads()
        try applyLimits()
        try ConfinementError.check("PR_SET_NO_NEW_PRIVS") { martletNoNewPrivileges() }
        try ConfinementError.check("PR_SET_DUMPABLE") { martletNotDumpable() }
        let warnings = try applyLandlock()
        try CallFilter(self).install()
        return warnings
    }
}

/// What the running kernel could not enforce.
package enum ConfinementWarning: Sendable, Hashable {
    /// Landlock is missing, or too old to let files be moved between folders (ABI 1): files are not confined.
    case filesNotConfined(abi: Int32)
    /// Landlock ABI below 4: TCP ports are not confined.
    case portsNotConfined(abi: Int32)
    /// Landlock ABI below 6: signals and abstract sockets are not confined.
    case signalsNotConfined(abi: Int32)
    /// A path that was to be allowed is not there.
    case missing(Path)
}

extension ConfinementWarning: CustomStringConvertible {
    package var description: String {
        switch self {
        case .filesNotConfined(let abi): "files are not confined: Landlock ABI \(abi)"
        case .portsNotConfined(let abi): "TCP ports are not confined: Landlock ABI \(abi)"
        case .signalsNotConfined(let abi): "signals are not confined: Landlock ABI \(abi)"
        case .missing(let path): "not there, so not allowed: \(path)"
        }
    }
}
