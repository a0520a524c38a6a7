// What a milter session is told once, at its start. Nothing in it changes while the session lives.

/// The settings of one milter.
package struct MilterConfiguration: Sendable {
    /// What becomes of mail when the milter cannot be asked, or breaks the protocol.
    package enum FailurePolicy: Sendable, Hashable {
        /// The client is told to come again.
        case temporaryFailure
        /// As if there were no such milter.
        case pass
    }

    package var failurePolicy: FailurePolicy
    /// What the milter may demand; one that demands more (rspamd always asks for quarantine) is refused altogether.
    package var offer: MilterOptions
    package var limits: Limits
    package var patience: Patience

    package init(
        failurePolicy: FailurePolicy = .temporaryFailure, offer: MilterOptions = MilterOptions(), limits: Limits = Limits(),
        patience: Patience = Patience()
    ) {
        self.failurePolicy = failurePolicy
        self.offer = offer
        self.limits = limits
        self.patience = patience
    }

    /// The bounds of what a milter can make us hold.
    package struct Limits: Sendable, Hashable {
        /// Octets of one packet; libmilter sends bodies in pieces of 65535.
        package var packet = 1 << 20
        /// Modifications of one message, pieces of a body apart.
        package var modifications = 1000
        /// Octets of all of them.
        package var modificationOctets = 1 << 20
        package var bodyOctets = 50 << 20
        package init() {}
    }

    /// How long a milter may take.
    package struct Patience: Sendable, Hashable {
        package var opening = Duration.seconds(30)
        /// For a reply to a command.
        package var command = Duration.seconds(30)
        /// For the verdict on a message.
        package var message = Duration.seconds(120)
        /// For all that one question takes, however often the milter says that it is at work.
        package var total = Duration.seconds(300)
        package init() {}
    }
}
