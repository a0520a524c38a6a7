// mailctl relay-password: the user names and passwords by which other hosts take mail from us. A password is never an argument, and never shown.

import ArgumentParser
import Configuration
import Kernel
import MailModel

struct RelayPasswordCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "relay-password", abstract: "User names and passwords for hosts that routes or remote.smarthost name.",
        discussion: """
            HOST is written as the route has it, with a port or for all ports. remoted alone reads the passwords, and uses them under TLS only, \
            with a server that proves its name. A change holds from the next attempt on.
            """,
        subcommands: [RelayPasswordSet.self, RelayPasswordRemove.self, RelayPasswordList.self])
}

/// Whose password: the same words for each command.
struct RelayName: ParsableArguments {
    @Argument(help: "HOST or HOST:PORT, as the route or remote.smarthost has it.") var host: String
    @Option(help: ArgumentHelp("For mail of this sender's domain only.", valueName: "domain")) var sender: String?

    func parsed() throws(Failure) -> (host: Domain, port: UInt16?, sender: Domain?) {
        let text = RouteAdd.bracketed(host)
        guard case .server(let name, let port, .smtp)? = NextHop(parsing: Array(text.utf8)) else {
            throw Failure(.data, "\(host) is not a host", remedy: "write one such as relay.example.net:587")
        }
        return (name, text.utf8.count > name.bytes.count ? port : nil, try sender.map(parseDomain))
    }
}

struct RelayPasswordSet: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "set", abstract: "Set the user and password for a host; the password is the first line of stdin.")
    @OptionGroup var options: GlobalOptions
    @OptionGroup var name: RelayName
    @Argument(help: "The user name that the host knows.") var user: String
    @Flag(help: "Show the password to a server that does not prove its name by a certificate: whoever is on the way can have it.") var unproved = false

    func run() throws {
        let (host, port, sender) = try name.parsed()
        let password = try Password.readFromStandardInput()
        guard let entry = RelayPassword(host: host, port: port, sender: sender, needsProof: !unproved, user: Array(user.utf8), password: password) else {
            throw Failure(.data, "\(user) is no user name for a host", remedy: "write one without blanks, of at most 255 bytes, that is not `unproved` and does not begin with `from=`")
        }
        try options.relayPasswords.change { all in all.filter { $0.key != entry.key } + [entry] }
        options.report("\(entry.shownName): mail goes there as \(user)", .object(["host": .text(entry.shownName), "user": .text(entry.user)]))
    }
}

struct RelayPasswordRemove: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "remove", abstract: "Forget the password for a host.")
    @OptionGroup var options: GlobalOptions
    @OptionGroup var name: RelayName

    func run() throws {
        let (host, port, sender) = try name.parsed()
        let file = try options.relayPasswords
        let left = try file.read().filter { ($0.host, $0.port) != (host, port) || $0.sender != sender }
        guard try left.count < file.read().count else {
            throw Failure(.noInput, "there is no password for \(name.host)", remedy: "see `mailctl relay-password list`")
        }
        try file.change { _ in left }
        options.report("password for \(name.host) removed", .object(["host": .text(name.host)]))
    }
}

struct RelayPasswordList: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Show the hosts and users, without the passwords.")
    @OptionGroup var options: GlobalOptions

    func run() throws {
        let all = try options.relayPasswords.read()
        if options.json {
            return Output.json(.array(all.map { entry in
                .object([
                    "host": .text(entry.host.bytes), "port": entry.port.map { .number(Int($0)) } ?? .null, "sender": .optional(entry.sender?.description),
                    "user": .text(entry.user), "proof": .boolean(entry.needsProof),
                ])
            }))
        }
        Output.table(["host", "senders", "user", "proof"], all.map { entry in
            ["\(entry.host)\(entry.port.map { ":\($0)" } ?? "")", entry.sender?.description ?? "all", entry.user.display, entry.needsProof ? "certificate" : "none"]
        })
    }
}

extension RelayPassword {
    fileprivate var shownName: String {
        "\(host)\(port.map { ":\($0)" } ?? "")\(sender.map { " from \($0)" } ?? "")"
    }
}
