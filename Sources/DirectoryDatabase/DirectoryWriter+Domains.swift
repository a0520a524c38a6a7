// Domains and routes. A domain is ours or not; a route says where mail goes that nobody here takes.

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
    package let pattern: RoutePattern
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

    package func addRoute(_ pattern: RoutePattern, to nextHop: NextHop) throws(DirectoryError) {
        try change { database in
            // Daemons of an earlier version know a host and a port beside a domain, and nothing else.
            var (host, port): (String?, Int?) = (nil, nil)
            if case .server(let name, let number, .smtp) = nextHop, Domain(parsing: pattern.key) != nil { (host, port) = (name.bytes.text, Int(number)) }
            try database.execute(
                sql: "INSERT OR IGNORE INTO next_hop VALUES (?, ?, ?, ?)",
                arguments: [pattern.key.text, nextHop.bytes.text, host, port])
            if database.changesCount == 0 { throw DirectoryError.exists(.route, pattern.description) }
        }
    }

    package func removeRoute(_ pattern: RoutePattern) throws(DirectoryError) {
        try change { database in
            try database.execute(sql: "DELETE FROM next_hop WHERE pattern = ?", arguments: [pattern.key.text])
            if database.changesCount == 0 { throw DirectoryError.missing(.route, pattern.description) }
        }
    }

    package func routes() throws(DirectoryError) -> [RouteListing] {
        try read { database in
            try Row.fetchAll(database, sql: "SELECT pattern, hop FROM next_hop ORDER BY pattern").compactMap { row in
                NextHop(parsing: Array((row["hop"] as String).utf8)).map {
                    RouteListing(pattern: RoutePattern(storedKey: Array((row["pattern"] as String).utf8)), nextHop: $0)
                }
            }
        }
    }
}
