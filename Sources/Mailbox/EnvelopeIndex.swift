// The index of an account: what would otherwise be parsed again for each FETCH. A cache and nothing else: any failure
// of it reads as "not known", and deleting its file costs time, never data.

private import Foundation
private import GRDB
package import Kernel

/// A cached piece: bytes that imapd made of a message and alone understands, such as its ENVELOPE and BODYSTRUCTURE.
package struct IndexedEnvelope: Hashable, Sendable {
    package let uid: MessageUID
    /// Checked against the message, so that a restored store is never answered from another's index.
    package let unique: [UInt8]
    package let content: [UInt8]

    package init(uid: MessageUID, unique: [UInt8], content: [UInt8]) {
        self.uid = uid
        self.unique = unique
        self.content = content
    }
}

/// The index file of one account: SQLite, WAL, imapd's alone, on a local disk.
package final class EnvelopeIndex: Sendable {
    private let database: DatabaseQueue
    /// Raised when what imapd puts into `content` changes: older files are then deleted.
    private static let version = 1

    /// Opens the file, whose folder exists; one that is damaged or of another version is deleted and begun anew.
    package init(at path: Path) throws(StoreError) {
        if let opened = EnvelopeIndex.opened(path) {
            database = opened
            return
        }
        for suffix in ["", "-wal", "-shm"] {
            _ = try ifPresent { () throws(KernelError) in try Descriptor.unlink(Path(path.bytes + Array(suffix.utf8))) }
        }
        guard let opened = EnvelopeIndex.opened(path) else { throw .damaged(path: path.bytes) }
        database = opened
    }

    private static func opened(_ path: Path) -> DatabaseQueue? {
        var configuration = Configuration()
        configuration.busyMode = .timeout(1)
        configuration.prepareDatabase { db in
            try db.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL")
        }
        do {
            let queue = try DatabaseQueue(path: path.description, configuration: configuration)
            let found = try queue.write { db in
                let found = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
                if found == 0 {
                    try db.execute(sql: """
                        CREATE TABLE IF NOT EXISTS message (id INTEGER PRIMARY KEY, name BLOB NOT NULL, content BLOB NOT NULL);
                        PRAGMA user_version = \(version)
                        """)
                }
                return found
            }
            return found == 0 || found == version ? queue : nil
        } catch {
            return nil
        }
    }

    /// UIDVALIDITY and UID name a message for ever; together they are the row, so a folder is one range of rows.
    private static func row(_ validity: UIDValidity, _ uid: UInt32) -> Int64 {
        Int64(bitPattern: UInt64(validity.rawValue) << 32 | UInt64(uid))
    }

    /// What is known of messages of a folder, which ascend by UID; nothing of those that it does not know.
    package func envelopes(of messages: [StoredMessage], in validity: UIDValidity) -> [MessageUID: [UInt8]] {
        guard let first = messages.first?.uid, let last = messages.last?.uid else { return [:] }
        let range = (EnvelopeIndex.row(validity, first.rawValue), EnvelopeIndex.row(validity, last.rawValue))
        do {
            return try database.read { db in
                var found: [MessageUID: [UInt8]] = [:]
                var rest = messages[...]
                let rows = try Row.fetchCursor(
                    db, sql: "SELECT id, name, content FROM message WHERE id BETWEEN ? AND ? ORDER BY id",
                    arguments: [range.0, range.1])
                while let row = try rows.next() {
                    let id: Int64 = row[0]
                    let uid = MessageUID(UInt32(truncatingIfNeeded: id))
                    while let message = rest.first, message.uid < uid { rest.removeFirst() }
                    guard let message = rest.first else { break }
                    if message.uid == uid, row.holds(message.name.unique, at: 1) {
                        found[uid] = row.bytes(at: 2)
                    }
                }
                return found
            }
        } catch {
            return [:]
        }
    }

    /// Keeps pieces for later; false if that failed, which costs nothing but time.
    @discardableResult
    package func put(_ envelopes: [IndexedEnvelope], in validity: UIDValidity) -> Bool {
        change { db in
            let insert = try db.cachedStatement(sql: "INSERT OR REPLACE INTO message VALUES (?, ?, ?)")
            for envelope in envelopes {
                let row = EnvelopeIndex.row(validity, envelope.uid.rawValue)
                try insert.execute(arguments: [row, Data(envelope.unique), Data(envelope.content)])
            }
        }
    }

    /// Drops what is known of messages that are gone.
    @discardableResult
    package func forget(_ uids: UIDRanges, in validity: UIDValidity) -> Bool {
        change { db in
            for range in uids.ranges {
                let low = EnvelopeIndex.row(validity, range.lowerBound)
                let high = EnvelopeIndex.row(validity, range.upperBound)
                try db.execute(sql: "DELETE FROM message WHERE id BETWEEN ? AND ?", arguments: [low, high])
            }
        }
    }

    private func change(_ body: (Database) throws -> Void) -> Bool {
        do {
            try database.write(body)
            return true
        } catch {
            return false
        }
    }
}

extension Row {
    fileprivate func bytes(at index: Int) -> [UInt8] { (self[index] as Data?).map { Array($0) } ?? [] }
    fileprivate func holds(_ bytes: ArraySlice<UInt8>, at index: Int) -> Bool {
        (self[index] as Data?)?.elementsEqual(bytes) ?? false
    }
}
