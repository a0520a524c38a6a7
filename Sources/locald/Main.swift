// locald: the local delivery agent. Brings each assigned copy into its Maildir, exactly once across any crash.
//
// Runs as     martlet-locald (group martlet-deliver)
// Reads       queued's events; the mail logs' content; after a crash, the names in Maildirs, to find what it had brought
// Writes      spool/locald/; the store's stage and the new/ folders of Maildirs
// Talks to    nobody: no socket of any kind
// Never       opens a delivered message, a credential, the directory or a network connection
// Trusts      queued's `assign` for what goes where; content only if its checksum is right
// If captured adds mail to mailboxes, reads mail in transit; has no way out
// Standards   Maildir; RFC 5321 §4.4 (Return-Path)

import Configuration
import Daemon
import Kernel
import Mailbox
import Privileges
import Sandbox
import Spool

@main
enum Main {
    static func main() {
        let context = DaemonContext.begin("locald", services: [.locald], arguments: CommandLine.arguments)
        let bootID = StoreContext.currentBootID()
        for warning in context.confine(.locald(context.configuration)) { context.warn(warning) }
        context.repeatUntilStopped { try Runner(context, bootID: bootID).run() }
    }
}
