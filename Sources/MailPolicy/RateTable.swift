// Rates and open connections of all clients, in bounded memory; time is an argument.

/// The limits of port 25 applied. Nanoseconds of a clock that does not jump are `now` everywhere.
package struct RateTable: Sendable {
    private struct Counts: Sendable {
        var open = 0
        private var connections = TokenBucket(), messages = TokenBucket(), recipients = TokenBucket(), unknownRecipients = TokenBucket()

        subscript(_ subject: RateSubject) -> TokenBucket {
            get {
                switch subject {
                case .connections: connections
                case .messages: messages
                case .recipients: recipients
                case .unknownRecipients: unknownRecipients
                }
            }
            set {
                switch subject {
                case .connections: connections = newValue
                case .messages: messages = newValue
                case .recipients: recipients = newValue
                case .unknownRecipients: unknownRecipients = newValue
                }
            }
        }
    }

    /// Others hold from the next question on.
    package var address: RateLimits
    package var network: RateLimits
    private var table: RecencyTable<IPNetwork, Counts>

    /// `capacity`: keys at most; a connection holds two. An address and its network are a key each.
    package init(address: RateLimits, network: RateLimits, capacity: Int = 65536) {
        self.address = address
        self.network = network
        table = RecencyTable(capacity: capacity)
    }

    package var count: Int { table.count }

    private func limits(_ scope: RateScope) -> RateLimits { scope == .address ? address : network }

    /// Before anything is said to the client. Only an allowed connection counts as open, and must be closed.
    package mutating func connectionOpened(from client: IPAddress, at now: Int64, allowance: Int = 100) -> RateVerdict {
        for scope in RateScope.allCases {
            guard let limit = limits(scope).concurrent, let counts = table[scope.key(client)] else { continue }
            if counts.open >= max(limit, 1) { return .crowded(scope) }
        }
        let verdict = spend(1, .connections, from: client, at: now, allowance: allowance)
        guard verdict == .allowed else { return verdict }
        let keys = RateScope.allCases.map { $0.key(client) }
        guard table.hasRoom(for: keys) else { return .full }
        for key in keys { change(key) { $0.open += 1 } }
        return .allowed
    }

    package mutating func connectionClosed(from client: IPAddress) {
        for scope in RateScope.allCases where table[scope.key(client)] != nil {
            change(scope.key(client)) { $0.open = max($0.open - 1, 0) }
        }
    }

    /// Takes `count` from both scopes if both have as many, and nothing otherwise. `allowance`: per cent of the limits that hold for this client.
    package mutating func spend(
        _ count: Int, _ subject: RateSubject, from client: IPAddress, at now: Int64, allowance: Int = 100
    ) -> RateVerdict {
        let verdict = wait(count, subject, from: client, at: now, allowance: allowance)
        guard verdict == .allowed else { return verdict }
        for scope in RateScope.allCases {
            guard let rate = limits(scope).rate(subject)?.scaled(allowance) else { continue }
            change(scope.key(client)) { $0[subject].take(count, of: rate, at: now) }
        }
        return .allowed
    }

    /// What `spend` would answer, without taking anything.
    package func wait(_ count: Int, _ subject: RateSubject, from client: IPAddress, at now: Int64, allowance: Int = 100) -> RateVerdict {
        for scope in RateScope.allCases {
            guard let rate = limits(scope).rate(subject)?.scaled(allowance) else { continue }
            let bucket = table[scope.key(client)]?[subject] ?? TokenBucket()
            if let seconds = bucket.wait(count, of: rate, at: now) { return .limited(subject, scope, seconds: seconds) }
        }
        return .allowed
    }

    /// Connections open from an address, by this scope.
    package func open(_ scope: RateScope, from client: IPAddress) -> Int { table[scope.key(client)]?.open ?? 0 }

    private mutating func change(_ key: IPNetwork, _ change: (inout Counts) -> Void) {
        table.update(key, or: Counts(), isPinned: { $0.open > 0 }, change)
    }
}
