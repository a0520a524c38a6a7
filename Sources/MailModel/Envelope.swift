// What the SMTP dialogue said about a message, as opposed to what the message says about itself.

/// The body that the client declared (RFC 6152 §2).
package enum BodyType: Hashable, Sendable { case sevenBit, eightBitMIME }

/// The envelope that a program took responsibility for (RFC 5321 §2.3.1).
package struct Envelope: Hashable, Sendable {
    package var sender: ReversePath
    package var recipients: [EmailAddress]
    package var body: BodyType

    package init(sender: ReversePath, recipients: [EmailAddress], body: BodyType = .sevenBit) {
        self.sender = sender
        self.recipients = recipients
        self.body = body
    }
}
