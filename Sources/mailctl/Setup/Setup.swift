// Everything of a tree but the directory: folders, the store's name, the certificate.

import Configuration
import Kernel
import Mailbox
import MailModel

struct Setup {
    let configuration: Configuration
    let places: TreePlaces
    let ownership: Ownership

    /// `file`: the configuration file, absolute.
    init(_ configuration: Configuration, file: Path, asRoot: Bool) {
        self.configuration = configuration
        places = TreePlaces(configuration.paths, file: file)
        ownership = Ownership(configuration, asRoot: asRoot)
    }

    /// Makes users where root may, every folder of the table, and the store's name.
    func makeTree() throws(Failure) {
        if ownership.appliesUsers {
            try SystemUsers.make(prefix: configuration.users.prefix)
            try openWay(to: configuration.paths.spool)
        }
        for folder in SpoolTree.folders where folder.isMade { try FolderMaker.make(folder, in: places, ownership) }
        try nameStore()
    }

    /// Makes the folders that an earlier version did not have where there are none; those that are there stay as they are.
    func completeFolders() throws(Failure) {
        var hasUsers = !ownership.appliesUsers
        for folder in SpoolTree.folders where folder.place == .directory || folder.isLater {
            let path = (places[folder.place] / Path(folder.path)).normalized
            // Whose parent is missing too is damage, which `mailctl check --permissions` tells of.
            let isDamage = folder.isLater && (try? DirectoryDescriptor(passing: path.parent)) == nil
            guard !isDamage, (try? DirectoryDescriptor(passing: path)) == nil else { continue }
            // Its group may be as new as the folder.
            if !hasUsers { try SystemUsers.make(prefix: configuration.users.prefix) }
            hasUsers = true
            try FolderMaker.make(folder, in: places, ownership)
        }
    }

    /// The services' users must be able to walk to their folders: the root is opened, what is above it is not ours.
    private func openWay(to path: Path) throws(Failure) {
        let root = configuration.paths.root
        try attempting { () throws(KernelError) in
            try FolderMaker.makePath(root)
            let folder = try DirectoryDescriptor(opening: root)
            let mode = try folder.status().mode
            if mode & 0o001 == 0 { try folder.setMode(mode | 0o055) }
        }
        for ancestor in sequence(first: root, next: { $0.bytes == [0x2F] ? nil : $0.parent }) {
            let mode = try attempting { () throws(KernelError) in try DirectoryDescriptor(opening: ancestor).status().mode }
            guard mode & 0o001 != 0 else {
                throw Failure(
                    .noPermission, "the services' users cannot enter \(ancestor)",
                    remedy: "choose a --root below folders that others may enter, or chmod o+x \(ancestor)")
            }
        }
    }

    /// STORE-ID tells a store from another that is mounted in its place; it is given once.
    private func nameStore() throws(Failure) {
        let context = StoreContext(host: configuration.hostname.bytes, bootID: StoreContext.currentBootID())
        do throws(StoreError) {
            _ = try StoreIdentity.create(store: configuration.paths.store, context: context)
        } catch {
            if case .folderExists = error { return }
            throw Failure(
                .inputOutput, "the mail store cannot be named: \(error)",
                remedy: "check owner, mode and free space of \(configuration.paths.store)")
        }
    }

    private func isThere(_ path: Path) throws(Failure) -> Bool {
        try attempting { () throws(KernelError) in
            do throws(KernelError) { _ = try DirectoryDescriptor(opening: path.parent).status(of: path.lastComponent) } catch {
                if error.isMissing { return false }
                throw error
            }
            return true
        }
    }

    /// Makes a self-signed certificate where there is none; false if there is one.
    @discardableResult
    func makeCertificate() throws -> Bool {
        let (certificate, key) = (configuration.tls.certificate, configuration.tls.key)
        if try isThere(certificate) { return false }
        if try isThere(key) {
            throw Failure(
                .cannotCreate, "there is a key, \(key), and no certificate", remedy: "put its certificate at \(certificate), or move the key away for a new pair")
        }
        let pair = try SelfSignedCertificate(hostname: configuration.hostname.description, isDevelopment: configuration.development, now: .now())
        let gid = try ownership.gid(of: .tls, owner: .root)
        try attempting { () throws(KernelError) in
            try FolderMaker.makePath(certificate.parent)
            try FolderMaker.makePath(key.parent)
            let keys = try DirectoryDescriptor(opening: key.parent)
            try keys.replace(key.lastComponent, with: Array(pair.key.utf8), mode: 0o640)
            if let gid { try keys.setOwner(of: key.lastComponent, uid: 0, gid: gid) }
            let folder = try DirectoryDescriptor(opening: certificate.parent)
            try folder.replace(certificate.lastComponent, with: Array(pair.certificate.utf8), mode: 0o644)
        }
        return true
    }
}
