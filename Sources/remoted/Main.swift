// remoted: the remote delivery agent. Brings each assigned copy to another domain's server by SMTP.
//
// Runs as     martlet-remoted
// Reads       queued's events; the mail logs' content
// Writes      spool/remoted/
// Talks to    DNS; servers of other domains on port 25, or on the port of a configured route
// Never       opens a mailbox, a credential or the directory; listens
// Trusts      queued's `assign` for what goes where; a server's reply for its own recipients only
// If captured reads and sends mail in transit; no mailbox, no database
// Standards   RFC 5321 §5, 7505; RFC 3207, 7435; RFC 6152 §3, 6531 §3.2 (what a server cannot take)

import Configuration
import Daemon
import Kernel
import Privileges
import Sandbox
import Spool

@main
enum Main {
    static func main() {
        let context = DaemonContext.begin("remoted", services: [.remoted], arguments: CommandLine.arguments)
        for warning in context.confine(.remoted(context.configuration)) { context.warn(warning) }
        let sender = Sender(context.configuration)
        let outbox = Outbox(context.configuration.remote)
        context.repeatUntilStopped { try Runner(context, sender, outbox).run() }
    }
}
