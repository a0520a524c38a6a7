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

    @Flag(help: "For development: unprivileged ports on loopback, a self-signed certificate, plain-text login on loopback.")
    var dev = false

    @Option(help: "With --dev: each port is this plus the standard port.")
    var basePort = ConfigurationSample.developmentBasePort

    func run() throws {
        guard let domain = Domain(domain), !domain.isAddressLiteral else {
            throw Failure(.usage, "\(domain) is not a domain name", remedy: "name one such as example.org")
        }
        let path = Path(options.configurationPath).resolved(from: Identity.workingDirectory)
        let wroteConfiguration = try writeConfiguration(at: path, domain: domain)
        let configuration = try options.loadConfiguration()
        try refuseExisting(configuration)
        let setup = Setup(configuration, file: path, asRoot: Identity.isRoot)
        try setup.makeTree()
        if configuration.development { try setup.makeCertificate() }
        try AdministratorLog.prepare(configuration)
        let password = try DirectorySetup.make(configuration, domain: domain)
        report(path, wroteConfiguration, configuration, domain, password)
    }

    private func refuseExisting(_ configuration: Configuration) throws {
        let database = configuration.paths.directory / "directory.db"
        if (try? DirectoryDescriptor(opening: database.parent).status(of: database.lastComponent)) != nil {
            throw Failure(.cannotCreate, "\(database) exists already", remedy: "this tree is complete; add to it with `mailctl domain add`")
        }
    }

    /// False if there was one.
    private func writeConfiguration(at path: Path, domain: Domain) throws(Failure) -> Bool {
        let text = try configurationText(domain)
        return try attempting { () throws(KernelError) in
            try FolderMaker.makePath(path.parent)
            let folder = try DirectoryDescriptor(opening: path.parent)
            do throws(KernelError) {
                _ = try folder.status(of: path.lastComponent)
                return false
            } catch {
                guard error.isMissing else { throw error }
            }
            try folder.replace(path.lastComponent, with: Array(text.utf8), mode: 0o644)
            return true
        }
    }

    private func configurationText(_ domain: Domain) throws(Failure) -> String {
        var values: [String: ConfigurationLiteral] = [:]
        var purpose = ""
        if dev {
            guard let development = ConfigurationSample.development(basePort: basePort) else {
                throw Failure(.usage, "--base-port \(basePort) leads above port 65535", remedy: "name one from 0 to 64540")
            }
            values = development
            purpose = ConfigurationSample.developmentPurpose
        } else {
            let host = Identity.hostName()
            values["hostname"] = .text(host.contains(".") && Domain(host) != nil ? host : "mail.\(domain)")
        }
        if options.root == nil, options.config == nil { values.merge(InitCommand.systemPaths) { $1 } }
        return ConfigurationSample.text(values, purpose: purpose)
    }

    private static let systemPaths: [String: ConfigurationLiteral] = [
        "paths.root": .text("/etc/martlet"), "paths.spool": .text("/var/spool/martlet"), "paths.store": .text("/var/spool/martlet/mail"),
        "paths.cache": .text("/var/cache/martlet"), "paths.directory": .text("/var/spool/martlet/directory"),
        "tls.certificate": .text("/etc/martlet/tls/certificate.pem"), "tls.key": .text("/etc/martlet/tls/key.pem"),
    ]

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
