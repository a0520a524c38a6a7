// What the SMTP dialogue said about a message, as opposed to what the message says about itself.

/// The envelope that a program took responsibility for (RFC 5321 §2.3.1).
package struct Envelope: Hashable, Sendable {
    package var sender: ReversePath
    package var recipients: [EmailAddress]
    package var body: BodyType
    /// What was asked for the message as a whole.
    package var options: MessageOptions
    /// What was asked for single recipients; those of whom nothing was said are absent.
    package private(set) var recipientOptions: [EmailAddress: RecipientOptions]

    package init(
        sender: ReversePath, recipients: [EmailAddress], body: BodyType = .sevenBit, options: MessageOptions = MessageOptions(),
        recipientOptions: [EmailAddress: RecipientOptions] = [:]
    ) {
        self.sender = sender
        self.recipients = recipients
        self.body = body
        self.options = options
        self.recipientOptions = recipientOptions.filter { $0.value != RecipientOptions() }
    }

    package func options(for recipient: EmailAddress) -> RecipientOptions { recipientOptions[recipient] ?? RecipientOptions() }
}
