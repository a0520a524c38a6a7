// mailctl init: a complete tree that `mailctl run` can start at once.

import ArgumentParser
import Configuration
import Kernel
import MailModel

struct InitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Make a complete tree: configuration, spool, directory and, for development, a certificate.",
        discussion: """
            An existing configuration is used as it is and never overwritten; an existing directory database is an error. \
            As root it also makes the system users. What a failed run has begun, the next one completes.
            """)

    @OptionGroup var options: GlobalOptions

    @Option(help: "The first local domain; it gets the account postmaster.")
    var domain: String

    @OptionGroup var tree: TreeOptions

    func run() throws {
        guard let domain = Domain(domain), !domain.isAddressLiteral else {
            throw Failure(.usage, "\(domain) is not a domain name", remedy: "name one such as example.org")
        }
        let maker = TreeMaker(options, tree)
        let wroteConfiguration = try maker.writeConfiguration(domain: domain)
        let configuration = try options.loadConfiguration()
        guard !TreeMaker.hasDirectory(configuration) else {
            let database = configuration.paths.directory / "directory.db"
            throw Failure(.cannotCreate, "\(database) exists already", remedy: "this tree is complete; add to it with `mailctl domain add`")
        }
        let setup = try maker.makeFolders(configuration)
        if configuration.development { try setup.makeCertificate() }
        let password = try DirectorySetup.make(configuration, domain: domain)
        report(maker.path, wroteConfiguration, configuration, domain, password)
    }

    private func report(_ path: Path, _ wrote: Bool, _ configuration: Configuration, _ domain: Domain, _ password: String) {
        let postmaster = "postmaster@\(domain)"
        if options.json {
            return Output.json(.object([
                "configuration": .text(path.description), "spool": .text(configuration.paths.spool.description),
                "postmaster": .text(postmaster), "password": .text(password),
            ]))
        }
        Output.line("configuration  \(path)\(wrote ? "" : " (was there, used as it is)")")
        Output.line("spool          \(configuration.paths.spool)")
        let users = Identity.isRoot ? "one a service, prefix \(configuration.users.prefix)" : "all belongs to you: no privilege separation"
        Output.line("users          \(users)")
        Output.line("account        \(postmaster), password \(password)")
        Output.line("")
        Output.line("The password is shown this once. Next: mailctl\(options.root.map { " --root \($0)" } ?? "") run")
    }
}
