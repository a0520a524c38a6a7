// What one program may do, as one value. It is applied once, before the first thread, and cannot be taken back.

package import Kernel

/// The rights that a process keeps; everything else that the kernel can refuse it is refused.
///
/// Descriptors that are open already keep working: listeners, logs and snapshots are opened before.
package struct Confinement: Sendable, Hashable {
    /// What a process may do on the network. Nothing binds a socket, and sockets of other kinds are made by nobody.
    package enum Network: Sendable, Hashable {
        /// No socket of any kind.
        case none
        /// Connections that it is given; it makes none.
        case handed
        /// Inherited sockets accept.
        case listening
        /// New sockets of the internet; TCP connects to these ports only, nil for any. Linux has no such rule for UDP, which DNS needs.
        case connecting(toPorts: [UInt16]?)
    }

    /// What an apply puts in force; all but for a proof that names the layer that denies.
    package struct Layers: OptionSet, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }
        package static let limits = Layers(rawValue: 1), process = Layers(rawValue: 2), capabilities = Layers(rawValue: 4)
        package static let landlock = Layers(rawValue: 8), seccomp = Layers(rawValue: 16)
        package static let all: Layers = [.limits, .process, .capabilities, .landlock, .seccomp]
    }

    /// Files, and folders with all beneath them, that may be read.
    package var readable: [Path]
    /// Files, and folders with all beneath them, that may be read, written, made, renamed and removed.
    package var writable: [Path]
    package var network: Network
    /// The process that it started and may signal: the front of a session process. No other, and its own apart, gets one.
    package var child: Int32?
    /// Beside inherited sockets: where a process that listens may connect to. Nowhere, unless it is told.
    package var outgoing = Outgoing()
    /// Whether it makes pairs of sockets: a front relays what TLS keeps in it.
    package var relays = false
    /// The most open descriptors; nil leaves the limit as it is.
    package var descriptors: UInt64?
    /// The most processes and threads of its user id, other processes of that id included.
    package var processes: UInt64?

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
    package func apply(_ layers: Layers = .all) throws(ConfinementError) -> [ConfinementWarning] {
        try ConfinementError.checkThreads()
        if layers.contains(.limits) { try applyLimits() }
        if layers.contains(.capabilities) { try dropCapabilities() }
        if !layers.isDisjoint(with: [.process, .landlock, .seccomp]) { try closeProcess() }
        let warnings = layers.contains(.landlock) ? try applyLandlock() : []
        if layers.contains(.seccomp) { try CallFilter(self).install() }
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
