// The tables of `directory.db`, by numbered migrations that are never edited after a release.
// Addresses are stored canonical (`EmailAddress.canonical`) beside the spelling that the administrator gave.

import GRDB
import MailModel

enum DirectorySchema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { database in try database.execute(sql: first) }
        migrator.registerMigration("2") { database in try database.execute(sql: second) }
        migrator.registerMigration("routing") { database in try database.execute(sql: routing) }
        migrator.registerMigration("route names") { database in try nameRoutes(database) }
        return migrator
    }

    /// `folder` keeps the name of every folder that was ever given, so that none is given twice.
    /// `meta.revision` is random anew with each change; a snapshot that has another one is out of date.
    private static let first = """
        CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
        INSERT INTO meta VALUES ('revision', random()), ('pepper', randomblob(32));

        CREATE TABLE domain (
          name TEXT PRIMARY KEY,
          created INTEGER NOT NULL DEFAULT (CAST(strftime('%s', 'now') AS INTEGER))
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE folder (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;

        CREATE TABLE account (
          id INTEGER PRIMARY KEY,
          address TEXT NOT NULL UNIQUE,
          spelling TEXT NOT NULL,
          domain TEXT NOT NULL REFERENCES domain,
          folder TEXT NOT NULL UNIQUE REFERENCES folder,
          enabled INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
          quota INTEGER CHECK (quota > 0),
          created INTEGER NOT NULL DEFAULT (CAST(strftime('%s', 'now') AS INTEGER))
        ) STRICT;
        CREATE INDEX account_domain ON account (domain);

        CREATE TABLE credential (
          account INTEGER PRIMARY KEY REFERENCES account ON DELETE CASCADE,
          kind TEXT NOT NULL,
          secret TEXT NOT NULL
        ) STRICT;

        CREATE TABLE app_password (
          id INTEGER PRIMARY KEY,
          account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
          label TEXT NOT NULL,
          secret TEXT NOT NULL,
          created INTEGER NOT NULL DEFAULT (CAST(strftime('%s', 'now') AS INTEGER)),
          UNIQUE (account, label)
        ) STRICT;

        CREATE TABLE alias (
          name TEXT PRIMARY KEY,
          domain TEXT NOT NULL REFERENCES domain,
          created INTEGER NOT NULL DEFAULT (CAST(strftime('%s', 'now') AS INTEGER))
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX alias_domain ON alias (domain);

        CREATE TABLE alias_target (
          alias TEXT NOT NULL REFERENCES alias ON DELETE CASCADE,
          position INTEGER NOT NULL,
          address TEXT NOT NULL,
          spelling TEXT NOT NULL,
          PRIMARY KEY (alias, position), UNIQUE (alias, address)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX alias_target_address ON alias_target (address);

        CREATE TABLE route (domain TEXT PRIMARY KEY, host TEXT NOT NULL, port INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        """

    /// As whom else an account may send: `name` is a key as in `alias`. Another revision: the snapshots must be written anew to have it.
    private static let second = """
        CREATE TABLE sender_grant (
          account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
          name TEXT NOT NULL,
          created INTEGER NOT NULL DEFAULT (CAST(strftime('%s', 'now') AS INTEGER)),
          PRIMARY KEY (account, name)
        ) STRICT, WITHOUT ROWID;
        UPDATE meta SET value = random() WHERE name = 'revision';
        """

    /// Routes by pattern (`RoutePattern.key`); `host` and `port` repeat the hop of a domain that goes to a host by SMTP. `meta.forwarding`
    /// signs the senders of forwarded mail: made once, because notices come back for weeks.
    private static let routing = """
        CREATE TABLE next_hop (pattern TEXT PRIMARY KEY, hop TEXT NOT NULL, host TEXT, port INTEGER) STRICT, WITHOUT ROWID;
        INSERT INTO next_hop SELECT domain, host || ':' || port, host, port FROM route;
        DROP TABLE route;
        INSERT INTO meta VALUES ('forwarding', randomblob(32));
        UPDATE meta SET value = random() WHERE name = 'revision';
        """

    /// Patterns with A-labels; where there is a route for both spellings, that one stays which had them.
    static func nameRoutes(_ database: Database) throws {
        for key in try String.fetchAll(database, sql: "SELECT pattern FROM next_hop") where !key.utf8.allSatisfy({ $0 < 0x80 }) {
            let old = RoutePattern(storedKey: Array(key.utf8))
            guard let new = RoutePattern(parsing: old.text, ofSender: old.isOfSender), new != old else { continue }
            try database.execute(sql: "UPDATE OR IGNORE next_hop SET pattern = ? WHERE pattern = ?", arguments: [new.key.text, key])
            try database.execute(sql: "DELETE FROM next_hop WHERE pattern = ?", arguments: [key])
        }
        try database.execute(sql: "UPDATE meta SET value = random() WHERE name = 'revision'")
    }
}
