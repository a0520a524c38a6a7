// The disk against the table: every folder, and each file by its kind. No link is followed below a place, because the folder
// that it lies in may belong to a service, and root would be led by what a captured one had put there.

import Configuration
import Kernel

final class PermissionCheck {
    /// Whom a file may belong to, which group and mode it has; nil where it does not matter.
    struct Wanted {
        var owners: [UInt32]?
        var group: UInt32?
        let mode: UInt32
    }

    let places: TreePlaces
    let ownership: Ownership
    let mends: Bool
    var report = PermissionReport()
    /// What is still looked at beneath the accounts: each has three folders at least, and there may be many.
    var budget = 200_000

    /// `mends`: whether owners and modes are put right.
    init(_ places: TreePlaces, _ ownership: Ownership, mends: Bool) {
        self.places = places
        self.ownership = ownership
        self.mends = mends
    }

    func run() throws(Failure) -> PermissionReport {
        for folder in SpoolTree.folders { try look(at: folder) }
        return report
    }

    private func look(at folder: SpoolFolder) throws(Failure) {
        let top = places[folder.place]
        let path = folder.path.isEmpty ? top : top / Path(folder.path)
        let wanted = Wanted(
            owners: try ownership.uid(of: folder.owner).map { [$0] }, group: try ownership.gid(of: folder.group, owner: folder.owner),
            mode: folder.mode)
        var trouble: Failure?
        do throws(KernelError) {
            let opened = try PermissionCheck.open(folder, in: top)
            compare(try opened.status(), wanted, at: path) { wanted throws(KernelError) in
                try opened.descriptor.setOwner(uid: wanted.owners?.first, gid: wanted.group)
                try opened.setMode(wanted.mode)
            }
            do throws(Failure) {
                try lookAtFiles(of: folder, in: opened)
                if folder.place == .store, folder.path.isEmpty { try lookAtAccounts(in: opened) }
            } catch { trouble = error }
        } catch {
            if error.isMissing { try missing(folder, path) } else { cannot(error, path) }
        }
        if let trouble { throw trouble }
    }

    private static func open(_ folder: SpoolFolder, in top: Path) throws(KernelError) -> DirectoryDescriptor {
        let opened = try DirectoryDescriptor(opening: top)
        return folder.path.isEmpty ? opened : try opened.openDirectory(Path(folder.path))
    }

    private func missing(_ folder: SpoolFolder, _ path: Path) throws(Failure) {
        guard folder.isMade else { return }
        // A store that is not mounted must not be taken for an empty one.
        let mayMake = mends && folder.place != .store
        if mayMake { try FolderMaker.make(folder, in: places, ownership) }
        let remedy = folder.place == .store ? "missing: mount the mail store, or make the tree by `mailctl init`" : "missing"
        report.differences.append(PermissionDifference(path: path, what: remedy, isMended: mayMake))
    }

    /// A link or a file in a folder's place is a difference that nobody mends by itself; the rest is unknown.
    func cannot(_ error: KernelError, _ path: Path) {
        if error.isLinkOrNoFolder {
            report.differences.append(PermissionDifference(path: path, what: "a link or a file where a folder belongs", isMended: false))
        } else {
            report.unknown.append("\(error)")
        }
    }

    // MARK: Files

    private func lookAtFiles(of folder: SpoolFolder, in opened: borrowing DirectoryDescriptor) throws(Failure) {
        let kinds = SpoolTree.files.filter { $0.place == folder.place && $0.folder == folder.path }
        guard !kinds.isEmpty else { return }
        let entries: [DirectoryDescriptor.Entry]
        do throws(KernelError) { entries = try opened.list() } catch { return cannot(error, opened.path) }
        for entry in entries.sorted(by: { $0.name.lexicographicallyPrecedes($1.name) }) {
            guard let kind = kinds.first(where: { $0.fits(entry.name) }) else { continue }
            let isInner = SpoolTree.folders.contains { $0.place == folder.place && $0.path == "\(folder.path)/\(String(decoding: entry.name, as: UTF8.self))" }
            if !isInner { lookAtFile(Path(entry.name), try wanted(kind, in: folder), in: opened) }
        }
    }

