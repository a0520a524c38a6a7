// remoted: the remote delivery agent. Brings each assigned copy to another domain's server by SMTP.
//
// Runs as     martlet-remoted
// Reads       queued's events; the mail logs' content; the relay passwords
// Writes      spool/remoted/, policies of other domains among it
// Talks to    DNS; servers of other domains on port 25, or on the port of a configured route; their policies by HTTPS; sockets that remote.sockets lists
// Never       opens a mailbox, a credential of ours or the directory; listens; shows a relay password to a host
//             that has not proved its name, unless its entry allows it
// Trusts      queued's `assign` for what goes where; a server's reply for its own recipients only; a resolver on this host for DNSSEC
// If captured reads and sends mail in transit, knows the relay passwords; no mailbox, no database
// Standards   RFC 5321 §5, 7505; RFC 2033; RFC 3207, 7435, 8314; RFC 4954, 5802, 7677; DANE: RFC 7672, 6698; MTA-STS: RFC 8461; REQUIRETLS: RFC 8689;
//             RFC 6152 §3, 6531 §3.2 (what a server cannot take)

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
        // Which addresses are its own nobody may ask after the confinement.
        let addresses = Machine.addresses()
        for warning in context.confine(.remoted(context.configuration)) { context.warn(warning) }
        let sender = Sender(context.configuration, addresses: addresses)
        let outbox = Outbox(context.configuration.remote)
        context.repeatUntilStopped { try Runner(context, sender, outbox).run() }
    }
}
