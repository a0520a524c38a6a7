// mailctl account list and show.

import ArgumentParser
import Configuration
import Directory
import DirectoryDatabase
import MailModel

struct AccountList: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Show the accounts, of one domain or of all.")
    @OptionGroup var options: GlobalOptions
    @Argument var domain: String?

    func run() throws {
        let domain = try domain.map { text in try parseDomain(text) }
        let accounts = try options.withDirectory { (writer) throws(DirectoryError) in try writer.accounts(of: domain) }
        if options.json { return Output.json(.array(accounts.map { JSONValue($0) })) }
        Output.table(
            ["account", "state", "password"],
            accounts.map { ["\($0.address)", $0.isEnabled ? "enabled" : "disabled", $0.credential ?? "none"] })
    }
}

struct AccountShow: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show one account.")
    @OptionGroup var options: GlobalOptions
    @Argument var address: String

    func run() throws {
        let address = try parseAddress(address)
        let account = try options.withDirectory { (writer) throws(DirectoryError) in try writer.account(address) }
        if options.json { return Output.json(JSONValue(account)) }
        Output.line("address   \(account.address)")
        Output.line("state     \(account.isEnabled ? "enabled" : "disabled")")
        Output.line("password  \(account.credential ?? "none")")
        Output.line("mail      \(try options.loadConfiguration().paths.store)/\(account.folder)")
        Output.line("quota     \(account.quota.map { "\($0) bytes" } ?? "none")")
    }
}
