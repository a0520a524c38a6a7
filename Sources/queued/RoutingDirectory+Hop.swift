// The last hop of a copy, decided anew at each attempt: where it goes, and under which sender.

import Configuration
import Directory
import Kernel
import MailModel

/// How a copy goes out.
struct LastHop: Hashable, Sendable {
    /// A next hop as `NextHop` prints it; nil where remoted looks for it: the smarthost, or the domain's own servers.
    var route: [UInt8]?
    /// The sender, where it is not that of the message.
    var sender: [UInt8]?
}

/// Where the last hop of a copy leads.
enum NextHopAnswer {
    case go(LastHop)
    /// The directory cannot be read: the copy waits.
    case unavailable

    /// The domain's own servers, or a mailbox.
    static let own = NextHopAnswer.go(LastHop())
}

extension RoutingDirectory {
    /// The next hop of a copy, as the routes stand now.
    func lastHop(of copy: Copy, _ message: OpenMessage, now: MonotonicTime) -> NextHopAnswer {
        guard copy.agent == .remoted, let recipient = EmailAddress(parsing: copy.final) else { return .own }
        snapshot.refresh(at: now)
        do throws(DirectoryUnavailable) {
            let sender = try sender(of: copy, message, to: recipient, now: now)
            // Where there is no route the smarthost is remoted's to take, which knows its own settings.
            let decision = try RouteDecision.decide(
                recipient: recipient, sender: sender ?? EmailAddress(parsing: message.sender), smarthost: nil
            ) { (pattern) throws(DirectoryUnavailable) in try snapshot.route(pattern) }
            return .go(LastHop(route: decision.rule == .exchangers ? nil : decision.hop.bytes, sender: sender?.wire))
        } catch {
            return .unavailable
        }
    }

    /// The sender of a copy that an alias of ours leads to another domain, or that an archive keeps; nil where it is that of the message.
    private func sender(of copy: Copy, _ message: OpenMessage, to recipient: EmailAddress, now: MonotonicTime) throws(DirectoryUnavailable) -> EmailAddress? {
        // What becomes of the archive's copy in another host's hands is told to the postmaster.
        if message.isArchive(copy) { return postmaster(now: now) }
        guard rewritesSenders, let sender = EmailAddress(parsing: message.sender), let forwarder = EmailAddress(parsing: copy.original)
        else { return nil }
        // The day of the message: a server that has seen an attempt sees the same sender again.
        return try snapshot.forwardingSender(of: sender, from: forwarder, to: recipient, day: Int(message.accepted.seconds / 86400))
    }
}
