// Where a content filter listens: nothing else is ever connected to for it.

package import Kernel
package import MailModel

/// The socket of a milter: `inet:127.0.0.1:11332`, `inet:[::1]:11332` or `unix:/run/rspamd/milter.sock`.
package enum FilterSocket: Hashable, Sendable {
    /// Numeric: a name could mean another host tomorrow.
    case internet(Endpoint)
    /// Absolute.
    case local(Path)
}

extension FilterSocket: ConfigurationValue {
    package static let kind = "a socket such as \"inet:127.0.0.1:11332\" (numeric) or \"unix:/run/rspamd/milter.sock\" (absolute, at most 107 bytes)"

    package init?(_ literal: ConfigurationLiteral) {
        guard let text = String(literal), let colon = text.firstIndex(of: ":") else { return nil }
        let rest = String(text[text.index(after: colon)...])
        switch text[..<colon] {
        case "inet":
            guard let endpoint = Endpoint(rest), endpoint.isNumeric else { return nil }
            self = .internet(endpoint)
        case "unix":
            // The kernel takes 108 bytes with the NUL.
            let path = Path(rest)
            guard path.isAbsolute, path.bytes.count <= 107 else { return nil }
            self = .local(path)
        default: return nil
        }
    }

    package var literal: ConfigurationLiteral { .text(description) }
}

extension FilterSocket: CustomStringConvertible {
    package var description: String {
        switch self {
        case .internet(let endpoint): "inet:\(endpoint)"
        case .local(let path): "unix:\(path)"
        }
    }
}

/// What becomes of mail while a filter cannot be asked.
package enum FilterFailure: String, ConfigurationWord {
    /// The client is told to come again.
    case tempfail
    /// It goes on, as if there were no such filter.
    case pass
}

extension Configuration {
    package struct Filter: Hashable, Sendable {
        package var smtpd: [FilterSocket] = []
        package var submission: [FilterSocket] = []
        package var failure = FilterFailure.tempfail
        package var connectTimeout = Duration.zero
        package var commandTimeout = Duration.zero
        package var messageTimeout = Duration.zero
        package var quarantine: EmailAddress?

        /// The filters of a service's mail, in the order in which they are asked.
        package func sockets(of service: Service) -> [FilterSocket] {
            switch service {
            case .smtpd: smtpd
            case .submission: submission
            case .queued, .locald, .remoted, .pop3d, .imapd: []
            }
        }
    }
}
