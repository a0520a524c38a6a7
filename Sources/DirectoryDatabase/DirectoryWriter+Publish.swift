// Publication: a snapshot is built in memory, sealed, and put in place by write, fsync, rename, fsync of the folder.
// It is read and renamed under the database's write lock, so of two writers the later one publishes the later state.

import CSQLite
import Directory
import GRDB
import Kernel
import MailModel

extension DirectoryWriter {
    /// Writes both snapshots anew. Each change does this; by hand it is needed only after `notPublished`.
    package func publish() throws(DirectoryError) {
        do throws(DirectoryError) {
            try write { _ in
                for kind in SnapshotKind.allCases {
                    try replace(kind, in: try DirectoryDescriptor(opening: kind.folder(in: folder)))
                }
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
        return SnapshotKind.allCases.allSatisfy { kind in
            let published = kind.publishedRevision(in: folder)
            return published != nil && published == revision
        }
    }

    /// Puts a sealed image in place. Who may read it says the folder, which hands its group to what is made in it.
    private func replace(_ kind: SnapshotKind, in descriptor: borrowing DirectoryDescriptor) throws {
        var content = try image(kind)
        content += SnapshotSeal.sealing(content, kind: kind)
        let temporary: Path = Path(".new-\(kind.fileName)")
        do throws(KernelError) { try descriptor.unlink(temporary) } catch { if !error.isMissing { throw error } }
        let file = try descriptor.create(temporary, mode: 0o600)
        try file.setMode(0o640)
        try file.write(content)
        try file.sync()
        try file.close()
        try descriptor.rename(temporary, to: kind.fileName)
        try descriptor.sync()
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
            guard let bytes = database.sqliteConnection.flatMap(DirectoryWriter.bytes(of:)) else {
                throw DirectoryError.storage("SQLite has no memory for the snapshot")
            }
            return bytes
        }
    }

    /// The main database of a connection as the bytes of a file; nil for want of memory.
    private static func bytes(of connection: OpaquePointer) -> [UInt8]? {
        var size: sqlite3_int64 = 0
        guard let start = sqlite3_serialize(connection, "main", &size, 0) else { return nil }
        defer { sqlite3_free(start) }
        return Array(UnsafeRawBufferPointer(start: start, count: Int(size)))
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
              UNION ALL SELECT pattern, 0, host, port FROM directory.next_hop WHERE host IS NOT NULL)
            GROUP BY name ORDER BY name;
            INSERT INTO address
            SELECT CAST(key AS BLOB), CAST(max(spelling) AS BLOB), CAST(max(folder) AS BLOB), max(enabled), max(quota),
              CAST(max(targets) AS BLOB) FROM (
              SELECT address AS key, spelling, folder, enabled, quota, NULL AS targets FROM directory.account
              UNION ALL SELECT alias, NULL, NULL, NULL, NULL, group_concat(spelling, char(10)) FROM
                (SELECT alias, spelling FROM directory.alias_target ORDER BY alias, position) GROUP BY alias)
            GROUP BY key ORDER BY key;
            INSERT INTO sender SELECT CAST(address || char(10) || name AS BLOB) FROM
              (SELECT address, name FROM directory.sender_grant JOIN directory.account ON id = account ORDER BY address, name);
            INSERT INTO route SELECT CAST(pattern AS BLOB), CAST(hop AS BLOB) FROM directory.next_hop ORDER BY pattern;
            INSERT INTO meta SELECT name, value FROM directory.meta WHERE name = 'forwarding';
            """
        case .credentials: meta + """
            INSERT INTO meta SELECT name, value FROM directory.meta WHERE name = 'pepper';
            INSERT INTO credential (address, spelling, folder, enabled, secret)
            SELECT CAST(address AS BLOB), CAST(spelling AS BLOB), CAST(folder AS BLOB), enabled, CAST(secret AS BLOB)
            FROM directory.account JOIN directory.credential ON account = id ORDER BY address;
            INSERT INTO meta SELECT 'count', count(*) FROM credential;
            INSERT INTO app_password
            SELECT CAST(address AS BLOB), CAST(group_concat(secret, char(10)) AS BLOB) FROM
              (SELECT address, app_password.secret AS secret FROM directory.app_password JOIN directory.account ON account.id = account
               ORDER BY address, app_password.id)
            GROUP BY address ORDER BY address;
            """
        }
    }
}
