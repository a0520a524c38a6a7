// mailctl account apppassword: a password for each device, beside the account's own.

import ArgumentParser
import DirectoryDatabase
import MailModel

struct AppPasswordCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apppassword", abstract: "Passwords for single devices and programs, by PLAIN and LOGIN; each is taken back alone.",
        subcommands: [AppPasswordAdd.self, AppPasswordList.self, AppPasswordRevoke.self])
}

struct AppPasswordAdd: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "add", abstract: "Make an app password, which is shown once and never again.")
    @OptionGroup var options: GlobalOptions
    @Argument var account: String
    @Argument(help: "What it is for, such as phone.") var name: String

    func run() throws {
        let (account, name, password) = (try parseAddress(account), name, try Password.generate())
        try options.withDirectory { (writer) throws(DirectoryError) in
            try writer.addAppPassword(account, label: name, password: Array(password.utf8))
        }
        options.report(
            "account \(account): app password \(name): \(password)",
            .object(["address": .text(account.wire), "name": .text(name), "password": .text(password)]))
    }
}

struct AppPasswordList: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Show the app passwords of an account: names, never secrets.")
    @OptionGroup var options: GlobalOptions
    @Argument var account: String

    func run() throws {
        let account = try parseAddress(account)
        let found = try options.withDirectory { (writer) throws(DirectoryError) in try writer.appPasswords(of: account) }
        if options.json {
            return Output.json(.array(found.map { .object(["name": .text($0.label), "created": .number(Int($0.created))]) }))
        }
        Output.table(["created", "name"], found.map { [InternetTime(seconds: $0.created)?.text ?? "", $0.label] })
    }
}

struct AppPasswordRevoke: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Take an app password back: no login succeeds with it from now on.")
    @OptionGroup var options: GlobalOptions
    @Argument var account: String
    @Argument(help: "Its name, as the list has it.") var name: String

    func run() throws {
        let (account, name) = (try parseAddress(account), name)
        try options.withDirectory { (writer) throws(DirectoryError) in try writer.revokeAppPassword(account, label: name) }
        options.report(
            "account \(account): app password \(name) revoked", .object(["address": .text(account.wire), "revoked": .text(name)]))
    }
}
