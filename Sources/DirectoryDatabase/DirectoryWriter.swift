// The one program that changes the directory: each change is one transaction, durable, and then published.
// Used by mailctl alone. Daemons read what it publishes and never open this database.

import Directory
import GRDB
package import Kernel
import MailModel

/// `directory.db`, open for administration.
package final class DirectoryWriter {
    let folder: Path
    let queue: DatabaseQueue

    /// Opens the directory in `folder`, made and migrated as needed, and publishes what an earlier run could not.
    package init(folder: Path) throws(DirectoryError) {
        self.folder = folder
        do {
            // Made here with its mode: SQLite would let the umask decide who reads password hashes.
            let descriptor = try DirectoryDescriptor(opening: folder)
            _ = try descriptor.openOrCreate("directory.db", mode: 0o600)
            queue = try DatabaseQueue(path: (folder / "directory.db").description, configuration: DirectoryWriter.configuration)
            try DirectorySchema.migrator.migrate(queue)
        } catch {
            throw DirectoryWriter.typed(error)
        }
        if try !isPublished() { try publish() }
    }

    /// Rollback journal: readers never open this file, and a journal leaves nothing behind that another user would own.
    private static var configuration: Configuration {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(10)
        configuration.prepareDatabase { database in
            // EXTRA is FULL and a sync of the folder after the journal is gone: a commit cannot be rolled back by a power cut.
            try database.execute(
                sql: "PRAGMA journal_mode=DELETE; PRAGMA synchronous=EXTRA; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON")
        }
        return configuration
    }

    /// One change: committed, then published. Throws `notPublished` if only the second failed.
    func change<R>(_ body: (Database) throws -> R) throws(DirectoryError) -> R {
        let result = try write { database in
            let result = try body(database)
            try database.execute(sql: "UPDATE meta SET value = random() WHERE name = 'revision'")
            return result
        }
        try publish()
        return result
    }

    func read<R>(_ body: (Database) throws -> R) throws(DirectoryError) -> R {
        do { return try queue.read(body) } catch { throw DirectoryWriter.typed(error) }
    }

    /// One transaction that holds the write lock from its beginning.
    func write<R>(_ body: (Database) throws -> R) throws(DirectoryError) -> R {
        do {
            return try queue.writeWithoutTransaction { database in
                var result: R?
                try database.inTransaction(.immediate) {
                    result = try body(database)
                    return .commit
                }
                guard let result else { throw DirectoryError.storage("the transaction did not run") }
                return result
            }
        } catch {
            throw DirectoryWriter.typed(error)
        }
    }

    private static func typed(_ error: any Error) -> DirectoryError {
        if let error = error as? DatabaseError, [.SQLITE_BUSY, .SQLITE_LOCKED].contains(error.resultCode) { return .locked }
        return error as? DirectoryError ?? .storage("\(error)")
    }
}

extension [UInt8] {
    /// For SQLite's TEXT: exact, because addresses, folders and secrets are UTF-8 without NUL by construction.
    var text: String { String(decoding: self, as: UTF8.self) }
}
