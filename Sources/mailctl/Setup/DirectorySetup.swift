// The directory of a new tree: one domain and its postmaster (RFC 5321 §4.5.1).

import Configuration
import DirectoryDatabase
import MailModel

enum DirectorySetup {
    /// Makes the database; the password of postmaster@`domain` is returned and kept nowhere readable.
    static func make(_ configuration: Configuration, domain: Domain) throws(Failure) -> String {
        guard let postmaster = EmailAddress(localPart: Array("postmaster".utf8), domain: domain) else {
            throw Failure(.usage, "postmaster@\(domain) is no address", remedy: "name a domain such as example.org")
        }
        let password = try Password.generate()
        do throws(DirectoryError) {
            let writer = try DirectoryWriter(folder: configuration.paths.directory)
            try writer.addDomain(domain)
            try writer.addAccount(postmaster, password: .password(Array(password.utf8)))
        } catch { throw Failure(error) }
        return password
    }
}
