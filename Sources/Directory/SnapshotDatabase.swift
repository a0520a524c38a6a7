// The only code that calls SQLite directly: one immutable file, opened read-only, asked by prepared statements.
// Not Sendable, so the compiler keeps each instance on one thread; SQLite's own mutexes are off for that reason.

import CSQLite
import Kernel
import MailModel

/// A query of a table that came with a later version than the snapshot's form.
struct LaterQuery {
    let table: String
    let text: String
}

/// An open snapshot. Every error of SQLite is a `DirectoryUnavailable`; only `SQLITE_DONE` means that there is no such row.
final class SnapshotDatabase {
    private let handle: OpaquePointer
    private var statements: [OpaquePointer] = []

    /// Opens `path` and prepares `queries`; each takes at most one parameter, the key.
    ///
    /// `later`: queries of tables that an earlier version did not write, numbered on; a file without the table has no row in it.
    /// `immutable=1` takes no lock and looks for no journal: right only because a published file is never written again.
    init(path: Path, kind: SnapshotKind, queries: [String], later: [LaterQuery] = []) throws(DirectoryUnavailable) {
        var handle: OpaquePointer?
        let uri = "file:\(SnapshotDatabase.escaped(path))?mode=ro&immutable=1"
        let flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE
        let result = sqlite3_open_v2(uri, &handle, flags, nil)
        guard let handle else { throw DirectoryUnavailable("\(path): SQLite has no memory") }
        self.handle = handle
        guard result == SQLITE_OK else { throw failure() }
        sqlite3_extended_result_codes(handle, 1)
        for pragma in ["trusted_schema=OFF", "cell_size_check=ON", "query_only=ON", "mmap_size=0"] {
            guard sqlite3_exec(handle, "PRAGMA \(pragma)", nil, nil, nil) == SQLITE_OK else { throw failure() }
        }
        try expect("application_id", kind.applicationID)
        try expect("user_version", SnapshotKind.version)
        for query in queries { statements.append(try prepare(query)) }
        for query in later { statements.append(try prepare(try hasTable(query.table) ? query.text : "SELECT 0 WHERE ?1 IS NULL AND 0")) }
    }

    deinit {
        for statement in statements { sqlite3_finalize(statement) }
        sqlite3_close_v2(handle)
    }

    /// The first row of query number `index` for `key`, as `read` makes it; nil if there is none.
    func first<R>(_ index: Int, _ key: [UInt8], _ read: (Row) -> R?) throws(DirectoryUnavailable) -> R? {
        let statement = statements[index]
        // The key is borrowed by SQLite until the reset, which this block does not outlive.
        let found: Result<R?, DirectoryUnavailable> = key.withUnsafeBytes { bytes in
            defer {
                sqlite3_reset(statement)
                sqlite3_clear_bindings(statement)
            }
            // No row has an empty key; bound as NULL it would find none either.
            guard sqlite3_bind_blob64(statement, 1, bytes.baseAddress, UInt64(bytes.count), nil) == SQLITE_OK else {
                return .failure(failure())
            }
            return step(statement, read)
        }
        return try found.get()
    }

    /// The first row of query number `index` for the row number `key`.
    func first<R>(_ index: Int, row key: Int64, _ read: (Row) -> R?) throws(DirectoryUnavailable) -> R? {
        let statement = statements[index]
        defer { sqlite3_reset(statement) }
        guard sqlite3_bind_int64(statement, 1, key) == SQLITE_OK else { throw failure() }
        return try step(statement, read).get()
    }

    private func step<R>(_ statement: OpaquePointer, _ read: (Row) -> R?) -> Result<R?, DirectoryUnavailable> {
        switch sqlite3_step(statement) {
        case SQLITE_ROW:
            guard let value = read(Row(statement: statement)) else {
                return .failure(DirectoryUnavailable("a row of the snapshot does not hold what it should"))
            }
            return .success(value)
        case SQLITE_DONE: return .success(nil)
        default: return .failure(failure())
        }
    }

    /// The columns of the current row; valid only inside the closure that it is given to.
    struct Row {
        fileprivate let statement: OpaquePointer

        func isNull(_ column: Int32) -> Bool { sqlite3_column_type(statement, column) == SQLITE_NULL }
        func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(statement, column) }
        func bytes(_ column: Int32) -> [UInt8] {
            guard let start = sqlite3_column_blob(statement, column) else { return [] }
            return Array(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(statement, column))))
        }
    }

    private func prepare(_ query: String) throws(DirectoryUnavailable) -> OpaquePointer {
        var statement: OpaquePointer?
        let result = sqlite3_prepare_v3(handle, query, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil)
        guard result == SQLITE_OK, let statement else { throw failure() }
        return statement
    }

    private func hasTable(_ name: String) throws(DirectoryUnavailable) -> Bool {
        let statement = try prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = '\(name)'")
        defer { sqlite3_finalize(statement) }
        return try step(statement) { $0.integer(0) }.get() != nil
    }

    private func expect(_ pragma: String, _ value: Int64) throws(DirectoryUnavailable) {
        let statement = try prepare("PRAGMA \(pragma)")
        defer { sqlite3_finalize(statement) }
        let found = try step(statement) { $0.integer(0) }.get()
        guard found == value else {
            throw DirectoryUnavailable("the snapshot has \(pragma) \(found ?? 0), not \(value): another version wrote it")
        }
    }

    private func failure() -> DirectoryUnavailable {
        DirectoryUnavailable("SQLite: \(String(cString: sqlite3_errmsg(handle))) (\(sqlite3_extended_errcode(handle)))")
    }

    /// A path inside a URI: what has a meaning there is escaped (RFC 3986 §2.1).
    private static func escaped(_ path: Path) -> String {
        let plain = path.bytes.flatMap { byte -> [UInt8] in
            let isPlain = byte.isASCIILetter || byte.isASCIIDigit || [0x2F, 0x2E, 0x2D, 0x5F].contains(byte)
            return isPlain ? [byte] : [UInt8(ascii: "%")] + hexadecimal([byte])
        }
        return String(decoding: plain, as: UTF8.self)
    }
}
