// queued: the queue runner. Routes accepted mail, schedules and retries, writes bounces, adopts local drops.
//
// Runs as     martlet-queued
// Reads       all logs, the address snapshot, spool/drop/; before all else the names of the machine's users
// Writes      spool/queued/ (mail, events, released); unlinks adopted files in spool/drop/
// Talks to    nobody: no socket of any kind
// Never       opens a mailbox, a credential or a network connection
// Trusts      a record only as far as its folder's owner may say it: mail from smtpd, submission; results from
//             the agent to which the copy was assigned; wishes from mailctl
// If captured reads, misroutes or discards mail in transit
// Standards   RFC 5321 §4.5.4.1 (retry), §6.1 (bounces); RFC 3464 (their form)

import Configuration
import Daemon
import Kernel
import Privileges
import Sandbox
import Spool

@main
enum Main {
    static func main() {
        let context = DaemonContext.begin("queued", services: [.queued], arguments: CommandLine.arguments)
        let users = UserNames.read()
        for warning in context.confine(.queued(context.configuration)) { context.warn(warning) }
        context.repeatUntilStopped {
            do { try Runner(context, users).run() } catch is Runner.NeedsNewUsers {
                context.warn("the machine's users have changed: begins anew to know their names")
                Identity.exit(0)
            }
        }
    }
}
