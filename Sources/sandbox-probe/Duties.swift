// What is whose job, said beside the confinements and not derived from them: a right that one of them gives too many shows.

import Configuration
import Kernel
import Privileges

/// A place of the tree, and who may do what there.
struct Place {
    let name: String
    let folder: Path
    /// By the name of the process.
    let rights: [String: Right]

    enum Right: Character { case none = "-", reads = "r", writes = "w" }
}

enum Duties {
    /// `r`: may be read; `w`: read, written, and made beside it; `-`: neither.
    static let table = """
                                smtpd submission queued locald remoted pop3d pop3d-front imapd imapd-front
        spool/smtpd/mail          w       -        r      r      r       -        -        -       -
        spool/smtpd/mail/big      w       -        r      r      r       -        -        -       -
        spool/smtpd/events        w       -        -      -      -       -        -        -       -
        spool/submission/mail     -       w        r      r      r       -        -        -       -
        spool/submission/mail/big -       w        r      r      r       -        -        -       -
        spool/submission/events   -       w        -      -      -       r        -        r       -
        spool/queued/mail         -       -        w      r      r       -        -        -       -
        spool/queued/mail/big     -       -        w      r      r       -        -        -       -
        spool/queued/events       -       -        w      r      r       -        -        -       -
        spool/queued/released     r       r        w      -      -       -        -        -       -
        spool/drop                -       -        w      -      -       -        -        -       -
        spool/locald/events       -       -        r      w      -       -        -        -       -
        spool/remoted/events      -       -        r      -      w       -        -        -       -
        spool/pop3d/events        -       r        -      -      -       w        -        r       -
        spool/imapd/events        -       r        -      -      -       r        -        w       -
        spool/mailctl/events      -       -        r      -      -       -        -        -       -
        spool/supervisor/events   -       -        -      -      -       -        -        -       -
        spool                     -       -        -      -      -       -        -        -       -
        directory                 -       -        -      -      -       -        -        -       -
        directory/addresses       r       r        r      -      -       -        -        -       -
        directory/credentials     -       r        -      -      -       r        -        r       -
        directory/relay           -       -        -      -      r       -        -        -       -
        store                     -       -        -      w      -       w        -        w       -
        store/.stage              -       -        -      w      -       w        -        w       -
        maildir                   -       -        -      w      -       w        -        w       -
        configuration             -       -        -      -      -       -        -        -       -
        tls                       r       r        -      -      -       -        r        -       r
        cache                     -       -        -      -      -       -        -        -       -
        """

    static func places(_ configuration: Configuration, file: Path) -> [Place] {
        let lines = table.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        let processes = lines.first ?? []
        return lines.dropFirst().map { line in
            let rights = line.dropFirst().map { $0.first.flatMap(Place.Right.init(rawValue:)) ?? .none }
            return Place(name: line[0], folder: folder(line[0], configuration, file), rights: Dictionary(zip(processes, rights)) { $1 })
        }
    }

    private static func folder(_ name: String, _ configuration: Configuration, _ file: Path) -> Path {
        let paths = configuration.paths
        let parts = name.split(separator: "/", maxSplits: 1).map(String.init)
        let base: Path =
            switch parts[0] {
            case "spool": paths.spool
            case "directory": paths.directory
            case "store": paths.store
            case "cache": paths.cache
            case "tls": configuration.tls.key.parent
            case "maildir": firstMaildir(in: paths.store)
            default: file.parent
            }
        return parts.count > 1 ? base / Path(parts[1]) : base
    }

    /// Of the first account; without one, the store.
    private static func firstMaildir(in store: Path) -> Path {
        folders(in: store).flatMap(folders).first ?? store
    }

    private static func folders(in folder: Path) -> [Path] {
        guard let opened = try? DirectoryDescriptor(opening: folder), let entries = try? opened.list() else { return [] }
        let names = entries.filter { $0.kind == .directory && $0.name.first != UInt8(ascii: ".") }.map { Path($0.name) }
        return names.sorted { $0.description < $1.description }.map { folder / $0 }
    }
}
