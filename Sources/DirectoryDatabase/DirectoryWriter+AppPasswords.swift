// App passwords: one for each device or program, beside the account's own, and each taken back alone.
// They are made by us from 80 random bits, so one round of a salted hash keeps them, and checking one costs nothing that shows.

import Directory
import GRDB
import Kernel
package import MailModel

/// An app password, for `mailctl account apppassword list`; what it is, nobody can say again.
package struct AppPasswordListing: Hashable, Sendable {
    package let label: String
    /// Seconds since 1970.
    package let created: Int64
}

extension DirectoryWriter {
    /// Of one account; a login tries each.
    package static let mostAppPasswords = 100

    package func addAppPassword(_ account: EmailAddress, label: String, password: [UInt8]) throws(DirectoryError) {
        guard DirectoryWriter.isLabel(label) else { throw .badLabel(account: account.description) }
        let secret = try DirectoryWriter.appSecret(password)
        try change { database in
            let id = try DirectoryWriter.existing(account, database)
            let own = try Int.fetchOne(database, sql: "SELECT 1 FROM credential WHERE account = ?", arguments: [id])
            if own == nil { throw DirectoryError.noAppPassword(account: account.description, reason: "it has no password of its own") }
            let count = try Int.fetchOne(database, sql: "SELECT count(*) FROM app_password WHERE account = ?", arguments: [id]) ?? 0
            guard count < DirectoryWriter.mostAppPasswords else {
                throw DirectoryError.noAppPassword(account: account.description, reason: "it has \(count)")
            }
            try database.execute(
                sql: "INSERT OR IGNORE INTO app_password (account, label, secret) VALUES (?, ?, ?)", arguments: [id, label, secret.text.text])
            if database.changesCount == 0 { throw DirectoryError.exists(.appPassword, label) }
        }
    }

    package func revokeAppPassword(_ account: EmailAddress, label: String) throws(DirectoryError) {
        try change { database in
            let id = try DirectoryWriter.existing(account, database)
            try database.execute(sql: "DELETE FROM app_password WHERE account = ? AND label = ?", arguments: [id, label])
            if database.changesCount == 0 { throw DirectoryError.missing(.appPassword, "\(label) for \(account)") }
        }
    }

    /// In the order in which they were made.
    package func appPasswords(of account: EmailAddress) throws(DirectoryError) -> [AppPasswordListing] {
        try read { database in
            let id = try DirectoryWriter.existing(account, database)
            return try Row.fetchAll(database, sql: "SELECT label, created FROM app_password WHERE account = ? ORDER BY id", arguments: [id])
                .map { AppPasswordListing(label: $0["label"], created: $0["created"]) }
        }
    }

    private static func appSecret(_ password: [UInt8]) throws(DirectoryError) -> Secret {
        do throws(KernelError) { return .salted(password: password, salt: try Randomness.bytes(16)) } catch { throw .storage("\(error)") }
    }

    private static func isLabel(_ label: String) -> Bool {
        (1...64).contains(label.utf8.count) && label.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    }
}
