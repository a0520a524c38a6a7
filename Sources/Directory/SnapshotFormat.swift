// What a published snapshot is: a read-only SQLite file and 128 bytes of trailer that seal every byte before them.
// SQLite finds damage to its own structure only; the seal finds a flipped bit in an address, which would read as "no such user".

import Crypto
package import Kernel

/// The two snapshots; programs that check no password never open the second.
package enum SnapshotKind: String, CaseIterable, Sendable {
    case addresses
    case credentials

    /// `addresses.db`.
    package var fileName: Path { Path("\(rawValue).db") }

    /// Where the file lies in the directory's folder: alone in a folder, because a confinement can allow only a folder
    /// what a rename puts there later.
    package func folder(in directory: Path) -> Path { directory / Path(rawValue) }

    /// Written into the header by SQLite (`PRAGMA application_id`): `MRTa`, `MRTc`.
    package var applicationID: Int64 {
        switch self {
        case .addresses: 0x4D52_5461
        case .credentials: 0x4D52_5463
        }
    }

    /// The form that this program writes and reads; a file of another one is an error, never guessed at.
    package static let version: Int64 = 1

    /// Keys are canonical addresses (`EmailAddress.canonical`) or `@domain`; targets are joined by LF, which no address and no secret holds.
    /// `sender` holds what was granted: an account's key, LF, and the key that it may send as. `route` holds all routes;
    /// a host and port stand beside a domain too, for daemons of an earlier version. `meta.forwarding` signs the senders of forwarded mail.
    package var schema: String {
        switch self {
        case .addresses: """
            CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
            CREATE TABLE domain (name BLOB PRIMARY KEY, local INTEGER NOT NULL, host BLOB, port INTEGER) WITHOUT ROWID;
            CREATE TABLE address (key BLOB PRIMARY KEY, spelling BLOB, folder BLOB, enabled INTEGER, quota INTEGER, targets BLOB)
            WITHOUT ROWID;
            CREATE TABLE sender (grant_key BLOB PRIMARY KEY) WITHOUT ROWID;
            CREATE TABLE route (pattern BLOB PRIMARY KEY, hop BLOB NOT NULL) WITHOUT ROWID;
            """
        case .credentials: """
            CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
            CREATE TABLE credential (ordinal INTEGER PRIMARY KEY, address BLOB NOT NULL UNIQUE, spelling BLOB NOT NULL,
            folder BLOB NOT NULL, enabled INTEGER NOT NULL, secret BLOB NOT NULL);
            CREATE TABLE app_password (address BLOB PRIMARY KEY, secrets BLOB NOT NULL) WITHOUT ROWID;
            """
        }
    }
}

/// The last bytes of a snapshot: `martlet-snapshot 1 addresses 40960 <SHA-256 of those bytes>`, padded to 128.
package enum SnapshotSeal {
    static let length = 128

    /// The seal of `content`, to be written behind it.
    package static func sealing(_ content: [UInt8], kind: SnapshotKind) -> [UInt8] {
        bytes(kind: kind, length: content.count, digest: SHA256.hash(data: content))
    }

    static func bytes(kind: SnapshotKind, length: Int, digest: SHA256.Digest) -> [UInt8] {
        let line = Array("martlet-snapshot \(SnapshotKind.version) \(kind.rawValue) \(length) ".utf8) + hexadecimal(digest)
        return line + Array(repeating: UInt8(ascii: " "), count: max(0, SnapshotSeal.length - 1 - line.count)) + [UInt8(ascii: "\n")]
    }

    /// Reads `file` whole and returns its digest; throws unless its last 128 bytes are the seal of the others.
    static func check(_ file: borrowing Descriptor, kind: SnapshotKind, size: Int64) throws(DirectoryUnavailable) -> [UInt8] {
        guard size > length, let content = Int(exactly: size).map({ $0 - length }) else {
            throw DirectoryUnavailable("\(file.name) is too short for a snapshot")
        }
        do throws(KernelError) {
            var hash = SHA256()
            var offset = 0
            while offset < content {
                let piece = try file.read(min(1 << 18, content - offset), at: Int64(offset))
                if piece.isEmpty { break }
                hash.update(data: piece)
                offset += piece.count
            }
            let digest = hash.finalize()
            guard offset == content,
                try file.read(length, at: Int64(content)) == bytes(kind: kind, length: content, digest: digest)
            else { throw KernelError(.read, code: 0, object: file.name.bytes) }
            return Array(digest)
        } catch {
            throw DirectoryUnavailable(error.code == 0 ? "\(file.name) is damaged: its seal does not fit" : "\(error)")
        }
    }
}

/// Two lower-case digits a byte.
package func hexadecimal(_ bytes: some Sequence<UInt8>) -> [UInt8] {
    let digits = Array("0123456789abcdef".utf8)
    return bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
}
