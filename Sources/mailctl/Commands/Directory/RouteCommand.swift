// mailctl route: where mail goes that does not stay here, if not to the servers that DNS names.

import ArgumentParser
import Configuration
import DirectoryDatabase
import Kernel
import MailModel

struct RouteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "route", abstract: "Hosts that take mail of a domain, or of a sender, instead of the recipient's MX.",
        discussion: """
            DOMAIN is example.org, .example.org for all that lies in it, or * for all that no other route is for; with --sender it is the \
            sender's, or an address. The recipient's routes are looked at first, the nearest name first, then the sender's, then *, then \
            remote.smarthost. A route holds from the next attempt on.
            """,
        subcommands: [RouteAdd.self, RouteRemove.self, RouteList.self])

    static func pattern(_ text: String, ofSender isSender: Bool) throws(Failure) -> RoutePattern {
        guard let pattern = RoutePattern(parsing: Array(text.utf8), ofSender: isSender) else {
            throw Failure(.data, "\(text) is no domain to route", remedy: isSender
                ? "write one such as example.org, .example.org or alice@example.org" : "write one such as example.org, .example.org or *")
        }
        return pattern
    }
}

struct RouteAdd: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "add", abstract: "Send mail to a host.")
    @OptionGroup var options: GlobalOptions
    @Argument var domain: String
    @Argument(help: "[smtp:]HOST[:PORT], smtps:HOST[:PORT], lmtp:HOST:PORT, lmtp:/SOCKET, or mx; HOST may be an address, IPv6 in brackets.") var host: String
    @Flag(help: "DOMAIN is that of the sender, or an address.") var sender = false

    func run() throws {
        let pattern = try RouteCommand.pattern(domain, ofSender: sender)
        if NextHop.isProgramOrFile(Array(host.utf8)) { throw Failure(.data, "\(host) is no host", remedy: NextHop.noProgramsOrFiles) }
        guard let hop = NextHop(parsing: Array(RouteAdd.bracketed(host).utf8)) else {
            throw Failure(.data, "\(host) is not a host", remedy: "write one such as mx.example.net:25, [192.0.2.1]:25 or lmtp:[127.0.0.1]:24")
        }
        let configuration = try options.loadConfiguration()
        try options.withDirectory { (writer) throws(DirectoryError) in try writer.addRoute(pattern, to: hop) }
        options.report("mail \(sender ? "" : "for ")\(pattern) goes to \(hop)",
            .object(["domain": .text(pattern.text), "sender": .boolean(sender), "route": .text(hop.bytes)]))
        if case .socket(let path) = hop, !configuration.remote.sockets.contains(where: { $0.bytes == path }) {
            Output.note("\(path.display) is not listed in remote.sockets: mail waits until it is, and remoted was started again")
        }
    }

    /// `127.0.0.1:25` becomes `[127.0.0.1]:25`: as a host name it would be looked up in DNS.
    static func bracketed(_ host: String) -> String {
        let scheme = ["smtp:", "smtps:", "lmtp:"].first { host.lowercased().hasPrefix($0) } ?? ""
        let rest = host.dropFirst(scheme.count)
        let name = rest.prefix { $0 != ":" }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4, parts.allSatisfy({ UInt8($0) != nil }) else { return host }
        return "\(scheme)[\(name)]\(rest.dropFirst(name.count))"
    }
}

struct RouteRemove: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "remove", abstract: "Take a route away.")
    @OptionGroup var options: GlobalOptions
    @Argument var domain: String
    @Flag(help: "DOMAIN is that of the sender, or an address.") var sender = false

    func run() throws {
        let pattern = try RouteCommand.pattern(domain, ofSender: sender)
        try options.withDirectory { (writer) throws(DirectoryError) in try writer.removeRoute(pattern) }
        options.report(sender ? "route \(pattern) removed" : "route of \(pattern) removed",
            .object(["domain": .text(pattern.text), "sender": .boolean(sender)]))
    }
}

struct RouteList: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Show the routes.")
    @OptionGroup var options: GlobalOptions

    func run() throws {
        let routes = try options.withDirectory { (writer) throws(DirectoryError) in try writer.routes() }
        if options.json {
            return Output.json(.array(routes.map {
                .object(["domain": .text($0.pattern.text), "sender": .boolean($0.pattern.isOfSender), "route": .text($0.nextHop.bytes)])
            }))
        }
        Output.table(["domain", "route"], routes.map { ["\($0.pattern)", "\($0.nextHop)"] })
    }
}
