// mailctl account add: a mailbox and its password.

import ArgumentParser
import Directory
import DirectoryDatabase
import MailModel

struct AccountAdd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Make an account; without --password-stdin a password is made and shown once.")
    @OptionGroup var options: GlobalOptions
    @Argument var address: String
    @Flag(help: "Take the password from the first line of stdin.") var passwordStdin = false
    @Flag(help: "Make an account that receives mail and cannot log in.") var noPassword = false

    func run() throws {
        let address = try parseAddress(address)
        let given = passwordStdin ? try Password.readFromStandardInput() : nil
        let generated = given == nil && !noPassword ? try Password.generate() : nil
        let password = (given ?? generated.map { Array($0.utf8) }).map(PasswordInput.password)
        let folder = try options.withDirectory { (writer) throws(DirectoryError) in
            try writer.addAccount(address, password: password)
        }
        options.report(
            "account \(address) added" + (generated.map { ", password \($0)" } ?? ""),
            .object(["address": .text(address.wire), "folder": .text(folder.bytes), "password": .optional(generated)]))
    }
}
