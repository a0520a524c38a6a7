// From a command to the directory database.

import Configuration
import DirectoryDatabase
import Kernel
import MailModel

extension GlobalOptions {
    /// Opens the directory of the tree; a tree without one is an error, not a new directory.
    ///
    /// What an earlier version did not have is made, and published: nobody reads the database itself.
    func openDirectory() throws(Failure) -> DirectoryWriter {
        let configuration = try loadConfiguration()
        let folder = try attempting { () throws(KernelError) in try DirectoryDescriptor(opening: configuration.paths.directory) }
        // First: a service cannot open what is made after it began, and some have folders here whatever the database is.
        try Setup(configuration, file: configurationFile, asRoot: Identity.isRoot).completeFolders()
        try attempting { () throws(KernelError) in _ = try folder.open("directory.db", .readWrite) }
        do throws(DirectoryError) { return try DirectoryWriter(folder: configuration.paths.directory) } catch { throw Failure(error) }
    }

    /// Opens the directory and runs `body` on it.
    func withDirectory<R>(_ body: (DirectoryWriter) throws(DirectoryError) -> R) throws(Failure) -> R {
        let writer = try openDirectory()
        do throws(DirectoryError) { return try body(writer) } catch { throw Failure(error) }
    }

    /// Says what was done: a sentence, or the object.
    func report(_ sentence: String, _ value: JSONValue) {
        if json { Output.json(value) } else { Output.line(sentence) }
    }
}

extension Failure {
    init(_ error: DirectoryError) {
        let status: ExitStatus =
            switch error {
            case .exists: .cannotCreate
            case .missing: .noInput
            case .domainMissing, .domainInUse, .badPassword, .badLabel, .noAppPassword, .badSecret, .noTargets, .tooManyTargets: .data
            case .storage: .inputOutput
            case .locked, .notPublished: .temporary
            }
        self.init(status, "\(error)", remedy: error.remedy)
    }
}

/// An address as an argument; anything else is wrong usage.
func parseAddress(_ text: String) throws(Failure) -> EmailAddress {
    guard let address = EmailAddress(text) else {
        throw Failure(.data, "\(text) is not an address", remedy: "write one such as alice@example.org")
    }
    return address
}

/// A domain name as an argument.
func parseDomain(_ text: String) throws(Failure) -> Domain {
    guard let domain = Domain(text), !domain.isAddressLiteral else {
        throw Failure(.data, "\(text) is not a domain name", remedy: "write one such as example.org")
    }
    return domain
}
