// What a client may ask of the mail system beside bringing a message to its recipients.
// One value from MAIL and RCPT to the log, and from the log to the next host; what is absent was not asked.

/// What MAIL asked for the message as a whole.
package struct MessageOptions: Hashable, Sendable {
    /// Addresses and header may be UTF-8 (RFC 6531 §3.4).
    package var isUTF8 = false
    /// How much of it a notice about its failure repeats (RFC 3461 §4.3).
    package var returnContent: ReturnContent?
    /// What the sender calls it, for notices about it (RFC 3461 §4.4).
    package var envelopeID: EnvelopeID?
    /// It travels only over TLS to hosts whose certificate was verified, or not at all (RFC 8689 §2).
    package var requiresTLS = false
    /// Nothing is done with it before (RFC 4865 §4).
    package var hold: HoldRelease?
    /// When it is of use no more, and what then (RFC 2852 §4).
    package var deliverBy: DeliverBy?
    /// What is more urgent goes first (RFC 6710 §3).
    package var priority: Priority?

    package init() {}
}

/// What RCPT asked for one recipient.
package struct RecipientOptions: Hashable, Sendable {
    /// What the sender wants to hear; nil leaves it to us: failures, and delays (RFC 3461 §4.1).
    package var notify: NotifyOptions?
    /// To whom the sender wrote, before any forwarding (RFC 3461 §4.2).
    package var originalRecipient: OriginalRecipient?

    package init(notify: NotifyOptions? = nil, originalRecipient: OriginalRecipient? = nil) {
        self.notify = notify
        self.originalRecipient = originalRecipient
    }
}
