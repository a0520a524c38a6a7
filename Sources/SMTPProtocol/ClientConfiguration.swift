// What a client session is told, what it reports, and what it asks its pump to do.

package import MailModel
package import SASLProtocol

/// The settings of a client session.
package struct ClientConfiguration: Sendable {
    package enum Dialect: Sendable, Hashable {
        case smtp
        /// LHLO, and a reply for each recipient after the content (RFC 2033).
        case lmtp
    }

    package enum TLSPolicy: Sendable, Hashable {
        case never
        /// If the server offers it (RFC 7435).
        case opportunistic
        /// Or the message waits: DANE, MTA-STS, a smarthost with a password.
        case required
    }

    package struct Credentials: Sendable {
        package let name: [UInt8]
        package let password: [UInt8]
        package let hashes: HashFunctions
        /// Fresh randomness, printable.
        package let nonce: [UInt8]

        package init(name: [UInt8], password: [UInt8], hashes: HashFunctions, nonce: [UInt8]) {
            self.name = name
            self.password = password
            self.hashes = hashes
            self.nonce = nonce
        }
    }

    package var dialect: Dialect
    /// What we call ourselves in EHLO.
    package var clientName: Domain
    package var tls: TLSPolicy
    package var credentials: Credentials?
    package var allowsPlaintextAuthentication: Bool
    /// Content whose size is known, and which is lines, goes by BDAT where the server takes it; binary content always does.
    package var usesChunking: Bool

    package init(
        clientName: Domain, dialect: Dialect = .smtp, tls: TLSPolicy = .opportunistic, credentials: Credentials? = nil,
        allowsPlaintextAuthentication: Bool = false, usesChunking: Bool = false
    ) {
        self.clientName = clientName
        self.dialect = dialect
        self.tls = tls
        self.credentials = credentials
        self.allowsPlaintextAuthentication = allowsPlaintextAuthentication
        self.usesChunking = usesChunking
    }
}

/// A message to send in one transaction.
package struct OutgoingMessage: Sendable, Hashable {
    package var sender: ReversePath
    package var recipients: [EmailAddress]
    /// Octets before dot-stuffing.
    package var size: Int?
    package var body: BodyType
    /// Passed on where the server knows them. BY counts from now on: the caller takes off what has passed.
    package var options: MessageOptions
    package var recipientOptions: [EmailAddress: RecipientOptions]
    /// No header line of it has a byte above 127, as far as anybody has looked.
    package var hasASCIIHeader = false
    /// Its lines end in CRLF, with no CR or LF by itself: other content goes by DATA, which makes lines of it.
    package var isLines = true

    package init(
        sender: ReversePath, recipients: [EmailAddress], size: Int? = nil, body: BodyType = .sevenBit,
        options: MessageOptions = MessageOptions(), recipientOptions: [EmailAddress: RecipientOptions] = [:]
    ) {
        self.sender = sender
        self.recipients = recipients
        self.size = size
        self.body = body
        self.options = options
        self.recipientOptions = recipientOptions
    }
}

/// Where in the dialogue the client is.
package enum ClientStage: Sendable, Hashable, CaseIterable {
    case greeting, hello, startTLS, handshake, authentication, reset, mail, recipients, data, content, end, idle, quit,
        closed

    /// Seconds to wait for the server here (RFC 5321 §4.5.3.2).
    package var patience: Int {
        switch self {
        case .greeting, .hello, .startTLS, .authentication, .reset, .mail, .recipients: 300
        case .data: 120
        case .handshake, .content: 180
        case .end: 600
        case .idle, .quit, .closed: 30
        }
    }
}

/// How one recipient fared.
package struct RecipientResult: Sendable, Hashable {
    package let recipient: EmailAddress
    package let outcome: DeliveryOutcome
    /// Where it was decided; a refusal before `mail` speaks of the host, not of the recipient.
    package let stage: ClientStage
    /// The server's reply, byte for byte; empty if we decided, or the connection did.
    package let reply: [UInt8]
    /// What of the message's wishes this server did not know; empty before it has said what it offers.
    package let missing: MissingExtensions
}

/// How the pump is to send the content that `.sendContent` asks for.
package enum ContentForm: Sendable, Hashable {
    /// Through a `DotStuffer`, its `finish()` included.
    case stuffed
    /// As it is, exactly so many octets: they were announced (RFC 3030 §2).
    case octets(Int)
}

/// What the pump is to do, in order.
package enum ClientAction: Sendable, Equatable {
    case send([UInt8])
    /// Start the handshake; then `tlsStarted()` or `tlsFailed(_:)`.
    case startTLS
    /// Stream the content in the session's `contentForm`; then `contentSent()`.
    case sendContent
    /// The message's outcome, a result for each recipient in order. Then `deliver(_:)` if `canDeliver`, or `quit()`.
    case finished([RecipientResult])
    /// Always the last action.
    case close
}
