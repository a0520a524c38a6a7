// mailctl account grant: as whom an account may send beside itself.

import ArgumentParser
import Directory
import DirectoryDatabase
import MailModel

struct GrantCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "grant", abstract: "As whom an account may send beside its own address; @DOMAIN stands for all of a domain.",
        subcommands: [GrantAdd.self, GrantRevoke.self, GrantList.self])

    /// `@example.org` and `*@example.org` are the same.
    static func parse(_ text: String) throws(Failure) -> AliasName { try AliasCommand.parse(text.hasPrefix("*@") ? String(text.dropFirst()) : text) }

    static func names(_ texts: [String]) throws(Failure) -> [AliasName] {
        var names: [AliasName] = []
        for text in texts { names.append(try parse(text)) }
        return names
    }
}

struct GrantAdd: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "add", abstract: "Let an account send as other addresses.")
    @OptionGroup var options: GlobalOptions
    @Argument var account: String
    @Argument(help: "Addresses, or @DOMAIN.") var addresses: [String]

    func run() throws {
        let (account, names) = (try parseAddress(account), try GrantCommand.names(addresses))
        try options.withDirectory { (writer) throws(DirectoryError) in try writer.grant(account, names) }
        options.report(
            "\(account) may send as \(names.map(\.description).joined(separator: ", "))",
            .object(["account": .text(account.wire), "granted": .array(names.map { .text("\($0)") })]))
    }
}

struct GrantRevoke: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "revoke", abstract: "Take grants back.")
    @OptionGroup var options: GlobalOptions
    @Argument var account: String
    @Argument(help: "Addresses, or @DOMAIN.") var addresses: [String]

    func run() throws {
        let (account, names) = (try parseAddress(account), try GrantCommand.names(addresses))
        try options.withDirectory { (writer) throws(DirectoryError) in try writer.revoke(account, names) }
        options.report(
            "\(account) may not send as \(names.map(\.description).joined(separator: ", ")) any more",
            .object(["account": .text(account.wire), "revoked": .array(names.map { .text("\($0)") })]))
    }
}

struct GrantList: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Show the grants, of one account or of all.")
    @OptionGroup var options: GlobalOptions
    @Argument var account: String?

    func run() throws {
        let account = try account.map { text in try parseAddress(text) }
        let grants = try options.withDirectory { (writer) throws(DirectoryError) in try writer.grants(of: account) }
        if options.json {
            return Output.json(.array(grants.map {
                .object(["account": .text($0.account.wire), "address": .text("\($0.name)"), "created": .number(Int($0.created))])
            }))
        }
        Output.table(["account", "may send as"], grants.map { ["\($0.account)", "\($0.name)"] })
    }
}
