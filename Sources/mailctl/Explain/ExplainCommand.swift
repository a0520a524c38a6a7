// mailctl explain: what port 25 would say to a client, and why; by the functions that smtpd asks.

import ArgumentParser
import Configuration
import Kernel
import MailModel
import MailPolicy

struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Tell what port 25 would answer, and by which rule.",
        discussion: """
            Prints where mail for the recipient goes, each step of the policy with its verdict, the counts of the client's network in the last \
            30 days, and the reply to RCPT. DNS is asked as smtpd asks it. What only a running smtpd knows, how often the client came in the last \
            minutes, is not part of it.
            """)
    @OptionGroup var options: GlobalOptions

    @Option(help: ArgumentHelp("The sender; \"\" or <> for a notice.", valueName: "address"))
    var from: String

    @Option(help: ArgumentHelp("The recipient.", valueName: "address"))
    var to: String

    @Option(help: ArgumentHelp("The client's address.", valueName: "address"))
    var ip: String

    @Option(help: ArgumentHelp("What the client says in HELO; without it, its address.", valueName: "name"))
    var helo: String?

    @Option(help: ArgumentHelp("A message, to be measured against the limits.", valueName: "file"))
    var file: String?

    func run() throws {
        let configuration = try options.loadConfiguration()
        guard let client = IPAddress(ip) else {
            throw Failure(.data, "\(ip) is not an address", remedy: "write one such as 192.0.2.1 or 2001:db8::1")
        }
        let sender: ReversePath = ["", "<>"].contains(from) ? .null : .address(try parseAddress(from))
        let literal = client.unmapped.family == .four ? "[\(client.unmapped)]" : "[IPv6:\(client)]"
        let question = Explanation.Question(sender: sender, recipient: try parseAddress(to), client: client, hello: Array((helo ?? literal).utf8))
        var explanation = try Explanation(question, configuration)
        if let file { explanation.message = try MessageMeasure(file, configuration) }
        options.json ? Output.json(explanation.json) : explanation.show()
    }
}
