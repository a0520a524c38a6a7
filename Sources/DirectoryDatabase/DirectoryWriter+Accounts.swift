// Accounts: their addresses may change, their folders never do, and no folder is ever given to a second account.

package import Directory
import GRDB
import Kernel
package import MailModel

/// An account, for `mailctl account list` and `show`.
package struct AccountListing: Hashable, Sendable {
    package let address: EmailAddress
    package let folder: AccountFolder
    package let isEnabled: Bool
    /// In bytes; nil for none.
    package let quota: Int64?
    /// Seconds since 1970.
    package let created: Int64
    /// `scram-sha-256`, `crypt`, … or nil for an account that cannot log in.
    package let credential: String?
}

/// A password as an administrator gives it.
package enum PasswordInput: Hashable, Sendable {
    /// The password itself; a SCRAM verifier is kept.
    case password([UInt8])
    /// `{SCHEME}…` or `$…`, kept as it is; `{PLAIN}` becomes a SCRAM verifier unless it is to be kept.
    case stored([UInt8], keepingPlain: Bool = false)
}

extension DirectoryWriter {
    /// Adds an account and gives it a folder. Without a password it receives mail, and nobody can log in.
    @discardableResult
    package func addAccount(
        _ address: EmailAddress, password: PasswordInput? = nil, isEnabled: Bool = true, quota: Int64? = nil
    ) throws(DirectoryError) -> AccountFolder {
        let secret = try password.map { (input) throws(DirectoryError) in try Secret(input, for: address) }
        let account = NewAccount(address: address, secret: secret, isEnabled: isEnabled, quota: quota)
        return try change { database in try DirectoryWriter.insert(account, database) }
    }

    /// Removes the account; its folder and mail stay on disk, and the folder's name is never given again.
    @discardableResult
    package func removeAccount(_ address: EmailAddress) throws(DirectoryError) -> AccountFolder {
        try change { database in
            let key = address.canonical.text
            let folder = try String.fetchOne(database, sql: "SELECT folder FROM account WHERE address = ?", arguments: [key])
            guard let folder else { throw DirectoryError.missing(.account, address.description) }
            try database.execute(sql: "DELETE FROM account WHERE address = ?", arguments: [key])
            return AccountFolder(Array(folder.utf8))
        }
    }

    /// Gives the account another address; its folder stays, and alias targets that named it follow.
    package func renameAccount(_ old: EmailAddress, to new: EmailAddress) throws(DirectoryError) {
        try change { database in
            try DirectoryWriter.require(new.domain, for: new.description, database)
            if old != new { try DirectoryWriter.requireFree(new, database) }
            try DirectoryWriter.update(
                old, "address = ?, spelling = ?, domain = ?", [new.canonical.text, new.wire.text, new.domain.bytes.text], database)
            // An alias that names both keeps one of them.
            try database.execute(
                sql: "UPDATE OR REPLACE alias_target SET address = ?, spelling = ? WHERE address = ?",
                arguments: [new.canonical.text, new.wire.text, old.canonical.text])
        }
    }

    /// A disabled account can neither log in nor receive mail (5.2.1).
    package func setEnabled(_ address: EmailAddress, _ isEnabled: Bool) throws(DirectoryError) {
        try change { database in try DirectoryWriter.update(address, "enabled = ?", [isEnabled], database) }
    }

    /// `quota` in bytes; nil for none.
    package func setQuota(_ address: EmailAddress, _ quota: Int64?) throws(DirectoryError) {
        try change { database in try DirectoryWriter.update(address, "quota = ?", [quota], database) }
    }

    package func setPassword(_ address: EmailAddress, _ password: PasswordInput) throws(DirectoryError) {
        let secret = try Secret(password, for: address)
        try change { database in
            guard let id = try DirectoryWriter.id(of: address, database) else {
                throw DirectoryError.missing(.account, address.description)
            }
            try DirectoryWriter.set(secret, of: id, database)
        }
    }

    /// All accounts, or those of one domain, in the order of their addresses.
    package func accounts(of domain: Domain? = nil) throws(DirectoryError) -> [AccountListing] {
        try listings("WHERE (?1 IS NULL OR domain = ?1)", domain?.bytes.text)
    }