    private func wanted(_ kind: SpoolFile, in folder: SpoolFolder) throws(Failure) -> Wanted {
        var owners: [UInt32?]?
        var group: UInt32?
        switch kind.owner {
        case .root: owners = [try ownership.uid(of: .root)]
        case .asFolder: owners = [try ownership.uid(of: folder.owner)]
        case .services(let services):
            owners = []
            for service in services { owners?.append(try ownership.uid(of: .service(service))) }
        case .anyone: break
        }
        switch kind.group {
        case .asFolder: group = try ownership.gid(of: folder.group, owner: folder.owner)
        case .group(let wanted): group = try ownership.gid(of: wanted, owner: .root)
        case .none: break
        }
        let known = owners?.compactMap { $0 } ?? []
        return Wanted(owners: known.isEmpty ? nil : known, group: group, mode: kind.mode)
    }

    /// Looks at one file; what is made and removed meanwhile is no finding.
    func lookAtFile(_ name: Path, _ wanted: Wanted, in folder: borrowing DirectoryDescriptor) {
        do throws(KernelError) {
            let status = try folder.status(of: name)
            guard status.kind == .file else {
                let what = status.kind == .symbolicLink ? "a link: it was not followed" : "no file"
                // An administrator's link to a key is the way that renewing tools work.
                if status.kind == .symbolicLink, status.owner == 0 {
                    report.unknown.append("who may read what \(folder.path / name) leads to")
                } else {
                    report.differences.append(PermissionDifference(path: folder.path / name, what: what, isMended: false))
                }
                return
            }
            if !needsChange(status, wanted) { report.count += 1 } else { try change(name, wanted, in: folder) }
        } catch { if !error.isMissing { cannot(error, folder.path / name) } }
    }

    private func change(_ name: Path, _ wanted: Wanted, in folder: borrowing DirectoryDescriptor) throws(KernelError) {
        let file = try folder.open(name)
        let status = try file.status()
        guard status.kind == .file else { return }
        compare(status, wanted, at: folder.path / name, canMend: status.links == 1) { wanted throws(KernelError) in
            try file.setOwner(uid: wanted.owners?.first, gid: wanted.group)
            try file.setMode(wanted.mode)
        }
    }

    // MARK: Comparing

    private func needsChange(_ status: FileStatus, _ wanted: Wanted) -> Bool {
        !(wanted.owners?.contains(status.owner) ?? true) || wanted.group.map { $0 != status.group } ?? false || wanted.mode != status.mode
    }

    /// Notes what differs and mends it where it may. A file with several names is left alone: one of them may be
    /// elsewhere, and who made the second wanted root to change the first.
    func compare(
        _ status: FileStatus, _ wanted: Wanted, at path: Path, canMend: Bool = true, mend: (Wanted) throws(KernelError) -> Void
    ) {
        report.count += 1
        guard needsChange(status, wanted) else { return }
        var wanted = wanted
        var words: [String] = []
        if let owners = wanted.owners {
            if owners.contains(status.owner) { wanted.owners = [status.owner] } else {
                words.append("owner \(name(ofUser: status.owner)) instead of \(owners.map(name(ofUser:)).joined(separator: " or "))")
            }
        }
        if let group = wanted.group, group != status.group {
            words.append("group \(name(ofGroup: status.group)) instead of \(name(ofGroup: group))")
        }
        if wanted.mode != status.mode { words.append("mode \(SpoolTree.octal(status.mode)) instead of \(SpoolTree.octal(wanted.mode))") }
        if !canMend { words.append("it has \(status.links) names and is not mended") }
        var isMended = false
        if mends, canMend {
            do throws(KernelError) {
                try mend(wanted)
                isMended = true
            } catch { words.append("\(error)") }
        }
        report.differences.append(PermissionDifference(path: path, what: words.joined(separator: ", "), isMended: isMended))
    }

    private func name(ofUser id: UInt32) -> String { Identity.userName(of: id).map { String(decoding: $0, as: UTF8.self) } ?? "\(id)" }
    private func name(ofGroup id: UInt32) -> String { Identity.groupName(of: id).map { String(decoding: $0, as: UTF8.self) } ?? "\(id)" }
}

extension SpoolFile {
    fileprivate func fits(_ name: [UInt8]) -> Bool {
        switch names {
        case .exactly(let text): name.elementsEqual(text.utf8)
        case .beginning(let text): name.starts(with: text.utf8)
        case .all: true
        }
    }
}
