// What owner, group and mode let each service do: derived from the table, so that it cannot say anything else.
// Root may do everything and is never listed.

import Configuration

/// Some services, or everybody.
enum Holders: Hashable, Sendable {
    case anyone
    case services(Set<Service>)

    func and(_ other: Holders) -> Holders {
        switch (self, other) {
        case (.anyone, _): other
        case (_, .anyone): self
        case (.services(let one), .services(let two)): .services(one.intersection(two))
        }
    }

    func contains(_ service: Service) -> Bool {
        switch self {
        case .anyone: true
        case .services(let services): services.contains(service)
        }
    }

    /// In the order in which services are always named.
    var shown: String {
        switch self {
        case .anyone: return "anyone"
        case .services(let services):
            let names = Service.allCases.filter(services.contains).map(\.rawValue)
            return names.isEmpty ? "root" : names.joined(separator: ", ")
        }
    }
}

/// A folder or a kind of file, and who may read and write it.
struct TreeRow {
    let place: SpoolFolder.Place
    let path: String
    let isFolder: Bool
    let owner: String
    let group: String
    let mode: UInt32
    let purpose: String
    /// Of a folder: who may add, rename and remove what is in it.
    let writers: Holders
    /// Of a folder: who may list it.
    let readers: Holders
}

extension SpoolTree {
    /// The whole table: each folder, followed by its files.
    static let rows: [TreeRow] = (folders + [account]).flatMap { folder in
        [row(folder)] + files.filter { $0.place == folder.place && $0.folder == folder.path }.map { row($0, in: folder) }
    }

    private static func row(_ folder: SpoolFolder) -> TreeRow {
        let path = passers(toParentOf: folder)
        return TreeRow(
            place: folder.place, path: folder.path, isFolder: true, owner: folder.owner.shown, group: folder.group?.rawValue ?? "—",
            mode: folder.mode, purpose: folder.purpose, writers: path.and(holders(of: folder, 3)), readers: path.and(holders(of: folder, 5)))
    }

    private static func row(_ file: SpoolFile, in folder: SpoolFolder) -> TreeRow {
        let path = passers(toParentOf: folder).and(holders(of: folder, 1))
        let (owner, services): (String, Set<Service>) =
            switch file.owner {
            case .root: ("root", [])
            case .asFolder: (folder.owner.shown, folder.owner.services)
            case .services(let services): (services.map(\.rawValue).joined(separator: ", "), Set(services))
            case .anyone: ("its sender", [])
            }
        let group: ServiceGroup? =
            switch file.group {
            case .asFolder: folder.group
            case .group(let group): group
            case .none: nil
            }
        func given(_ bits: UInt32) -> Holders { path.and(holders(owner: services, group: group, mode: file.mode, bits)) }
        return TreeRow(
            place: file.place, path: folder.path.isEmpty ? file.shown : folder.path + "/" + file.shown, isFolder: false, owner: owner,
            group: group?.rawValue ?? "—", mode: file.mode, purpose: file.purpose, writers: given(2), readers: given(4))
    }

    /// Who gets as far as to the folder that this one is in.
    private static func passers(toParentOf folder: SpoolFolder) -> Holders {
        folders.filter { $0.place == folder.place && $0.path != folder.path && ($0.path.isEmpty || folder.path.hasPrefix($0.path + "/")) }
            .reduce(.anyone) { $0.and(holders(of: $1, 1)) }
    }

    private static func holders(of folder: SpoolFolder, _ bits: UInt32) -> Holders {
        holders(owner: folder.owner.services, group: folder.group, mode: folder.mode, bits)
    }

    /// `bits` as in a mode: 4 read, 2 write, 1 pass; all of them are asked for.
    private static func holders(owner: Set<Service>, group: ServiceGroup?, mode: UInt32, _ bits: UInt32) -> Holders {
        func gives(_ shift: UInt32) -> Bool { mode >> shift & bits == bits }
        if gives(0), gives(3), gives(6) || owner.isEmpty { return .anyone }
        var services = gives(6) ? owner : []
        if let group, gives(3) { services.formUnion(Set(group.members).subtracting(owner)) }
        return .services(services)
    }
}

extension SpoolFolder.Owner {
    var services: Set<Service> {
        switch self {
        case .root: []
        case .service(let service): [service]
        }
    }

    var shown: String {
        switch self {
        case .root: "root"
        case .service(let service): service.rawValue
        }
    }
}
