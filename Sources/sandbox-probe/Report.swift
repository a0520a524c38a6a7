// All acts of all processes, a line each: process, act, denied, by what, unconfined; separated by tabs.

import CProbe
import Configuration
import Kernel
import Privileges
import Sandbox

struct Report {
    private let configuration: Configuration
    private let places: [Place]
    private let socket: Path

    init(_ configuration: Configuration, file: Path) {
        self.configuration = configuration
        places = Duties.places(configuration, file: file)
        socket = Path("/tmp/.martlet-socket-\(Identity.processID)")
    }

    func write(_ line: (String) -> Void) throws(ProbeError) {
        for process in ConfinedProcess.allCases { try write(process, line) }
        _ = socket.withCString { probe_forget($0) }
    }

    private func write(_ process: ConfinedProcess, _ line: (String) -> Void) throws(ProbeError) {
        let user = try self.user(of: process.service)
        let others = [Guise(user: user), Guise(user: try self.user(of: process.service == .queued ? .locald : .queued)), Guise(user: user)]
        let helpers = others.map { guise in
            var guise = guise
            guise.confinement = Confinement(readable: [], writable: [], network: .none)
            guise.layers = .process
            return guise.begin()
        }
        defer { for helper in helpers { probe_end_child(helper) } }
        guard helpers.allSatisfy({ $0 > 0 }) else { throw ProbeError(sentence: "cannot start a process") }
        let confinement = process.confinement(configuration, child: process.service.hasFront && !process.isFront ? helpers[2] : nil)
        let acts = try self.acts(of: process, confinement, neighbour: helpers[0], stranger: helpers[1])
        for act in acts where !act.needsRoot || Identity.isRoot {
            let unconfined = act.attempt(as: Guise())
            if isBeside(unconfined) { continue }
            let confined = act.attempt(as: Guise(user: user, confinement: confinement))
            let by = confined.isRefusal ? layers(against: act, user, confinement, confined) : "-"
            line([process.name, act.name, confined.isRefusal ? "1" : "0", by, unconfined == .done ? "1" : "0"].joined(separator: "\t"))
        }
    }

    private func user(of service: Service) throws(ProbeError) -> SystemUser? {
        guard Identity.isRoot else { return nil }
        guard let user = SystemUser(named: configuration.users.prefix + service.rawValue) else {
            throw ProbeError(sentence: "there is no system user \(configuration.users.prefix)\(service.rawValue): run `mailctl init` as root, or correct users.prefix")
        }
        return user
    }

    /// What this kernel does not have can be denied to nobody; and who is not root tries what needs no root.
    private func isBeside(_ unconfined: Outcome) -> Bool {
        guard case .refused(let code) = unconfined else { return false }
        return probe_lacks_call(code) != 0 || !Identity.isRoot && probe_lacks_right(code) != 0
    }

    /// Each layer that denies it alone, the others being absent.
    private func layers(against act: Act, _ user: SystemUser?, _ confinement: Confinement, _ confined: Outcome) -> String {
        var found: [String] = []
        func note(_ name: String, _ guise: Guise) {
            if act.attempt(as: guise).isRefusal { found.append(name) }
        }
        note("seccomp", Guise(confinement: confinement, layers: .seccomp))
        if confined == .killed { found = ["seccomp (kill)"] }
        note("landlock", Guise(confinement: confinement, layers: .landlock))
        if let user { note("uid", Guise(user: user)) }
        return found.isEmpty ? "all together" : found.joined(separator: ", ")
    }
}

extension Report {
    private func acts(
        of process: ConfinedProcess, _ confinement: Confinement, neighbour: Int32, stranger: Int32
    ) throws(ProbeError) -> [Act] {
        var what = probe()
        what.neighbour = neighbour
        what.stranger = stranger
        what.neighbours_word = probe_word()
        let own = process.isFront ? nil : configuration.paths.spool / Path(process.service.rawValue)
        what.own = own.map(kept)
        guard probe_open_sockets(&what, kept(socket)) == 0 else { throw ProbeError(sentence: "cannot open sockets on loopback") }
        return places.flatMap { acts(in: $0, process) } + calls(confinement, what)
    }

