// Who has been guessing passwords, and what that costs: pure, bounded, time is an argument.
//
// Failures are counted by client address, by account, and by both. Whoever failed too often is not looked at any more for a while,
// and is told what every failure is told. The owner of an account is never locked out by a stranger: neither from an address without
// failures of its own, nor from one that proved the account before.

/// How many failures an hour make a guesser.
package struct GuessLimits: Hashable, Sendable {
    package var perAddress: Int
    package var perAccount: Int

    package init(perAddress: Int, perAccount: Int) {
        self.perAddress = perAddress
        self.perAccount = perAccount
    }
}

/// The failures of the last hour.
package struct GuessTable: Sendable {
    private struct Pair: Hashable, Sendable {
        let address: [UInt8]
        let account: [UInt8]
    }

    package let limits: GuessLimits
    private var addresses: RecentCounts<[UInt8]>
    private var accounts: RecentCounts<[UInt8]>
    /// Addresses that proved an account, and their failures for it since.
    private var proven: RecentCounts<Pair>

    /// `capacity`: keys of each kind at most.
    package init(_ limits: GuessLimits, capacity: Int = 16_384) {
        self.limits = limits
        addresses = RecentCounts(most: limits.perAddress, capacity: capacity)
        accounts = RecentCounts(most: limits.perAccount, capacity: capacity)
        proven = RecentCounts(most: limits.perAddress, capacity: capacity)
    }

    /// Keys held at the moment.
    package var count: Int { addresses.count + accounts.count + proven.count }

    /// A wrong password, or a name that nobody has: the same. `account`: what stands for the name; nil if none was said.
    package mutating func failed(from address: [UInt8], as account: [UInt8]?, at now: Int64) {
        addresses.add(address, at: now)
        guard let account else { return }
        accounts.add(account, at: now)
        let pair = Pair(address: address, account: account)
        if proven.holds(pair) { proven.add(pair, at: now) }
    }

    package mutating func succeeded(from address: [UInt8], as account: [UInt8], at now: Int64) {
        proven.hold(Pair(address: address, account: account), at: now)
    }

    /// Whether an attempt is to fail without being looked at.
    package func isBlocked(from address: [UInt8], as account: [UInt8], at now: Int64) -> Bool {
        let pair = Pair(address: address, account: account)
        if proven.holds(pair) { return proven.count(pair, at: now) >= limits.perAddress }
        if addresses.count(address, at: now) >= limits.perAddress { return true }
        return accounts.count(account, at: now) >= limits.perAccount && addresses.isRecent(address, at: now)
    }

    /// By how much the answer to a failure takes longer than usual: 1, and twice as much with each quarter of a limit, to 16.
    package func patience(with address: [UInt8], as account: [UInt8]?, at now: Int64) -> Int {
        let ofAddress = addresses.count(address, at: now) * 4 / limits.perAddress
        guard let account, !proven.holds(Pair(address: address, account: account)) else { return 1 << min(max(ofAddress, 0), 4) }
        return 1 << min(max(ofAddress, accounts.count(account, at: now) * 4 / limits.perAccount), 4)
    }
}

/// Whom a count takes for one: an IPv4 host, or the /64 of an IPv6 host, which one subscriber owns whole.
package func guesserKey(_ address: [UInt8]) -> [UInt8] {
    guard address.contains(UInt8(ascii: ":")) else { return address }
    let colon = UInt8(ascii: ":")
    var groups: [ArraySlice<UInt8>] = []
    let parts = address.split(separator: colon, omittingEmptySubsequences: false)
    for (index, part) in parts.enumerated() where groups.count < 4 {
        // `::` stands for as many zeros as are missing; where it is the first or the last thing, it leaves two empty parts.
        guard part.isEmpty else { groups.append(part); continue }
        if index == 0 || index == parts.count - 1 { continue }
        let missing = 8 - parts.count(where: { !$0.isEmpty })
        for _ in 0..<max(missing, 0) where groups.count < 4 { groups.append([UInt8(ascii: "0")]) }
    }
    return Array(groups.joined(separator: [colon])) + Array("::/64".utf8)
}
