// mailctl account: who has a mailbox here.

import ArgumentParser
import Directory
import DirectoryDatabase
import MailModel

struct AccountCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "account", abstract: "The accounts and their passwords.",
        subcommands: [
            AccountAdd.self, AccountRemove.self, AccountRename.self, AccountEnable.self, AccountDisable.self, AccountShow.self,
            AccountList.self, AccountPassword.self, AppPasswordCommand.self, GrantCommand.self, AccountImportCommand.self,
        ])
}

extension JSONValue {
    init(_ account: AccountListing) {
        self = .object([
            "address": .text(account.address.wire), "enabled": .boolean(account.isEnabled), "folder": .text(account.folder.bytes),
            "quota": .optional(account.quota), "created": .number(Int(account.created)), "credential": .optional(account.credential),
        ])
    }
}
