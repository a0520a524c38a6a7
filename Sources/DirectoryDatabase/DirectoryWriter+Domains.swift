// Domains and routes. A domain is ours or not; a route says where all mail of a domain goes that nobody here takes.

package import Directory
import GRDB
package import MailModel

/// A domain of ours, for `mailctl domain list`.
package struct DomainListing: Hashable, Sendable {
    package let domain: Domain
    package let accounts: Int
    package let aliases: Int
    /// Seconds since 1970.
    package let created: Int64
}

/// A route, for `mailctl route list`.
package struct RouteListing: Hashable, Sendable {
    package let domain: Domain
    package let nextHop: NextHop
}

extension DirectoryWriter {
    package func addDomain(_ domain: Domain) throws(DirectoryError) {
        try change { database in try DirectoryWriter.insert(domain, database) }
    }

    /// Only an empty domain can go, so that no account is lost by one word.
    package func removeDomain(_ domain: Domain) throws(DirectoryError) {
        try change { database in
            let name = domain.bytes.text
            let accounts = try Int.fetchOne(database, sql: "SELECT count(*) FROM account WHERE domain = ?", arguments: [name]) ?? 0
            let aliases = try Int.fetchOne(database, sql: "SELECT count(*) FROM alias WHERE domain = ?", arguments: [name]) ?? 0
            guard accounts == 0, aliases == 0 else { throw DirectoryError.domainInUse(domain, accounts: accounts, aliases: aliases) }
            try database.execute(sql: "DELETE FROM domain WHERE name = ?", arguments: [name])
            if database.changesCount == 0 { throw DirectoryError.missing(.domain, domain.description) }
        }
    }

    package func domains() throws(DirectoryError) -> [DomainListing] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT name, created, (SELECT count(*) FROM account WHERE domain = domain.name) AS accounts,
                      (SELECT count(*) FROM alias WHERE domain = domain.name) AS aliases FROM domain ORDER BY name
                    """
            ).compactMap { row in
                Domain(row["name"] as String).map {
                    DomainListing(domain: $0, accounts: row["accounts"], aliases: row["aliases"], created: row["created"])
                }
            }
        }
    }

    static func insert(_ domain: Domain, _ database: Database) throws {
        try database.execute(sql: "INSERT OR IGNORE INTO domain (name) VALUES (?)", arguments: [domain.bytes.text])
        if database.changesCount == 0 { throw DirectoryError.exists(.domain, domain.description) }
    }

    static func require(_ domain: Domain, for object: String, _ database: Database) throws {
        let found = try Int.fetchOne(database, sql: "SELECT 1 FROM domain WHERE name = ?", arguments: [domain.bytes.text])
        if found == nil { throw DirectoryError.domainMissing(domain, for: object) }
    }

    // Routes

    package func addRoute(_ domain: Domain, to nextHop: NextHop) throws(DirectoryError) {
        try change { database in
            try database.execute(
                sql: "INSERT OR IGNORE INTO route VALUES (?, ?, ?)",
                arguments: [domain.bytes.text, nextHop.host.bytes.text, Int(nextHop.port)])
            if database.changesCount == 0 { throw DirectoryError.exists(.route, domain.description) }
        }
    }

    package func removeRoute(_ domain: Domain) throws(DirectoryError) {
        try change { database in
            try database.execute(sql: "DELETE FROM route WHERE domain = ?", arguments: [domain.bytes.text])
            if database.changesCount == 0 { throw DirectoryError.missing(.route, domain.description) }
        }
    }

    package func routes() throws(DirectoryError) -> [RouteListing] {
        try read { database in
            try Row.fetchAll(database, sql: "SELECT domain, host, port FROM route ORDER BY domain").compactMap { row in
                guard let domain = Domain(row["domain"] as String), let host = Domain(row["host"] as String),
                    let port = UInt16(exactly: row["port"] as Int)
                else { return nil }
                return RouteListing(domain: domain, nextHop: NextHop(host: host, port: port))
            }
        }
    }
}
