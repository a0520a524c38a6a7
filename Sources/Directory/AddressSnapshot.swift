// `addresses.db` as routing sees it: domains, accounts, aliases, routes; no password data. One instance a thread.

package import Kernel
package import MailModel

/// The published address book. Call `refresh(at:)` before each decision, never inside one.
package final class AddressSnapshot: AddressBook {
    private let file: SnapshotFile

    /// `folder` is the directory's folder; nothing is opened before the first `refresh(at:)`.
    package init(folder: Path) {
        file = SnapshotFile(
            folder: folder, kind: .addresses,
            queries: [
                "SELECT local, host, port FROM domain WHERE name = ?",
                "SELECT spelling, folder, enabled, quota, targets FROM address WHERE key = ?",
                "SELECT name FROM domain WHERE local AND name > ? ORDER BY name LIMIT 1",
            ], later: [
                LaterQuery(table: "sender", text: "SELECT 1 FROM sender WHERE grant_key = ?"),
                LaterQuery(table: "route", text: "SELECT hop FROM route WHERE pattern = ?"),
                LaterQuery(table: "meta", text: "SELECT value FROM meta WHERE name = CAST(? AS TEXT)"),
            ])
    }

    /// Looks for a newer snapshot. Errors show in the next question.
    package func refresh(at now: MonotonicTime) { file.refresh(at: now) }

    package func domain(_ domain: Domain) throws(DirectoryUnavailable) -> DomainEntry {
        let found = try file.ask { (database) throws(DirectoryUnavailable) in
            try database.first(0, domain.bytes) { row -> DomainEntry? in
                guard !row.isNull(1) else { return DomainEntry(isLocal: row.integer(0) != 0) }
                guard let host = Domain(parsing: row.bytes(1)), let port = UInt16(exactly: row.integer(2)) else { return nil }
                return DomainEntry(isLocal: row.integer(0) != 0, route: .server(host, port: port, .smtp))
            }
        }
        var entry = found ?? DomainEntry(isLocal: false)
        if let hop = try route(.domain(domain)) { entry.route = hop == .exchangers ? nil : hop }
        return entry
    }

    /// The next hop of a pattern; nil if there is no such route.
    package func route(_ pattern: RoutePattern) throws(DirectoryUnavailable) -> NextHop? {
        let found = try file.ask { (database) throws(DirectoryUnavailable) in
            try database.first(4, pattern.key) { NextHop(parsing: $0.bytes(0)) }
        }
        // An earlier version writes hosts of domains only, beside the domain.
        return found
    }

    /// What the senders of forwarded mail are signed with; nil in a snapshot of an earlier version.
    package func forwardingSecret() throws(DirectoryUnavailable) -> [UInt8]? {
        try file.ask { (database) throws(DirectoryUnavailable) in
            try database.first(5, Array("forwarding".utf8)) { $0.bytes(0) }
        }
    }

    /// The first of our domains behind this one, in the order of their bytes; nil behind the last.
    package func localDomain(after name: [UInt8] = []) throws(DirectoryUnavailable) -> Domain? {
        try file.ask { (database) throws(DirectoryUnavailable) in
            try database.first(2, name) { Domain(parsing: $0.bytes(0)) }
        }
    }

    package func entry(_ key: [UInt8]) throws(DirectoryUnavailable) -> AddressEntry {
        let found = try file.ask { (database) throws(DirectoryUnavailable) in
            try database.first(1, key) { AddressSnapshot.entry($0) }
        }
        return found ?? .nothing
    }

    private static func entry(_ row: SnapshotDatabase.Row) -> AddressEntry? {
        var entry = AddressEntry()
        if !row.isNull(0) {
            guard let address = EmailAddress(parsing: row.bytes(0)) else { return nil }
            entry.account = AccountEntry(
                address: address, folder: AccountFolder(row.bytes(1)), isEnabled: row.integer(2) != 0,
                quota: row.isNull(3) ? nil : row.integer(3))
        }
        for target in row.bytes(4).split(separator: UInt8(ascii: "\n")) {
            guard let address = EmailAddress(parsing: target) else { return nil }
            entry.targets.append(address)
        }
        return entry
    }
}

extension AddressSnapshot: GrantBook {
    package func isGranted(_ name: AliasName, to account: EmailAddress) throws(DirectoryUnavailable) -> Bool {
        try file.ask { (database) throws(DirectoryUnavailable) in
            try database.first(3, account.canonical + [0x0A] + name.key) { $0.integer(0) } != nil
        }
    }
}
