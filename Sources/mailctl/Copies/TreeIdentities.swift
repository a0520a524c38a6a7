// The two identity files on the disk. Order of writing: the spool's as pending, the store's, the spool's as settled;
// a crash between any two of them is neither a copy nor a restore.

import Configuration
import Kernel

/// SPOOL-ID and STORE-ID of one installation.
struct TreeIdentities: ~Copyable {
    static let spoolName: Path = "SPOOL-ID"
    static let storeName: Path = "STORE-ID"

    private let spoolFolder: DirectoryDescriptor
    private let stage: DirectoryDescriptor
    private let machine: [UInt8]
    let spool: FoundIdentity?
    let store: FoundIdentity
    let recognition: Recognition

    /// Nil where there is no store, or one without a name: nothing can be concluded, and its services wait for it.
    static func find(_ paths: Configuration.Paths) throws(KernelError) -> TreeIdentities? {
        let machine = IdentityPlace.currentMachine()
        let stageFolder = paths.store / ".stage"
        guard let stage = try present({ () throws(KernelError) in try DirectoryDescriptor(opening: stageFolder) }),
            let store = try read(.store, storeName, in: stage, machine)
        else { return nil }
        let folder = try DirectoryDescriptor(opening: paths.spool)
        let spool = try read(.spool, spoolName, in: folder, machine)
        return TreeIdentities(
            spoolFolder: folder, stage: stage, machine: machine, spool: spool, store: store, recognition: Recognition(spool: spool, store: store))
    }

    /// Nil if there is no such file, or none that can be read: what it said is lost, and its partner's word counts.
    private static func read(
        _ kind: TreeIdentity.Kind, _ name: Path, in folder: borrowing DirectoryDescriptor, _ machine: [UInt8]
    ) throws(KernelError) -> FoundIdentity? {
        guard let file = try present({ () throws(KernelError) in try folder.open(name) }) else { return nil }
        let status = try file.status()
        guard status.kind == .file, status.size <= 4096, let identity = TreeIdentity(kind, parsing: try file.read(Int(status.size), at: 0))
        else { return nil }
        return FoundIdentity(identity: identity, place: IdentityPlace(inode: status.inode, born: file.birthTime, machine: machine))
    }

    /// The generation that both are in.
    var generation: UInt32 { max(spool?.identity.generation ?? 1, store.identity.generation) }

    /// Begins a new life, of a new generation for what was recognised as a copy; durable when it returns.
    func advance(renewing reasons: CopyReasons? = nil) throws(KernelError) {
        var spool: TreeIdentity
        if let known = self.spool?.identity { spool = known } else { spool = try TreeIdentity.fresh(.spool) }
        var store = self.store.identity
        spool.generation = reasons == nil ? generation : generation + 1
        store.generation = spool.generation
        // A life whose writing was cut short is written again: the store may be one behind it, never two.
        if !spool.isPending || store.life > spool.life { spool.life = max(spool.life, store.life) + 1 }
        store.life = spool.life
        if reasons?.concernsStore ?? false { store.numbering = store.generation }
        (spool.partner, store.partner) = (store.id, spool.id)
        spool.isPending = true
        try write(spool, TreeIdentities.spoolName, mode: 0o600, in: spoolFolder)
        try write(store, TreeIdentities.storeName, mode: 0o444, in: stage)
        spool.isPending = false
        try write(spool, TreeIdentities.spoolName, mode: 0o600, in: spoolFolder)
    }

    /// Replaces a file by one that names itself: a copy of it, also over it, then lies elsewhere than it says.
    private func write(
        _ identity: TreeIdentity, _ name: Path, mode: UInt32, in folder: borrowing DirectoryDescriptor
    ) throws(KernelError) {
        let temporary = Path(Array(".tmp-".utf8) + name.bytes)
        _ = try present { () throws(KernelError) in try folder.unlink(temporary) }
        let file = try folder.create(temporary, mode: mode)
        var identity = identity
        identity.place = IdentityPlace(inode: try file.status().inode, born: file.birthTime, machine: machine)
        try file.write(identity.text)
        try file.sync()
        try file.close()
        try folder.rename(temporary, to: name)
        try folder.sync()
    }
}

/// The result, or nil where what was asked for does not exist.
func present<R: ~Copyable>(_ body: () throws(KernelError) -> R) throws(KernelError) -> R? {
    do throws(KernelError) { return try body() } catch {
        if error.isMissing { return nil }
        throw error
    }
}
