// Aliases: an address, or everything of a domain that nobody else takes, to one or several addresses.

package import Directory
import GRDB
package import MailModel

/// An alias, for `mailctl alias list`.
package struct AliasListing: Hashable, Sendable {
    package let name: AliasName
    package let targets: [EmailAddress]
}

extension DirectoryWriter {
    /// Adds an alias. One under the address of an account takes its mail; its own address as a target keeps a copy there.
    package func addAlias(_ name: AliasName, targets: [EmailAddress]) throws(DirectoryError) {
        try change { database in
            try DirectoryWriter.require(name.domain, for: name.description, database)
            try database.execute(
                sql: "INSERT OR IGNORE INTO alias (name, domain) VALUES (?, ?)", arguments: [name.key.text, name.domain.bytes.text])
            if database.changesCount == 0 { throw DirectoryError.exists(.alias, name.description) }
            try DirectoryWriter.set(targets, of: name, database)
        }
    }

    /// Adds and removes targets of an alias that exists; those that are there already, or not there, are no error.
    package func changeAlias(
        _ name: AliasName, adding: [EmailAddress] = [], removing: [EmailAddress] = []
    ) throws(DirectoryError) {
        try change { database in
            let found = try Int.fetchOne(database, sql: "SELECT 1 FROM alias WHERE name = ?", arguments: [name.key.text])
            if found == nil { throw DirectoryError.missing(.alias, name.description) }
            let targets = try DirectoryWriter.targets(of: name, database).filter { !removing.contains($0) }
            try DirectoryWriter.set(targets + adding, of: name, database)
        }
    }

    package func removeAlias(_ name: AliasName) throws(DirectoryError) {
        try change { database in
            try database.execute(sql: "DELETE FROM alias WHERE name = ?", arguments: [name.key.text])
            if database.changesCount == 0 { throw DirectoryError.missing(.alias, name.description) }
        }
    }

    package func aliases() throws(DirectoryError) -> [AliasListing] {
        try read { database in
            let rows = try Row.fetchAll(database, sql: "SELECT alias, spelling FROM alias_target ORDER BY alias, position")
            var listings: [AliasListing] = []
            for row in rows {
                guard let name = AliasName(storedKey: row["alias"]), let target = EmailAddress(row["spelling"] as String) else { continue }
                let isSame = listings.last?.name == name
                let targets = (isSame ? listings.removeLast().targets : []) + [target]
                listings.append(AliasListing(name: name, targets: targets))
            }
            return listings
        }
    }

    private static func targets(of name: AliasName, _ database: Database) throws -> [EmailAddress] {
        try String.fetchAll(
            database, sql: "SELECT spelling FROM alias_target WHERE alias = ? ORDER BY position", arguments: [name.key.text]
        ).compactMap { EmailAddress($0) }
    }

    private static func set(_ targets: [EmailAddress], of name: AliasName, _ database: Database) throws {
        if targets.isEmpty { throw DirectoryError.noTargets(alias: name.description) }
        if targets.count > Router.Limits().results { throw DirectoryError.tooManyTargets(alias: name.description) }
        try database.execute(sql: "DELETE FROM alias_target WHERE alias = ?", arguments: [name.key.text])
        for (position, target) in targets.enumerated() {
            try database.execute(
                sql: "INSERT OR IGNORE INTO alias_target VALUES (?, ?, ?, ?)",
                arguments: [name.key.text, position, target.canonical.text, target.wire.text])
        }
    }
}
