// mailctl account passwd: a new password.

import ArgumentParser
import DirectoryDatabase
import MailModel

struct AccountPassword: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "passwd", abstract: "Give an account another password; without --password-stdin one is made and shown once.")
    @OptionGroup var options: GlobalOptions
    @Argument var address: String
    @Flag(help: "Take the password from the first line of stdin.") var passwordStdin = false

    func run() throws {
        let address = try parseAddress(address)
        let generated = passwordStdin ? nil : try Password.generate()
        let password = try generated.map { Array($0.utf8) } ?? Password.readFromStandardInput()
        try options.withDirectory { (writer) throws(DirectoryError) in try writer.setPassword(address, .password(password)) }
        options.report(
            "account \(address): password \(generated ?? "changed")",
            .object(["address": .text(address.wire), "password": .optional(generated)]))
    }
}
