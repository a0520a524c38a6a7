// Who is it? Answers the questions of SASL from the credential snapshot: pure CPU, for a worker thread, one instance each.
// An unknown name costs the look-ups and the hashing that a known one costs, and gets the same answers.

import Crypto
package import Kernel
package import MailModel
package import SASLProtocol

/// The account that a client has proved to be.
package struct AuthenticatedAccount: Hashable, Sendable {
    package let address: EmailAddress
    package let folder: AccountFolder

    package init(address: EmailAddress, folder: AccountFolder) {
        self.address = address
        self.folder = folder
    }
}

/// Checks names and secrets against the published credentials.
package final class Authenticator {
    private let snapshot: CredentialSnapshot
    private let cache: LoginCache
    private let defaultDomain: Domain?
    let guesses: GuessWatch?

    /// `cache` and `guesses` are shared by all authenticators of a program; `defaultDomain` completes a name without `@`.
    package init(folder: Path, defaultDomain: Domain?, cache: LoginCache, guesses: GuessWatch? = nil) {
        self.guesses = guesses
        snapshot = CredentialSnapshot(folder: folder)
        self.cache = cache
        self.defaultDomain = defaultDomain
    }

    /// Whether `password` proves `name`: PLAIN, LOGIN, POP3 `PASS`, IMAP `LOGIN`. Nil is "no", for whatever reason.
    ///
    /// `authorization` is empty or the same name: nobody logs in as somebody else.
    package func account(
        authorization: [UInt8] = [], name: [UInt8], password: [UInt8], at now: MonotonicTime
    ) throws(DirectoryUnavailable) -> AuthenticatedAccount? {
        snapshot.refresh(at: now)
        let key = canonical(name)
        let stored = try snapshot.credential(of: key)
        let decoy = try madeUp(for: key)
        let proof = cache.proof(name: key, password: password)
        let isAllowed = stored?.isEnabled == true && (authorization.isEmpty || canonical(authorization) == key)
        if isAllowed, cache.contains(proof, under: snapshot.digest) { return stored?.account }
        let appPasswords = try snapshot.appPasswords(of: key)
        // All of them, however many fit: they are one round of a hash each, beside a derivation of thousands.
        let isOwn = try (stored?.secret() ?? decoy.secret).matches(password)
        let isRight = appPasswords.reduce(isOwn) { $1.matches(password) || $0 }
        guard isRight, isAllowed, let stored else { return nil }
        cache.insert(proof, under: snapshot.digest)
        return stored.account
    }

    /// The SCRAM verifier of `name`; for an unknown or disabled one, or one without, made up but always the same.
    package func scramVerifier(
        of name: [UInt8], at now: MonotonicTime
    ) throws(DirectoryUnavailable) -> (verifier: ScramVerifier, account: AuthenticatedAccount?) {
        snapshot.refresh(at: now)
        let key = canonical(name)
        let stored = try snapshot.credential(of: key)
        let decoy = try madeUp(for: key)
        guard let stored, let verifier = try stored.secret().verifier else { return (decoy.verifier, nil) }
        return (verifier, stored.isEnabled ? stored.account : nil)
    }

    /// What stands for a name in counts and logs: keyed by the directory, the same in every service; and whose it is, if anybody's.
    func mark(of name: [UInt8], at now: MonotonicTime) throws(DirectoryUnavailable) -> (mark: [UInt8], known: EmailAddress?) {
        snapshot.refresh(at: now)
        let key = canonical(name)
        let hash = HashFunctions.crypto.hmacSHA256(try snapshot.pepper(), Array("mark ".utf8) + key)
        return (hexadecimal(hash.prefix(8)), try snapshot.credential(of: key)?.account.address)
    }

    /// The one form in which names are compared; what is no address keeps its bytes, and is found nowhere.
    private func canonical(_ name: [UInt8]) -> [UInt8] {
        if let address = EmailAddress(parsing: name) { return address.canonical }
        guard !name.contains(UInt8(ascii: "@")), let defaultDomain,
            let address = EmailAddress(localPart: name, domain: defaultDomain)
        else { return name.asciiLowercased }
        return address.canonical
    }

    /// What an unknown name is checked against: the secret of some account, picked by the name, so that it is as
    /// slow as the secrets here are; and a verifier for SCRAM that nobody has.
    private func madeUp(for key: [UInt8]) throws(DirectoryUnavailable) -> (secret: Secret, verifier: ScramVerifier) {
        let pepper = try snapshot.pepper()
        let derive = { (label: String) in HashFunctions.crypto.hmacSHA256(pepper, Array(label.utf8) + key) }
        let number = derive("decoy ").prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let other = try snapshot.decoy(number)?.secret()
        let verifier = ScramVerifier(
            salt: Array(derive("salt ").prefix(16)), iterations: other?.verifier?.iterations ?? Secret.defaultIterations,
            storedKey: derive("stored "), serverKey: derive("server "))
        return (other ?? Secret(verifier), verifier)
    }
}
