// mailctl alias: addresses that stand for others.

import ArgumentParser
import Directory
import DirectoryDatabase
import MailModel

struct AliasCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "alias", abstract: "Addresses that stand for others; @DOMAIN stands for all that nobody has.",
        subcommands: [AliasAdd.self, AliasRemove.self, AliasList.self])

    static func parse(_ text: String) throws(Failure) -> AliasName {
        guard let name = AliasName(parsing: Array(text.utf8)) else {
            throw Failure(.data, "\(text) is neither an address nor @DOMAIN", remedy: "write one such as sales@example.org or @example.org")
        }
        return name
    }
}

struct AliasAdd: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "add", abstract: "Make an alias, or add targets to one.")
    @OptionGroup var options: GlobalOptions
    @Argument var address: String
    @Argument(help: "Where its mail goes.") var targets: [String]

    func run() throws {
        let name = try AliasCommand.parse(address)
        var addresses: [EmailAddress] = []
        for target in targets { addresses.append(try parseAddress(target)) }
        let new = addresses
        try options.withDirectory { (writer) throws(DirectoryError) in
            if try writer.aliases().contains(where: { $0.name == name }) {
                try writer.changeAlias(name, adding: new)
            } else {
                try writer.addAlias(name, targets: new)
            }
        }
        options.report(
            "mail for \(name) goes to \(new.map(\.description).joined(separator: ", "))",
            .object(["alias": .text("\(name)"), "targets": .array(new.map { .text($0.wire) })]))
    }
}

struct AliasRemove: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "remove", abstract: "Remove an alias, or some of its targets.")
    @OptionGroup var options: GlobalOptions
    @Argument var address: String
    @Argument(help: "Targets to take away; none means the whole alias.") var targets: [String] = []

    func run() throws {
        let name = try AliasCommand.parse(address)
        var addresses: [EmailAddress] = []
        for target in targets { addresses.append(try parseAddress(target)) }
        let old = addresses
        try options.withDirectory { (writer) throws(DirectoryError) in
            if old.isEmpty { try writer.removeAlias(name) } else { try writer.changeAlias(name, removing: old) }
        }
        options.report(
            old.isEmpty ? "alias \(name) removed" : "alias \(name) changed",
            .object(["alias": .text("\(name)"), "removed": .array(old.map { .text($0.wire) })]))
    }
}

struct AliasList: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Show the aliases.")
    @OptionGroup var options: GlobalOptions

    func run() throws {
        let aliases = try options.withDirectory { (writer) throws(DirectoryError) in try writer.aliases() }
        if options.json {
            return Output.json(.array(aliases.map {
                .object(["alias": .text("\($0.name)"), "targets": .array($0.targets.map { .text($0.wire) })])
            }))
        }
        Output.table(["alias", "targets"], aliases.map { ["\($0.name)", $0.targets.map(\.description).joined(separator: " ")] })
    }
}
