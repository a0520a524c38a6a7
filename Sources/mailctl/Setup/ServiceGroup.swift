// The groups by which one service may read another's folder. Membership is the whole of what they share.

import Configuration

/// A group of services; its system name is `users.prefix` and this.
enum ServiceGroup: String, Sendable, CaseIterable {
    /// Every service: requests from mailctl, address snapshots, ids that were released.
    case services
    /// Who reads accepted mail and the facts of delivery.
    case spool
    /// Who reads the facts of logins and intake.
    case events
    /// Who may stage messages and put them into `new/`.
    case deliver
    /// Who serves mailboxes.
    case store
    /// Who holds the TLS key.
    case tls
    /// Who checks passwords.
    case credentials
    /// Who logs in to other hosts with our passwords.
    case relay
    /// Who will sign outgoing mail: the one that has no network to carry a key away by.
    case dkim

    var members: [Service] {
        switch self {
        case .services: Service.allCases
        case .spool: [.queued, .locald, .remoted]
        case .events: [.queued, .submission, .pop3d, .imapd]
        case .deliver: [.locald, .pop3d, .imapd]
        case .store: [.pop3d, .imapd]
        case .tls: [.smtpd, .submission, .pop3d, .imapd]
        case .credentials: [.submission, .pop3d, .imapd]
        case .relay: [.remoted]
        case .dkim: [.queued]
        }
    }

    func systemName(prefix: String) -> String { prefix + rawValue }

    static func groups(of service: Service) -> [ServiceGroup] { allCases.filter { $0.members.contains(service) } }
}
