// Publication: a snapshot is built in memory, sealed, and put in place by write, fsync, rename, fsync of the folder.
// It is read and renamed under the database's write lock, so of two writers the later one publishes the later state.

import Crypto
import GRDB
import Kernel
import MailModel

extension DirectoryWriter {
    /// Writes both snapshots anew. Each change does this; by hand it is needed only after `notPublished`.
    package func publish() throws(DirectoryError) {
        do throws(DirectoryError) {
            try write { _ in
                let descriptor = try DirectoryDescriptor(opening: folder)
                for kind in [SnapshotKind.addresses, .credentials] { try replace(kind, in: descriptor) }
            }
        } catch {
            throw .notPublished("\(error)")
        }
    }

    /// Whether both snapshots can be read and hold the last committed state.
    package func isPublished() throws(DirectoryError) -> Bool {
        let revision = try read { database in
            try Int64.fetchOne(database, sql: "SELECT value FROM meta WHERE name = 'revision'")
        }
        return [SnapshotKind.addresses, .credentials].allSatisfy { kind in
            let file = SnapshotFile(folder: folder, kind: kind, queries: ["SELECT value FROM meta WHERE name = CAST(? AS TEXT)"])
            file.refresh(at: MonotonicTime(nanoseconds: 0))
            let found = try? file.ask { (snapshot) throws(DirectoryUnavailable) in
                try snapshot.first(0, Array("revision".utf8)) { $0.integer(0) }
            }
            return found != nil && found == revision
        }
    }

    /// Puts a sealed image in place; owner and group, by which daemons may read it, stay those of the old file.
    private func replace(_ kind: SnapshotKind, in descriptor: borrowing DirectoryDescriptor) throws {
        var content = try image(kind)
        content += SnapshotSeal.bytes(kind: kind, length: content.count, digest: SHA256.hash(data: content))
        let temporary: Path = Path(".new-\(kind.fileName)")
        try DirectoryWriter.unlessMissing { () throws(KernelError) in try descriptor.unlink(temporary) }
        let file = try descriptor.create(temporary, mode: 0o600)
        let old = try DirectoryWriter.unlessMissing { () throws(KernelError) in try descriptor.status(of: kind.fileName) }
        if let old, case let new = try file.status(), (old.owner, old.group) != (new.owner, new.group) {
            try descriptor.setOwner(of: temporary, uid: old.owner, gid: old.group)
        }
        try file.setMode(0o640)
        try file.write(content)
        try file.sync()
        try file.close()
        try descriptor.rename(temporary, to: kind.fileName)
        try descriptor.sync()
    }

    @discardableResult
    private static func unlessMissing<R>(_ call: () throws(KernelError) -> R) throws(KernelError) -> R? {
        do throws(KernelError) { return try call() } catch {
            if error.isMissing { return nil }
            throw error
        }
    }

    /// The SQLite file of a snapshot, as bytes.
    private func image(_ kind: SnapshotKind) throws -> [UInt8] {
        let memory = try DatabaseQueue()
        return try memory.writeWithoutTransaction { database in
            try database.execute(sql: "ATTACH ? AS directory", arguments: [(folder / "directory.db").description])
            try database.inTransaction(.deferred) {
                try database.execute(sql: "PRAGMA application_id = \(kind.applicationID); PRAGMA user_version = \(SnapshotKind.version)")
                try database.execute(sql: kind.schema + kind.filling)
                return .commit
            }
            try database.execute(sql: "DETACH directory")
            guard let bytes = database.sqliteConnection.flatMap(SnapshotDatabase.image(of:)) else {
                throw DirectoryError.storage("SQLite has no memory for the snapshot")
            }
            return bytes
        }
    }
}

extension SnapshotKind {
    /// Fills the tables from the attached database; in key order, so that the trees are packed.
    fileprivate var filling: String {
        let meta = "INSERT INTO meta SELECT name, value FROM directory.meta WHERE name = 'revision';"
        return switch self {
        case .addresses: meta + """
            INSERT INTO domain
            SELECT CAST(name AS BLOB), max(local), CAST(max(host) AS BLOB), max(port) FROM (
              SELECT name, 1 AS local, NULL AS host, NULL AS port FROM directory.domain
              UNION ALL SELECT domain, 0, host, port FROM directory.route)
            GROUP BY name ORDER BY name;
            INSERT INTO address
            SELECT CAST(key AS BLOB), CAST(max(spelling) AS BLOB), CAST(max(folder) AS BLOB), max(enabled), max(quota),
              CAST(max(targets) AS BLOB) FROM (
              SELECT address AS key, spelling, folder, enabled, quota, NULL AS targets FROM directory.account
              UNION ALL SELECT alias, NULL, NULL, NULL, NULL, group_concat(spelling, char(10)) FROM
                (SELECT alias, spelling FROM directory.alias_target ORDER BY alias, position) GROUP BY alias)
            GROUP BY key ORDER BY key;
            """
        case .credentials: meta + """
            INSERT INTO meta SELECT name, value FROM directory.meta WHERE name = 'pepper';
            INSERT INTO credential (address, spelling, folder, enabled, secret)
            SELECT CAST(address AS BLOB), CAST(spelling AS BLOB), CAST(folder AS BLOB), enabled, CAST(secret AS BLOB)
            FROM directory.account JOIN directory.credential ON account = id ORDER BY address;
            INSERT INTO meta SELECT 'count', count(*) FROM credential;
            """
        }
    }
}
