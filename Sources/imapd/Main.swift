// imapd: gives users their mailboxes by IMAP. Two processes: the *front* talks to strangers, the *session* process has the mail.
//
// Runs as     martlet-imapd, both processes
// Reads       session: the credential snapshot, Maildirs, the events of the others that check passwords. front: TLS certificate and key
// Writes      session: spool/imapd/ (events), Maildirs (UIDs, flags, messages, mailboxes). front: nothing
// Talks to    clients: the front until login and for TLS; the session process after it, in clear or through the front
// Never       the front: opens a mailbox or a credential. Either: opens a connection, removes a message for good before its retention ends
// Trusts      nobody: an account is what the session process itself decided under a connection's number, never the front's word
// If captured front: reads passwords and mail that cross it, no stored mailbox. session: reads and changes all mailboxes
// Standards   RFC 3501, 2177, 2342, 2971, 3348, 3691, 4315, 4959, 5161, 5530, 6154, 6851, 7888, 8314

import Configuration
import Daemon
import Kernel
import Login

@main
enum Main {
    static func main() {
        let (channel, arguments) = FrontProcess.split(CommandLine.arguments)
        let context = DaemonContext.begin("imapd", services: [.imapd], arguments: arguments)
        if let channel { Front(context, channel: channel).run() }
        SessionProcess.run(context, arguments)
    }
}
