// What all sessions of a service share.

import Configuration
import Connection
import Directory
import Kernel
import MailModel
import SASLProtocol
import SMTPProtocol

/// Made before the first connection, and anew when the configuration changes: a session keeps what it began with.
struct SharedParts: Sendable {
    private(set) var session: ServerConfiguration
    let intake: Intake
    private(set) var directory: RecipientDirectory
    let authenticators: AuthenticatorPool
    let workers: WorkerPool
    let trace: TraceField
    private(set) var commandTimeout: Duration
    private(set) var dataTimeout: Duration
    private(set) var failureDelay: Duration
    private(set) var plaintext: AllowPlaintext
    private(set) var smtp: Configuration.SMTP
    /// Nil at submission: its clients say who they are.
    private(set) var policy: PolicyParts?
    private(set) var filters: FilterSettings?
    /// Who may say XCLIENT.
    private(set) var xclients = PeerNetworks()
    var guesses = GuessWatch(GuessLimits(perAddress: .max, perAccount: .max))
    /// Nil for port 25.
    var rules: SubmissionRules?

    /// The parts that live keys make, as a session has them that begins now.
    func renewed(_ configuration: Configuration, _ session: ServerConfiguration) -> SharedParts {
        var parts = self
        parts.session = session
        parts.directory = RecipientDirectory(configuration)
        parts.commandTimeout = configuration.limits.commandTimeout
        parts.dataTimeout = configuration.limits.dataTimeout
        parts.failureDelay = configuration.auth.failureDelay
        parts.plaintext = configuration.auth.allowPlaintext
        parts.smtp = configuration.smtp
        parts.policy = policy?.renewed(configuration)
        parts.filters = filters?.renewed(configuration)
        parts.xclients = PeerNetworks(configuration.xclient.networks.map(\.prefix))
        parts.guesses.limit(to: GuessLimits(configuration.auth))
        parts.rules = rules?.renewed(configuration)
        return parts
    }

    func allowsPlaintext(from peer: SocketName) -> Bool {
        switch plaintext {
        case .never: false
        case .loopback: peer.address.starts(with: "127.".utf8) || peer.address.elementsEqual("::1".utf8)
        case .always: true
        }
    }

    /// May another message begin? (RFC 1870 §6.1: the refusal comes before the content is sent.)
    func mayBegin() -> ServerAnswer.Sender {
        if intake.isFull { return .temporary(.diskIsFull) }
        return intake.isBehind ? .temporary(.diskIsSlow) : .accepted
    }
}