    /// What the table does not give.
    private func acts(in place: Place, _ process: ConfinedProcess) -> [Act] {
        let right = place.rights[process.name] ?? .none
        guard right != .writes else { return [] }
        let folder = kept(place.folder)
        let file = newestFile(in: place.folder).map(kept)
        var acts = [Act(name: "make a file in \(place.name)", needsRoot: false) { _ in probe_make(folder) }]
        acts[0].folders = [folder]
        if let file { acts.append(Act(name: "change a file of \(place.name)", needsRoot: false) { _ in probe_append(file) }) }
        if right == .none {
            acts.append(Act(name: "list \(place.name)", needsRoot: false) { _ in probe_read(folder) })
            if let file { acts.append(Act(name: "read a file of \(place.name)", needsRoot: false) { _ in probe_read(file) }) }
        }
        return acts
    }

    /// What concerns the rest of the machine, but for the process's own job.
    private func calls(_ confinement: Confinement, _ what: probe) -> [Act] {
        var left = UInt32(PROBE_NEEDS_ROOT | PROBE_OWN_NAMESPACE)
        if what.own != nil { left |= UInt32(PROBE_NEEDS_FOLDER) }
        switch confinement.network {
        case .none, .connecting: break
        case .handed: left |= UInt32(PROBE_NEEDS_CONNECTION)
        case .listening: left |= UInt32(PROBE_NEEDS_LISTENER) | UInt32(PROBE_NEEDS_CONNECTION)
        }
        if case .connecting = confinement.network {} else {
            left |= UInt32(PROBE_CONNECTS)
            if !confinement.outgoing.sendsDatagrams { left |= UInt32(PROBE_SENDS) }
        }
        if !confinement.outgoing.isLocal { left |= UInt32(PROBE_CONNECTS_LOCALLY) }
        if !confinement.relays { left |= UInt32(PROBE_PAIRS) }
        return (0..<probe_act_count()).compactMap { index in
            let flags = probe_act_flags(index)
            let name = String(cString: probe_act_name(index))
            guard flags & ~left == 0, !confinement.allows(name) else { return nil }
            let inherited = Inherited(what)
            var act = Act(name: name, needsRoot: flags & UInt32(PROBE_NEEDS_ROOT) != 0) {
                inherited.what.is_confined = $0 ? 1 : 0
                return probe_run(index, &inherited.what)
            }
            act.folders = ["/tmp", "/dev/shm", "/var/tmp"].map { kept($0) } + (what.own.map { [$0] } ?? [])
            if flags & UInt32(PROBE_NEEDS_LISTENER | PROBE_NEEDS_CONNECTION) != 0 { act.prepare = { probe_inherit(&inherited.what) == 0 } }
            // An act that would change the machine is not made where it cannot have namespaces.
            if flags & UInt32(PROBE_OWN_NAMESPACE) != 0, Identity.isRoot { act.prepare = { probe_own_namespaces() == 0 } }
            return act
        }
    }

    /// The regular file of a folder with the highest name.
    private func newestFile(in folder: Path) -> Path? {
        guard let opened = try? DirectoryDescriptor(opening: folder), let entries = try? opened.list() else { return nil }
        let names = entries.filter { $0.kind == .file }.map { Path($0.name) }
        return names.max { $0.description < $1.description }.map { folder / $0 }
    }

    /// A C string for as long as the probe lives.
    private func kept(_ path: Path) -> UnsafePointer<CChar> {
        let bytes = path.bytes + [0]
        let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
        for (index, byte) in bytes.enumerated() { copy[index] = CChar(bitPattern: byte) }
        return UnsafePointer(copy)
    }
}

extension Confinement {
    /// What content filters bring with them, because no rule of Landlock tells a Unix socket from others, nor sees a port that the kernel chooses.
    fileprivate func allows(_ act: String) -> Bool {
        outgoing.isLocal && act == "connect to a Unix socket in the file system"
            || !outgoing.ports.isEmpty && act == "listen on a port that the kernel chooses"
    }
}

/// What an act's own process has opened before it is confined, as a program opens it.
private final class Inherited {
    var what: probe
    init(_ what: probe) { self.what = what }
}
