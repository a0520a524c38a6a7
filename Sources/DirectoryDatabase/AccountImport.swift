// Many accounts at once: secrets are derived on all cores first, then one transaction takes all of them or none.

import Directory
import Dispatch
import GRDB
package import MailModel
import Synchronization

/// An account to import.
package struct AccountImport: Hashable, Sendable {
    package var address: EmailAddress
    package var password: PasswordInput?
    package var isEnabled: Bool
    package var quota: Int64?

    package init(address: EmailAddress, password: PasswordInput?, isEnabled: Bool = true, quota: Int64? = nil) {
        self.address = address
        self.password = password
        self.isEnabled = isEnabled
        self.quota = quota
    }
}

/// What an import did.
package struct ImportSummary: Hashable, Sendable {
    package var added = 0
    package var skipped = 0
    package var domains = 0
    /// Passwords that are kept as they are, because the administrator said so.
    package var readable = 0
}

extension DirectoryWriter {
    /// Imports all accounts or none. `creatingDomains`: domains that are not ours yet become ours.
    /// `skippingExisting`: an account that exists stays as it is; else it is an error.
    package func importAccounts(
        _ accounts: [AccountImport], creatingDomains: Bool = false, skippingExisting: Bool = false
    ) throws(DirectoryError) -> ImportSummary {
        let secrets = try AccountImport.secrets(of: accounts)
        return try change { database in
            var summary = ImportSummary()
            if creatingDomains {
                for domain in Set(accounts.map(\.address.domain)) {
                    try database.execute(sql: "INSERT OR IGNORE INTO domain (name) VALUES (?)", arguments: [domain.bytes.text])
                    summary.domains += database.changesCount
                }
            }
            for (account, secret) in zip(accounts, secrets) {
                if skippingExisting, try DirectoryWriter.id(of: account.address, database) != nil {
                    summary.skipped += 1
                    continue
                }
                let new = NewAccount(address: account.address, secret: secret, isEnabled: account.isEnabled, quota: account.quota)
                _ = try DirectoryWriter.insert(new, database)
                summary.added += 1
                if case .plain = secret { summary.readable += 1 }
            }
            return summary
        }
    }
}

extension AccountImport {
    /// The secrets, in order; the first error by position, if any.
    fileprivate static func secrets(of accounts: [AccountImport]) throws(DirectoryError) -> [Secret?] {
        let chunk = 32
        let chunks = (accounts.count + chunk - 1) / chunk
        let results = Mutex([Result<[Secret?], DirectoryError>?](repeating: nil, count: chunks))
        DispatchQueue.concurrentPerform(iterations: chunks) { index in
            let part = accounts[(index * chunk)..<min(accounts.count, (index + 1) * chunk)]
            let result = Result { () throws(DirectoryError) in
                try part.map { (account) throws(DirectoryError) in try account.secret() }
            }
            results.withLock { $0[index] = result }
        }
        var secrets: [Secret?] = []
        for result in results.withLock({ $0 }) { secrets += try result?.get() ?? [] }
        return secrets
    }

    private func secret() throws(DirectoryError) -> Secret? {
        guard let password else { return nil }
        return try Secret(password, for: address)
    }
}
