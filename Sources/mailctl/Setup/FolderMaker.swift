// Makes folders so that a crash leaves either nothing or something that the next run completes.

import Configuration
import Kernel

/// Who owns what, looked up once; nil ids where everything belongs to the caller.
struct Ownership {
    private let prefix: String
    let appliesUsers: Bool

    init(_ configuration: Configuration, asRoot: Bool) {
        prefix = configuration.users.prefix
        appliesUsers = asRoot
    }

    func uid(of owner: SpoolFolder.Owner) throws(Failure) -> UInt32? {
        guard appliesUsers else { return nil }
        switch owner {
        case .root: return 0
        case .service(let service):
            guard let user = SystemUser(named: prefix + service.rawValue) else { throw missing("user", prefix + service.rawValue) }
            return user.uid
        }
    }

    func gid(of group: ServiceGroup?, owner: SpoolFolder.Owner) throws(Failure) -> UInt32? {
        guard appliesUsers else { return nil }
        if let group {
            guard let gid = SystemUser.group(named: group.systemName(prefix: prefix)) else {
                throw missing("group", group.systemName(prefix: prefix))
            }
            return gid
        }
        switch owner {
        case .root: return 0
        case .service(let service): return SystemUser(named: prefix + service.rawValue)?.gid
        }
    }

    private func missing(_ kind: String, _ name: String) -> Failure {
        Failure(.configuration, "there is no system \(kind) \(name)", remedy: "run `mailctl init` as root, or correct users.prefix")
    }
}

enum FolderMaker {
    /// Makes a folder and what is missing above it; an existing one stays as it is.
    static func makePath(_ path: Path, mode: UInt32 = 0o755) throws(KernelError) {
        do throws(KernelError) {
            _ = try DirectoryDescriptor(opening: path)
            return
        } catch {
            guard error.isMissing else { throw error }
        }
        try makePath(path.parent, mode: mode)
        let parent = try DirectoryDescriptor(opening: path.parent)
        do throws(KernelError) { try parent.makeDirectory(path.lastComponent, mode: mode) } catch {
            if !error.exists { throw error }
        }
        try parent.sync()
    }

    /// Makes a row of the table, with its owner, group and mode whether it was there or not.
    ///
    /// Below the place no link is followed: a folder above may belong to a service, and what it put there must not lead root elsewhere.
    static func make(_ folder: SpoolFolder, in places: TreePlaces, _ ownership: Ownership) throws(Failure) {
        let uid = try ownership.uid(of: folder.owner)
        let gid = try ownership.gid(of: folder.group, owner: folder.owner)
        let top = places[folder.place]
        try attempting { () throws(KernelError) in
            try makePath(top)
            var made = try DirectoryDescriptor(opening: top)
            for name in folder.path.split(separator: "/") { made = try made.entering(Path(String(name))) }
            if uid != nil || gid != nil { try made.setOwner(of: ".", uid: uid, gid: gid) }
            try made.setMode(folder.mode)
            try made.sync()
        }
    }
}

extension DirectoryDescriptor {
    /// A folder in this one, made if it is not there.
    fileprivate func entering(_ name: Path) throws(KernelError) -> DirectoryDescriptor {
        do throws(KernelError) { return try openDirectory(name) } catch {
            guard error.isMissing else { throw error }
        }
        do throws(KernelError) { try makeDirectory(name, mode: 0o755) } catch {
            if !error.exists { throw error }
        }
        try sync()
        return try openDirectory(name)
    }
}

/// Where the places of the table are in one tree.
struct TreePlaces {
    let paths: Configuration.Paths
    /// The folder of the configuration file.
    let configuration: Path

    /// `file`: the configuration file, absolute.
    init(_ paths: Configuration.Paths, file: Path) {
        self.paths = paths
        configuration = file.parent
    }

    subscript(place: SpoolFolder.Place) -> Path {
        switch place {
        case .spool: paths.spool.normalized
        case .store: paths.store.normalized
        case .cache: paths.cache.normalized
        case .directory: paths.directory.normalized
        case .configuration: configuration.normalized
        }
    }
}
