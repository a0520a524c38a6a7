// mailctl account remove, rename, enable, disable: what becomes of an account after its creation.

import ArgumentParser
import Configuration
import Directory
import DirectoryDatabase
import Kernel
import MailModel

struct AccountRemove: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove an account; its mail stays on disk and its folder's name is never given again.")
    @OptionGroup var options: GlobalOptions
    @Argument var address: String

    func run() throws {
        let address = try parseAddress(address)
        let folder = try options.withDirectory { (writer) throws(DirectoryError) in try writer.removeAccount(address) }
        let path = try options.loadConfiguration().paths.store.description + "/" + folder.description
        options.report(
            "account \(address) removed; its mail is still in \(path)", .object(["address": .text(address.wire), "mail": .text(path)]))
    }
}

struct AccountRename: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rename", abstract: "Give an account another address; its mail and its password stay.")
    @OptionGroup var options: GlobalOptions
    @Argument var address: String
    @Argument(help: "The new address.") var new: String

    func run() throws {
        let (old, new) = (try parseAddress(address), try parseAddress(new))
        try options.withDirectory { (writer) throws(DirectoryError) in try writer.renameAccount(old, to: new) }
        options.report("account \(old) is now \(new)", .object(["address": .text(new.wire), "was": .text(old.wire)]))
    }
}

struct AccountEnable: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "enable", abstract: "Let an account log in and receive mail again.")
    @OptionGroup var options: GlobalOptions
    @Argument var address: String

    func run() throws { try setEnabled(address, true, options) }
}

struct AccountDisable: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "disable", abstract: "Refuse logins and new mail; what is there stays.")
    @OptionGroup var options: GlobalOptions
    @Argument var address: String

    func run() throws { try setEnabled(address, false, options) }
}

private func setEnabled(_ text: String, _ isEnabled: Bool, _ options: GlobalOptions) throws {
    let address = try parseAddress(text)
    try options.withDirectory { (writer) throws(DirectoryError) in try writer.setEnabled(address, isEnabled) }
    options.report(
        "account \(address) \(isEnabled ? "enabled" : "disabled")",
        .object(["address": .text(address.wire), "enabled": .boolean(isEnabled)]))
}
