// Grants: as whom an account may send beside itself.

package import Directory
import GRDB
package import MailModel

/// What an account was granted, for `mailctl account grant list`.
package struct GrantListing: Hashable, Sendable {
    package let account: EmailAddress
    package let name: AliasName
    /// Seconds since 1970.
    package let created: Int64
}

extension DirectoryWriter {
    /// Lets `account` send as each of `names`; what it has already is no error.
    package func grant(_ account: EmailAddress, _ names: [AliasName]) throws(DirectoryError) {
        try change { database in
            let id = try DirectoryWriter.existing(account, database)
            for name in names {
                try database.execute(sql: "INSERT OR IGNORE INTO sender_grant (account, name) VALUES (?, ?)", arguments: [id, name.key.text])
            }
        }
    }

    /// Takes grants back; one that is not there is an error, and then none is taken.
    package func revoke(_ account: EmailAddress, _ names: [AliasName]) throws(DirectoryError) {
        try change { database in
            let id = try DirectoryWriter.existing(account, database)
            for name in names {
                try database.execute(sql: "DELETE FROM sender_grant WHERE account = ? AND name = ?", arguments: [id, name.key.text])
                if database.changesCount == 0 { throw DirectoryError.missing(.grant, "\(name) for \(account)") }
            }
        }
    }

    /// All grants, or those of one account, in the order of their addresses.
    package func grants(of account: EmailAddress? = nil) throws(DirectoryError) -> [GrantListing] {
        try read { database in
            if let account { _ = try DirectoryWriter.existing(account, database) }
            return try Row.fetchAll(
                database,
                sql: """
                    SELECT spelling, name, sender_grant.created FROM sender_grant JOIN account ON id = account
                    WHERE ?1 IS NULL OR address = ?1 ORDER BY address, name
                    """, arguments: [account?.canonical.text]
            ).compactMap { row in
                guard let account = EmailAddress(row["spelling"] as String), let name = AliasName(storedKey: row["name"]) else { return nil }
                return GrantListing(account: account, name: name, created: row["created"])
            }
        }
    }

    /// The account's row; an account that is not there is an error.
    static func existing(_ account: EmailAddress, _ database: Database) throws -> Int64 {
        guard let id = try id(of: account, database) else { throw DirectoryError.missing(.account, account.description) }
        return id
    }
}
