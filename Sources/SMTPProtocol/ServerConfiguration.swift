// What a server session is told once, at its start. Nothing in it changes while the session lives.

package import MailModel

/// The settings of a server session.
package struct ServerConfiguration: Sendable {
    package enum Service: Sendable, Hashable {
        /// Port 25: mail from anybody to our own people.
        case relay
        /// Ports 465 and 587: mail from our own people to anybody (RFC 6409).
        case submission
    }

    package var service: Service
    /// The name in the greeting and in EHLO's answer.
    package var hostName: Domain
    package var limits: Limits
    /// STARTTLS is offered while TLS is not active.
    package var offersTLS: Bool
    /// SASL mechanism names, best first; offered by `.submission` alone.
    package var mechanisms: [[UInt8]]
    /// Only for tests and trusted networks: AUTH without TLS (RFC 4954 §4).
    package var allowsPlaintextAuthentication: Bool
    /// What is offered beyond PIPELINING, SIZE, 8BITMIME and ENHANCEDSTATUSCODES.
    package var extensions: ServerExtensions

    package init(
        service: Service, hostName: Domain, limits: Limits = Limits(), offersTLS: Bool = false,
        mechanisms: [[UInt8]] = [], allowsPlaintextAuthentication: Bool = false, extensions: ServerExtensions = ServerExtensions()
    ) {
        self.service = service
        self.hostName = hostName
        self.limits = limits
        self.offersTLS = offersTLS
        self.mechanisms = mechanisms
        self.allowsPlaintextAuthentication = allowsPlaintextAuthentication
        self.extensions = extensions
    }

    /// The bounds of what one client may make us do; RFC 5321 §4.5.3.1 sets the minima.
    package struct Limits: Sendable, Hashable {
        /// Octets of a command line with its CRLF: 512 and what the extensions add.
        package var commandLine = 2048
        /// Octets of an AUTH line or response (RFC 4954 §4).
        package var authenticationLine = 12288
        package var recipients = 1000
        /// Octets of all recipients of a message and of what was asked for them: escaped, they still fit one record of the spool.
        package var recipientOctets = 256 << 10
        /// Transactions in a session (RFC 9422 §6.1); nil for as many as the client likes.
        package var transactions: Int?
        /// Different domains of recipients in a session (RFC 9422 §6.3); nil for as many as the client likes.
        package var recipientDomains: Int?
        /// Octets of a message, also announced by SIZE.
        package var messageSize = 50 << 20
        /// `Received:` fields above which a message is in a loop (RFC 5321 §6.3).
        package var hops = 50
        /// Refused commands before the connection is closed.
        package var errors = 20
        package var authenticationFailures = 3
        /// Commands since the last accepted message, RCPT apart.
        package var commandsWithoutMail = 100
        /// Content above this goes out in `.content` chunks, to be written to a file of its own.
        package var inlineContent = 128 << 10
        /// Bytes held while a question is open; a pump that heeds `wantsInput` never comes near.
        package var input = 1 << 20

        package init() {}
    }
}
