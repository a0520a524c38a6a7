// The checked values that every program starts from. Names, defaults and limits are those of the table of keys
// (`ConfigurationKey.all`); the zeros here are never seen: `init` replaces each by its key's default.

package import Kernel
package import MailModel
package import MailPolicy

/// All settings, checked, paths absolute: as safe to use as constants.
package struct Configuration: Hashable, Sendable {
    /// What we call ourselves in greetings, EHLO and Received (RFC 5321 §4.1.1.1).
    package var hostname = Domain.localhost
    /// Who gets what concerns this host; nil is `postmaster` at each local domain (RFC 5321 §4.5.1).
    package var postmaster: EmailAddress?
    /// Whether this is a tree for development: unprivileged, loopback, no real mail.
    package var development = false
    package var paths = Paths()
    package var users = Users()
    package var tls = TLS()
    package var listen = Listen()
    package var proxy = Proxy()
    package var xclient = XClient()
    package var limits = Limits()
    package var smtp = SMTP()
    package var auth = Auth()
    package var policy = Policy()
    package var filter = Filter()
    package var submission = Submission()
    package var routing = Routing()
    package var dns = DNS()
    package var retry = Retry()
    package var remote = Remote()
    package var delivery = Delivery()
    package var retention = Retention()

    /// Every key at its default, paths relative to no root: what an empty file means before `resolvePaths`.
    package init() {
        for key in ConfigurationKey.all { key.setDefault(&self) }
    }

    /// Content up to this size is inline in the mail log, above it a file of its own (docs/spool.md).
    package static let inlineContent = ByteCount.kibibytes(128)
}

extension Configuration {
    package struct Paths: Hashable, Sendable {
        package var root = Path("")
        package var spool = Path("")
        package var store = Path("")
        package var cache = Path("")
        package var directory = Path("")
    }

    package struct Users: Hashable, Sendable {
        /// Put before a service's name, it gives the service's system user.
        package var prefix = ""
    }

    package struct TLS: Hashable, Sendable {
        package var certificate = Path("")
        package var key = Path("")
        package var certificates: [CertificatePair] = []
        package var profile = TLSClients.compatible
    }

    package struct Proxy: Hashable, Sendable {
        package var networks: [IPNetwork] = []
    }

    package struct XClient: Hashable, Sendable {
        package var networks: [IPNetwork] = []
    }

    package struct Listen: Hashable, Sendable {
        package var smtp: [Endpoint] = []
        package var submission: [Endpoint] = []
        package var submissions: [Endpoint] = []
        package var pop3: [Endpoint] = []
        package var pop3s: [Endpoint] = []
        package var imap: [Endpoint] = []
        package var imaps: [Endpoint] = []

        package subscript(name: ListenerName) -> [Endpoint] {
            switch name {
            case .smtp: smtp
            case .submission: submission
            case .submissions: submissions
            case .pop3: pop3
            case .pop3s: pop3s
            case .imap: imap
            case .imaps: imaps
            }
        }
    }

    package struct Limits: Hashable, Sendable {
        package var messageSize = ByteCount.zero
        package var recipients = 0
        package var lineLength = ByteCount.zero
        package var commandTimeout = Duration.zero
        package var dataTimeout = Duration.zero
        package var pop3IdleTimeout = Duration.zero
        package var imapIdleTimeout = Duration.zero
        package var sessionCommands = 0
        package var sessionErrors = 0
        package var hops = 0
        package var connectionsPerAddress = 0
        package var connections = 0
        package var mailboxDepth = 0
        package var aliasDepth = 0
        package var aliasResults = 0
    }

    package struct SMTP: Hashable, Sendable {
        package var extensions: [SMTPExtension] = []
        package var longestHold = Duration.zero
    }

    package struct Auth: Hashable, Sendable {
        package var allowPlaintext = AllowPlaintext.never
        package var mechanisms: [AuthMechanism] = []
        package var upgradeHashes = false
        package var failureDelay = Duration.zero
        package var failuresPerAddress = 0
        package var failuresPerAccount = 0
    }

    package struct Submission: Hashable, Sendable {
        package var checkFrom = CheckFrom.account
        package var addFields = false
        package var account = SendingLimits()
        package var address = SendingLimits()

        /// 0 is no limit.
        package struct SendingLimits: Hashable, Sendable {
            package var messagesPerHour = 0
            package var messagesPerDay = 0
            package var recipientsPerHour = 0
            package var recipientsPerDay = 0
        }
    }

    package struct Routing: Hashable, Sendable {
        package var subaddressSeparator: SubaddressSeparator?
        package var srs = false
        package var archive: [ArchiveRule] = []
    }

    package struct DNS: Hashable, Sendable {
        package var servers: [Endpoint] = []
        package var trustAD = DNSTrust.loopback
    }

    package struct Retry: Hashable, Sendable {
        package var initial = Duration.zero
        package var maximum = Duration.zero
        package var giveUp = Duration.zero
        package var delayNotice = Duration.zero
        /// Per cent of the waiting time by which it varies.
        package var jitter = 0
    }

    package struct Remote: Hashable, Sendable {
        package var smarthost: Endpoint?
        package var port = 0
        package var tls = RemoteTLS.opportunistic
        package var tlsFor: [TLSDestination] = []
        package var dane = false
        package var mtaSTS = false
        package var mtaSTSPort = 0
        package var roots: Path?
        package var sockets: [Path] = []
        package var connectTimeout = Duration.zero
        package var commandTimeout = Duration.zero
        package var connections = 0
        package var connectionsPerDomain = 0
    }

    package struct Delivery: Hashable, Sendable {
        package var threads = 0
    }

    package struct Retention: Hashable, Sendable {
        package var events = Duration.zero
        package var expunged = Duration.zero
    }
}

extension Domain {
    /// The name that every host has (RFC 6761 §6.3).
    package static let localhost: Domain = {
        guard let name = Domain("localhost") else { preconditionFailure("localhost is a domain name") }
        return name
    }()
}
