// What a client may do, for itself and with its whole network.

/// What is counted.
package enum RateSubject: String, Hashable, Sendable, CaseIterable {
    case connections, messages, recipients
    /// Recipients that do not exist: who asks for many of them is collecting addresses.
    case unknownRecipients = "unknown-recipients"
}

/// Whose count it is.
package enum RateScope: String, Hashable, Sendable, CaseIterable {
    /// One IPv4 address, or one IPv6 /64, which is one customer's.
    case address
    /// An IPv4 /24, or an IPv6 /48.
    case network

    func key(_ client: IPAddress) -> IPNetwork {
        let client = client.unmapped
        switch (self, client.family) {
        case (.address, .four): return IPNetwork(client, length: 32)
        case (.address, .six): return IPNetwork(client, length: 64)
        case (.network, .four): return IPNetwork(client, length: 24)
        case (.network, .six): return IPNetwork(client, length: 48)
        }
    }
}

/// The limits of one scope; nil is none.
package struct RateLimits: Hashable, Sendable {
    package var connections: Rate?
    package var messages: Rate?
    package var recipients: Rate?
    package var unknownRecipients: Rate?
    /// Connections at the same time.
    package var concurrent: Int?

    package init(
        connections: Rate? = nil, messages: Rate? = nil, recipients: Rate? = nil, unknownRecipients: Rate? = nil, concurrent: Int? = nil
    ) {
        self.connections = connections
        self.messages = messages
        self.recipients = recipients
        self.unknownRecipients = unknownRecipients
        self.concurrent = concurrent
    }

    func rate(_ subject: RateSubject) -> Rate? {
        switch subject {
        case .connections: connections
        case .messages: messages
        case .recipients: recipients
        case .unknownRecipients: unknownRecipients
        }
    }
}

package enum RateVerdict: Hashable, Sendable {
    case allowed
    /// Too often: again after so many seconds, at least 1.
    case limited(RateSubject, RateScope, seconds: Int)
    /// Too many connections at the same time.
    case crowded(RateScope)
    /// The table is full of open connections.
    case full
}
