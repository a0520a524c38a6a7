// Files, ports and signals by Landlock: all rights that the kernel's ABI can handle are refused but for those listed.

internal import CLinux
import Kernel

/// The rights of `linux/landlock.h`, by the ABI that brought them.
private enum Right {
    static let writeFile: UInt64 = 1 << 1
    static let readFile: UInt64 = 1 << 2
    static let readFolder: UInt64 = 1 << 3
    static let removeFolder: UInt64 = 1 << 4
    static let removeFile: UInt64 = 1 << 5
    static let makeFolder: UInt64 = 1 << 7
    static let makeFile: UInt64 = 1 << 8
    /// ABI 2: rename and link between folders.
    static let refer: UInt64 = 1 << 13
    /// ABI 3.
    static let truncate: UInt64 = 1 << 14
    /// ABI 5.
    static let deviceControl: UInt64 = 1 << 15

    static let read = readFile | readFolder
    /// No device, socket, pipe or symbolic link: nothing of ours makes one.
    static let write = read | writeFile | removeFolder | removeFile | makeFolder | makeFile | refer | truncate

    static func handled(_ abi: Int32) -> UInt64 {
        var all: UInt64 = (1 << 13) - 1
        if abi >= 2 { all |= refer }
        if abi >= 3 { all |= truncate }
        if abi >= 5 { all |= deviceControl }
        return all
    }

    static let bindTCP: UInt64 = 1 << 0
    static let connectTCP: UInt64 = 1 << 1
    /// ABI 6: what reaches no process outside.
    static let abstractSockets: UInt64 = 1 << 0
    static let signals: UInt64 = 1 << 1
}

extension Confinement {
    func applyLandlock() throws(ConfinementError) -> [ConfinementWarning] {
        let abi = martlet_landlock_abi()
        guard abi >= 2 else { return [.filesNotConfined(abi: abi)] }
        var warnings: [ConfinementWarning] = []
        let network = abi >= 4 ? handledNetwork : 0
        if abi < 4, handledNetwork != 0 { warnings.append(.portsNotConfined(abi: abi)) }
        if abi < 6 { warnings.append(.signalsNotConfined(abi: abi)) }
        let handled = Right.handled(abi)
        let ruleset = martlet_landlock_ruleset(handled, network, abi >= 6 ? scopes : 0, abi)
        guard ruleset >= 0 else { throw .refused(call: "landlock_create_ruleset", code: martlet_last_error()) }
        let owned = Descriptor(adopting: ruleset)
        warnings += try allow(readable, Right.read & handled, on: owned.raw)
        warnings += try allow(writable, Right.write & handled, on: owned.raw)
        _ = try allow(Confinement.systemFiles, Right.read, on: owned.raw)
        if network != 0 {
            for port in connectable {
                try ConfinementError.check("landlock_add_rule") { martlet_landlock_allow_port(owned.raw, port, Right.connectTCP) }
            }
        }
        try ConfinementError.check("landlock_restrict_self") { martlet_landlock_enforce(owned.raw) }
        return warnings
    }

    /// A front is in a domain of its own, so that its session process can signal it only without this scope: the call filter
    /// then names whom.
    private var scopes: UInt64 { child == nil ? Right.abstractSockets | Right.signals : Right.abstractSockets }

    private var connectable: [UInt16] {
        switch network {
        case .connecting(let ports): ports ?? []
        case .listening: outgoing.ports
        case .none, .handed: []
        }
    }

    private var handledNetwork: UInt64 {
        switch network {
        case .none, .handed, .listening, .connecting(.some): Right.bindTCP | Right.connectTCP
        case .connecting(nil): Right.bindTCP
        }
    }

    /// A missing path is a warning: what is not there cannot be read, and what comes there later stays refused.
    private func allow(_ paths: [Path], _ rights: UInt64, on ruleset: Int32) throws(ConfinementError) -> [ConfinementWarning] {
        var missing: [ConfinementWarning] = []
        for path in paths {
            let result = path.withCString { martlet_landlock_allow_path(ruleset, $0, rights) }
            if result < 0 {
                let error = KernelError(.open, code: martlet_last_error(), object: path.bytes)
                guard error.isMissing else { throw .refused(call: "landlock_add_rule \(path)", code: error.code) }
                missing.append(.missing(path))
            }
        }
        return missing
    }
}
