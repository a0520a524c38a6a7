// mailctl setup: from a bare machine to a mail system in one command, which asks nothing that it can find out.

import ArgumentParser
import Configuration
import Directory
import DirectoryDatabase
import Kernel
import MailModel

struct SetupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "setup", abstract: "Set everything up for one address: tree, keys, certificate, domain, account, and the DNS records to publish.",
        discussion: """
            It finds the name and the public addresses of this machine without sending anything. What is there stays as it is and is named: \
            running it again changes nothing. As root it also makes the system users.
            """)
    @OptionGroup var options: GlobalOptions
    @Argument(help: "Your address: its domain becomes ours, and you get its mail for postmaster, abuse and hostmaster.") var address: String
    @Option(help: "The name of this machine in the world; default: what it calls itself.") var hostname: String?
    @Option(help: ArgumentHelp("An address by which others reach this machine; repeats. Default: the public ones of its interfaces.", valueName: "ip"))
    var publicAddress: [String] = []
    @Flag(help: "Take the account's password from the first line of stdin.") var passwordStdin = false
    @OptionGroup var tree: TreeOptions

    func run() throws {
        let address = try parseAddress(address)
        guard !address.domain.isAddressLiteral else { throw Failure(.usage, "\(address.domain) is not a domain name", remedy: "name an address such as you@example.org") }
        let name = try hostname.map { (text) throws(Failure) in try parseDomain(text) }
        let given = try PublicAddress.given(publicAddress)
        let password = passwordStdin ? try Password.readFromStandardInput() : nil
        let maker = TreeMaker(options, tree)
        var report = SetupReport(options)
        report.note("configuration", maker.path.description, made: try maker.writeConfiguration(domain: address.domain, hostname: name))
        let configuration = try options.loadConfiguration()
        if let name, name != configuration.hostname {
            throw Failure(.cannotCreate, "\(maker.path) says that this host is \(configuration.hostname)", remedy: "set hostname there, then " + options.command("reload"))
        }
        let hasDirectory = TreeMaker.hasDirectory(configuration)
        let setup = try maker.makeFolders(configuration)
        report.note("spool", configuration.paths.spool.description, made: !hasDirectory)
        report.note("certificate", "\(configuration.tls.certificate) for \(configuration.hostname)", made: try setup.makeCertificate())
        try fill(configuration, address, password, &report)
        report.finish(configuration, domain: address.domain, addresses: given.isEmpty ? PublicAddress.own() : given)
    }

    /// Domain, account and the addresses that RFC 2142 and RFC 5321 §4.5.1 ask for.
    private func fill(_ configuration: Configuration, _ address: EmailAddress, _ password: [UInt8]?, _ report: inout SetupReport) throws(Failure) {
        let generated = password == nil ? try Password.generate() : nil
        do throws(DirectoryError) {
            let writer = try DirectoryWriter(folder: configuration.paths.directory)
            let isNew = try !writer.domains().contains { $0.domain == address.domain }
            if isNew { try writer.addDomain(address.domain) }
            report.note("domain", address.domain.description, made: isNew)
            let accounts = Set(try writer.accounts().map(\.address.canonical))
            let isNewAccount = !accounts.contains(address.canonical)
            if isNewAccount { try writer.addAccount(address, password: .password(password ?? Array((generated ?? "").utf8))) }
            report.note("account", address.description, made: isNewAccount)
            if isNewAccount { report.password = generated }
            let aliases = Set(try writer.aliases().map(\.name.key))
            for role in ["postmaster", "abuse", "hostmaster"] {
                guard let name = EmailAddress(localPart: Array(role.utf8), domain: address.domain) else { continue }
                let isTaken = aliases.contains(name.canonical) || accounts.contains(name.canonical) || name.canonical == address.canonical
                if !isTaken { try writer.addAlias(.address(name), targets: [address]) }
                report.note("alias", "\(name)" + (isTaken ? "" : " → \(address)"), made: !isTaken)
            }
        } catch { throw Failure(error) }
    }
}
