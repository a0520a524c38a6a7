// What an administrator is told: the object, what is wrong with it, and what to do. Never what a peer is told.

import Directory
package import MailModel

/// Why a change of the directory was not made. Unless it is `notPublished`, nothing has changed.
package enum DirectoryError: Error, Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable {
        case domain, account, alias, route
        case grant = "account grant"
        case appPassword = "account apppassword"
    }

    case exists(Kind, String)
    case missing(Kind, String)
    /// An account or alias of a domain that is not ours.
    case domainMissing(Domain, for: String)
    case domainInUse(Domain, accounts: Int, aliases: Int)
    /// A password that nobody could type or send: empty, too long, a control character, not UTF-8.
    case badPassword(account: String)
    /// A name of an app password that no list could show: empty, too long, or not printable.
    case badLabel(account: String)
    /// An account without a password has nothing to add app passwords to, or as many as it may have.
    case noAppPassword(account: String, reason: String)
    /// A stored form that we could never check.
    case badSecret(account: String)
    case noTargets(alias: String)
    case tooManyTargets(alias: String)
    /// Another process holds the database.
    case locked
    /// The database or its folder cannot be used.
    case storage(String)
    /// The change is committed, but the daemons do not see it yet.
    case notPublished(String)
}

extension DirectoryError: CustomStringConvertible {
    /// `account bob@example.org exists already`
    package var description: String {
        switch self {
        case .exists(let kind, let name): "\(kind.rawValue) \(name) exists already"
        case .missing(let kind, let name): "there is no \(kind.rawValue) \(name)"
        case .domainMissing(let domain, let name): "\(name): domain \(domain) is not one of ours"
        case .domainInUse(let domain, let accounts, let aliases):
            "domain \(domain) still has \(accounts) account\(accounts == 1 ? "" : "s") and \(aliases) alias\(aliases == 1 ? "" : "es")"
        case .badPassword(let account): "account \(account): the password is empty, too long, or not text without control characters"
        case .badLabel(let account): "account \(account): the name of an app password is empty, too long, or not printable"
        case .noAppPassword(let account, let reason): "account \(account) can have no further app password: \(reason)"
        case .badSecret(let account): "account \(account): the password hash is of no kind that can be checked here"
        case .noTargets(let alias): "alias \(alias) would have no target"
        case .tooManyTargets(let alias): "alias \(alias) would have more than \(Router.Limits().results) targets"
        case .locked: "the directory database is locked by another process"
        case .storage(let reason): "the directory database cannot be used: \(reason)"
        case .notPublished(let reason): "the change is made, but could not be published to the daemons: \(reason)"
        }
    }

    /// What the administrator can do, as a sentence without a full stop.
    package var remedy: String {
        switch self {
        case .exists(.appPassword, let name): "give another name, or take it back first with `mailctl account apppassword revoke ACCOUNT \(name)`"
        case .missing(.grant, _), .missing(.appPassword, _): "see `mailctl account grant list ACCOUNT` and `mailctl account apppassword list ACCOUNT`"
        case .exists(let kind, let name): "see `mailctl \(kind.rawValue) list`; remove it first with `mailctl \(kind.rawValue) remove \(name)`"
        case .missing(let kind, _): "see `mailctl \(kind.rawValue) list`"
        case .domainMissing(let domain, _): "add it with `mailctl domain add \(domain)`"
        case .domainInUse: "remove these first"
        case .badPassword: "give 1 to 1024 bytes of UTF-8 text"
        case .badLabel: "give 1 to 64 printable characters, such as \"phone\""
        case .noAppPassword: "give it a password with `mailctl account passwd`, or revoke one that is not used any more"
        case .badSecret: "known are {SCRAM-SHA-256}, {CRYPT} and what crypt(5) of this system lists, {SSHA}, {SSHA256}, {SSHA512}, {PLAIN}"
        case .noTargets: "name at least one address, or remove the alias"
        case .tooManyTargets: "use a mailing list for so many"
        case .locked: "wait until another mailctl, or whatever else has directory.db open, is done, and try again"
        case .storage: "check owner, mode and free space of the directory folder"
        case .notPublished: "repair the cause and run `mailctl directory publish`"
        }
    }
}