    package func account(_ address: EmailAddress) throws(DirectoryError) -> AccountListing {
        let found = try listings("WHERE address = ?1", address.canonical.text).first
        guard let found else { throw .missing(.account, address.description) }
        return found
    }

    private func listings(_ condition: String, _ argument: String?) throws(DirectoryError) -> [AccountListing] {
        try read { database in
            let sql = "SELECT * FROM account LEFT JOIN credential ON account = id \(condition) ORDER BY domain, address"
            return try Row.fetchAll(database, sql: sql, arguments: [argument]).compactMap { row in
                EmailAddress(row["spelling"] as String).map { address in
                    AccountListing(
                        address: address, folder: AccountFolder(Array((row["folder"] as String).utf8)), isEnabled: row["enabled"],
                        quota: row["quota"], created: row["created"], credential: row["kind"])
                }
            }
        }
    }
}

/// An account that is about to be made.
struct NewAccount {
    let address: EmailAddress
    let secret: Secret?
    var isEnabled = true
    var quota: Int64?
}

extension DirectoryWriter {
    static func insert(_ account: NewAccount, _ database: Database) throws -> AccountFolder {
        let address = account.address
        try require(address.domain, for: address.description, database)
        try requireFree(address, database)
        let folder = try newFolder(for: address, database)
        try database.execute(
            sql: "INSERT INTO account (address, spelling, domain, folder, enabled, quota) VALUES (?, ?, ?, ?, ?, ?)",
            arguments: [
                address.canonical.text, address.wire.text, address.domain.bytes.text, folder.bytes.text, account.isEnabled,
                account.quota,
            ])
        if let secret = account.secret { try set(secret, of: database.lastInsertedRowID, database) }
        return folder
    }

    static func id(of address: EmailAddress, _ database: Database) throws -> Int64? {
        try Int64.fetchOne(database, sql: "SELECT id FROM account WHERE address = ?", arguments: [address.canonical.text])
    }

    /// Neither an account nor an alias: an account under an alias would silently get no mail.
    private static func requireFree(_ address: EmailAddress, _ database: Database) throws {
        if try id(of: address, database) != nil { throw DirectoryError.exists(.account, address.description) }
        let alias = try Int.fetchOne(database, sql: "SELECT 1 FROM alias WHERE name = ?", arguments: [address.canonical.text])
        if alias != nil { throw DirectoryError.exists(.alias, address.description) }
    }

    private static func newFolder(for address: EmailAddress, _ database: Database) throws -> AccountFolder {
        let base = FolderName.base(for: address)
        for attempt in 0..<1_000_000 {
            let name = FolderName.candidate(base, attempt: attempt)
            try database.execute(sql: "INSERT OR IGNORE INTO folder VALUES (?)", arguments: [name.text])
            if database.changesCount > 0 { return AccountFolder(name) }
        }
        throw DirectoryError.storage("no folder name is left for \(address)")
    }

    private static func set(_ secret: Secret, of account: Int64, _ database: Database) throws {
        try database.execute(
            sql: "INSERT OR REPLACE INTO credential (account, kind, secret) VALUES (?, ?, ?)",
            arguments: [account, secret.kind, secret.text.text])
    }

    private static func update(
        _ address: EmailAddress, _ assignments: String, _ values: [(any DatabaseValueConvertible)?], _ database: Database
    ) throws {
        try database.execute(
            sql: "UPDATE account SET \(assignments) WHERE address = ?",
            arguments: StatementArguments(values) + [address.canonical.text])
        if database.changesCount == 0 { throw DirectoryError.missing(.account, address.description) }
    }
}

extension Secret {
    /// What is kept of a password; derivation takes about a millisecond.
    init(_ input: PasswordInput, for address: EmailAddress) throws(DirectoryError) {
        let name = address.description
        switch input {
        case .password(let password):
            guard Secret.isPassword(password) else { throw .badPassword(account: name) }
            do throws(KernelError) {
                self = .scram(password: password, salt: try Randomness.bytes(16))
            } catch {
                throw .storage("\(error)")
            }
        case .stored(let text, let keepingPlain):
            guard let secret = Secret(parsing: text) else { throw .badSecret(account: name) }
            if case .plain(let password) = secret, !keepingPlain {
                try self.init(.password(password), for: address)
            } else {
                self = secret
            }
        }
    }
}
