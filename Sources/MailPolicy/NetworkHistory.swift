// What came from each network in the last 30 days, in bounded memory: who was good may do more, who was bad less.

/// What became of a recipient that a client named.
package enum RecipientFate: String, Hashable, Sendable, CaseIterable { case accepted, refused, unknown }

/// Recipients that the clients of one network named.
package struct NetworkCounts: Hashable, Sendable {
    package var accepted = 0
    /// For good, by a rule of the policy.
    package var refused = 0
    /// Addresses of ours that nobody has.
    package var unknown = 0

    package init(accepted: Int = 0, refused: Int = 0, unknown: Int = 0) {
        self.accepted = accepted
        self.refused = refused
        self.unknown = unknown
    }

    /// Per cent of the configured rates that hold for this network.
    ///
    /// A quarter after 50 bad recipients that are more than four times the good ones; fourfold after 100 good ones of
    /// which at most a tenth as many were bad.
    package var allowance: Int {
        let bad = refused + unknown
        if bad >= 50, bad / 4 > accepted { return 25 }
        return accepted >= 100 && bad <= accepted / 10 ? 400 : 100
    }

    mutating func add(_ count: Int, _ fate: RecipientFate) {
        switch fate {
        case .accepted: accepted = min(accepted + count, 1 << 40)
        case .refused: refused = min(refused + count, 1 << 40)
        case .unknown: unknown = min(unknown + count, 1 << 40)
        }
    }
}

/// The counts of all networks, by day.
package struct NetworkHistory: Sendable {
    private struct Day: Sendable {
        /// Since 1970.
        let number: Int
        var counts: NetworkCounts
    }

    package static let days = 30
    private var table: RecencyTable<IPNetwork, [Day]>

    /// `capacity`: networks at most; the one that was heard of longest ago makes room.
    package init(capacity: Int = 16384) { table = RecencyTable(capacity: capacity) }

    /// Facts may come in any order of time. `time`: seconds since 1970.
    package mutating func count(_ count: Int, _ fate: RecipientFate, from client: IPAddress, at time: Int) {
        let day = time / 86400
        table.update(RateScope.network.key(client), or: [], isPinned: { _ in false }) { days in
            let newest = max(days.map(\.number).max() ?? day, day)
            guard newest - day < NetworkHistory.days else { return }
            days.removeAll { newest - $0.number >= NetworkHistory.days }
            let index = days.firstIndex { $0.number == day } ?? days.endIndex
            if index == days.endIndex { days.append(Day(number: day, counts: NetworkCounts())) }
            days[index].counts.add(max(count, 0), fate)
        }
    }

    /// The sums of the 30 days that end at `time`.
    package func counts(of client: IPAddress, at time: Int) -> NetworkCounts {
        let today = time / 86400
        var sum = NetworkCounts()
        for day in table[RateScope.network.key(client)] ?? [] where abs(today - day.number) < NetworkHistory.days {
            sum.add(day.counts.accepted, .accepted)
            sum.add(day.counts.refused, .refused)
            sum.add(day.counts.unknown, .unknown)
        }
        return sum
    }

    /// The network that an address is counted with.
    package static func network(of client: IPAddress) -> IPNetwork { RateScope.network.key(client) }
}
