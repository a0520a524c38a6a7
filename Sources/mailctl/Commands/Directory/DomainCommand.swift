// mailctl domain: which domains are ours.

import ArgumentParser
import DirectoryDatabase
import MailModel

struct DomainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "domain", abstract: "The domains whose mail is delivered here.",
        subcommands: [DomainAdd.self, DomainRemove.self, DomainList.self])
}

struct DomainAdd: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "add", abstract: "Accept mail for a domain.")
    @OptionGroup var options: GlobalOptions
    @Argument var domain: String

    func run() throws {
        let domain = try parseDomain(domain)
        try options.withDirectory { (writer) throws(DirectoryError) in try writer.addDomain(domain) }
        options.report("domain \(domain) added", .object(["domain": .text(domain.bytes)]))
    }
}

struct DomainRemove: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "remove", abstract: "Take a domain without accounts and aliases away.")
    @OptionGroup var options: GlobalOptions
    @Argument var domain: String

    func run() throws {
        let domain = try parseDomain(domain)
        try options.withDirectory { (writer) throws(DirectoryError) in try writer.removeDomain(domain) }
        options.report("domain \(domain) removed", .object(["domain": .text(domain.bytes)]))
    }
}

struct DomainList: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Show the domains.")
    @OptionGroup var options: GlobalOptions

    func run() throws {
        let domains = try options.withDirectory { (writer) throws(DirectoryError) in try writer.domains() }
        if options.json {
            return Output.json(.array(domains.map { entry in
                .object([
                    "domain": .text(entry.domain.bytes), "accounts": .number(entry.accounts), "aliases": .number(entry.aliases),
                    "created": .number(Int(entry.created)),
                ])
            }))
        }
        Output.table(["domain", "accounts", "aliases"], domains.map { ["\($0.domain)", "\($0.accounts)", "\($0.aliases)"] })
    }
}
