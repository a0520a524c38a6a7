// mailctl route: domains whose mail goes to a host of our choice instead of their MX.

import ArgumentParser
import Directory
import DirectoryDatabase
import MailModel

struct RouteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "route", abstract: "Hosts that take all mail of a domain instead of its MX.",
        subcommands: [RouteAdd.self, RouteRemove.self, RouteList.self])
}

struct RouteAdd: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "add", abstract: "Send a domain's mail to a host.")
    @OptionGroup var options: GlobalOptions
    @Argument var domain: String
    @Argument(help: "HOST, HOST:PORT or [ADDRESS]:PORT; a bare IPv4 address is taken too.") var host: String

    func run() throws {
        let domain = try parseDomain(domain)
        guard let hop = NextHop(parsing: Array(RouteAdd.bracketed(host).utf8)) else {
            throw Failure(.data, "\(host) is not a host", remedy: "write one such as mx.example.net:25 or [192.0.2.1]:25")
        }
        try options.withDirectory { (writer) throws(DirectoryError) in try writer.addRoute(domain, to: hop) }
        options.report("mail for \(domain) goes to \(hop)", .object(["domain": .text(domain.bytes), "route": .text("\(hop)")]))
    }

    /// `127.0.0.1:25` becomes `[127.0.0.1]:25`: as a host name it would be looked up in DNS.
    static func bracketed(_ host: String) -> String {
        let name = host.prefix { $0 != ":" }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4, parts.allSatisfy({ UInt8($0) != nil }) else { return host }
        return "[\(name)]\(host.dropFirst(name.count))"
    }
}

struct RouteRemove: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "remove", abstract: "Let a domain's MX decide again.")
    @OptionGroup var options: GlobalOptions
    @Argument var domain: String

    func run() throws {
        let domain = try parseDomain(domain)
        try options.withDirectory { (writer) throws(DirectoryError) in try writer.removeRoute(domain) }
        options.report("route of \(domain) removed", .object(["domain": .text(domain.bytes)]))
    }
}

struct RouteList: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Show the routes.")
    @OptionGroup var options: GlobalOptions

    func run() throws {
        let routes = try options.withDirectory { (writer) throws(DirectoryError) in try writer.routes() }
        if options.json {
            return Output.json(.array(routes.map { .object(["domain": .text($0.domain.bytes), "route": .text("\($0.nextHop)")]) }))
        }
        Output.table(["domain", "route"], routes.map { ["\($0.domain)", "\($0.nextHop)"] })
    }
}
