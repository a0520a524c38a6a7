// `credentials.db` as authentication sees it. One instance a thread.

package import Kernel
import MailModel

/// What the snapshot holds for one account.
struct StoredCredential {
    let account: AuthenticatedAccount
    let isEnabled: Bool
    let text: [UInt8]

    /// Parsed outside of the database, so that one unreadable secret is trouble for one account only.
    func secret() throws(DirectoryUnavailable) -> Secret {
        guard let secret = Secret(parsing: text) else {
            throw DirectoryUnavailable("the credential of \(account.address) is of a kind that this system cannot check")
        }
        return secret
    }
}

/// The published credentials. Only programs that check passwords open them.
package final class CredentialSnapshot {
    private let file: SnapshotFile

    /// `folder` is the directory's folder; nothing is opened before the first `refresh(at:)`.
    package init(folder: Path) {
        file = SnapshotFile(
            folder: folder, kind: .credentials,
            queries: [
                "SELECT spelling, folder, enabled, secret FROM credential WHERE address = ?",
                "SELECT spelling, folder, enabled, secret FROM credential WHERE ordinal = ?",
                "SELECT value FROM meta WHERE name = CAST(? AS TEXT)",
            ], later: [LaterQuery(table: "app_password", text: "SELECT secrets FROM app_password WHERE address = ?")])
    }

    /// Looks for a newer snapshot. Errors show in the next question.
    package func refresh(at now: MonotonicTime) { file.refresh(at: now) }

    /// Changes whenever the content does.
    var digest: [UInt8] { file.digest }

    func credential(of address: [UInt8]) throws(DirectoryUnavailable) -> StoredCredential? {
        try file.ask { (database) throws(DirectoryUnavailable) in try database.first(0, address, CredentialSnapshot.stored) }
    }

    /// The app passwords of an account, in the order in which they were made; one that cannot be read is none.
    func appPasswords(of address: [UInt8]) throws(DirectoryUnavailable) -> [Secret] {
        let found = try file.ask { (database) throws(DirectoryUnavailable) in try database.first(3, address) { $0.bytes(0) } }
        return (found ?? []).split(separator: UInt8(ascii: "\n")).compactMap { Secret(parsing: $0) }
    }

    /// The credential of some account, the same one for the same `number`: what an unknown name is checked against.
    func decoy(_ number: UInt64) throws(DirectoryUnavailable) -> StoredCredential? {
        try file.ask { (database) throws(DirectoryUnavailable) in
            let count = try database.first(2, Array("count".utf8)) { $0.integer(0) } ?? 0
            guard count > 0 else { return nil }
            return try database.first(1, row: Int64(number % UInt64(count)) + 1, CredentialSnapshot.stored)
        }
    }

    /// Random bytes of this directory, from which made-up salts are derived: stable, and known to nobody outside.
    func pepper() throws(DirectoryUnavailable) -> [UInt8] {
        try file.ask { (database) throws(DirectoryUnavailable) in
            guard let pepper = try database.first(2, Array("pepper".utf8), { $0.bytes(0) }), pepper.count >= 32 else {
                throw DirectoryUnavailable("the credential snapshot has no pepper")
            }
            return pepper
        }
    }

    private static func stored(_ row: SnapshotDatabase.Row) -> StoredCredential? {
        guard let address = EmailAddress(parsing: row.bytes(0)) else { return nil }
        let account = AuthenticatedAccount(address: address, folder: AccountFolder(row.bytes(1)))
        return StoredCredential(account: account, isEnabled: row.integer(2) != 0, text: row.bytes(3))
    }
}
