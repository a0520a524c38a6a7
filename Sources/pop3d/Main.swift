// pop3d: gives users their INBOX by POP3. Two processes: the *front* talks to strangers, the *session* process has the mail.
//
// Runs as     martlet-pop3d, both processes
// Reads       session: the credential snapshot, Maildirs, the events of the others that check passwords. front: TLS certificate and key
// Writes      session: spool/pop3d/ (events); moves deleted messages to the hidden folder of their Maildir. front: nothing
// Talks to    clients: the front until login and for TLS; the session process after it, in clear or through the front
// Never       the front: opens a mailbox or a credential. Either: opens a connection, removes a message for good before its retention ends
// Trusts      nobody: an account is what the session process itself decided under a connection's number, never the front's word
// If captured front: reads passwords and mail that cross it, no stored mailbox. session: reads and deletes in all mailboxes
// Standards   RFC 1939, 2449, 2595, 3206, 5034, 6856 (no), 8314

import Configuration
import Daemon
import Kernel
import Login

@main
enum Main {
    static func main() {
        let (channel, arguments) = FrontProcess.split(CommandLine.arguments)
        let context = DaemonContext.begin("pop3d", services: [.pop3d], arguments: arguments)
        if let channel { Front(context, channel: channel).run() }
        SessionProcess.run(context, arguments)
    }
}
