// What a server must be before it sees a password, and how it is spoken with.

import Connection
import Kernel
import MailModel
import SMTPProtocol

extension Target {
    /// Whether it would take the mail from somebody that it knows: our password was refused, or none was given where one is asked for (RFC 4954 §6).
    func isStranger(_ result: RecipientResult) -> Bool {
        result.stage == .authentication || isNamed && result.reply.starts(with: Array("530".utf8))
    }

    /// The name that its certificate must bear; an address has none to send.
    var serverName: [UInt8]? { host.isAddressLiteral ? nil : host.bytes }
}

extension DeliveryOutcome {
    /// A refusal that the administrator can mend: no sender is to hear of it.
    var waiting: DeliveryOutcome {
        guard case .permanent(let status, let reason) = self else { return self }
        return .temporary(EnhancedStatus(.temporary, status.subject, status.detail), reason: reason)
    }
}

extension RelayBook {
    /// One state of the file; another after each change.
    struct Edition: Hashable, Sendable {
        let inode: UInt64
        let changed: Int64
    }

    /// Nil where there is no file that could be read.
    var edition: Edition? {
        guard let place = try? DirectoryDescriptor(opening: folder), let status = try? place.status(of: "passwords") else { return nil }
        return Edition(inode: status.inode, changed: status.changed)
    }
}

extension Sender {
    /// Blocks on the disk; for a worker thread.
    func login(for target: Target, of job: Job) -> RelayLogin { relays.login(for: target, from: job.sender) }
}
