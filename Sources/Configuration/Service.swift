// The services, the program each runs, and the listeners each inherits: said once for daemons, supervisor and setup.

/// A daemon as the operator knows it; `smtpd` the program is two of them.
package enum Service: String, Sendable, Hashable, CaseIterable {
    case smtpd, submission, queued, locald, remoted, pop3d, imapd

    /// The executable.
    package var program: String { self == .submission ? "smtpd" : rawValue }

    package var listeners: [ListenerName] { ListenerName.allCases.filter { $0.service == self } }

    /// Whether strangers can reach it: those stop first, so that nothing new comes in while the rest finishes.
    package var isNetworkService: Bool { !listeners.isEmpty }
}

/// A listening socket by its name in LISTEN_FDNAMES, which is also its key below `listen`.
package enum ListenerName: String, Sendable, Hashable, CaseIterable {
    case smtp, submission, submissions, pop3, pop3s, imap, imaps

    package var service: Service {
        switch self {
        case .smtp: .smtpd
        case .submission, .submissions: .submission
        case .pop3, .pop3s: .pop3d
        case .imap, .imaps: .imapd
        }
    }

    /// The port that IANA assigned to it (RFC 5321 §4.5.4.2, RFC 6409 §3.1, RFC 8314 §3).
    package var standardPort: UInt16 {
        switch self {
        case .smtp: 25
        case .submission: 587
        case .submissions: 465
        case .pop3: 110
        case .pop3s: 995
        case .imap: 143
        case .imaps: 993
        }
    }

    /// Whether TLS begins with the first byte (RFC 8314 §3).
    package var isImplicitTLS: Bool {
        switch self {
        case .submissions, .pop3s, .imaps: true
        case .smtp, .submission, .pop3, .imap: false
        }
    }
}
