// The state of one alias expansion: breadth first, each address once, so it ends for every alias graph.

import MailModel

struct Expansion {
    /// Why an expansion ends before its time.
    enum Stop: Error {
        case unavailable(DirectoryUnavailable)
        case held(RouteRefusal)
    }

    private let recipient: EmailAddress
    private let limits: Router.Limits
    private var waiting: [AliasPath]
    private var position = 0
    /// What was put into `waiting`, or expanded as the address without a tag.
    private var seen: Set<EmailAddress>
    /// The final addresses of accounts and remotes.
    private var settled: Set<EmailAddress> = []
    private var route = Route()

    init(_ recipient: EmailAddress, _ limits: Router.Limits) {
        self.recipient = recipient
        self.limits = limits
        waiting = [[RouteStep(recipient, .recipient)]]
        seen = [recipient]
    }

    static func ask<R>(_ question: () throws(DirectoryUnavailable) -> R) throws(Stop) -> R {
        do throws(DirectoryUnavailable) { return try question() } catch { throw .unavailable(error) }
    }

    mutating func next() -> AliasPath? {
        guard position < waiting.count else { return nil }
        defer { position += 1 }
        return waiting[position]
    }

    /// Everything was followed. A route that names nobody at all is a loop, and held.
    var result: RouteResult {
        guard route.isEmpty else { return .routed(route) }
        let path = route.cycles.first ?? [RouteStep(recipient, .recipient)]
        return .held(RouteRefusal(address: recipient, reason: .aliasLoop, path: path))
    }

    /// Whether the last address of `path` stands in it already.
    static func leadsBack(_ path: AliasPath) -> Bool {
        path.dropLast().contains { $0.address == path.last?.address }
    }

    /// Goes on with what stands under the last address of `path`.
    ///
    /// An alias that comes back to an address means the account there: a forward that keeps a copy.
    mutating func take(_ entry: AddressEntry, at path: AliasPath) throws(Stop) {
        guard let last = path.last else { return }
        let isBack = Expansion.leadsBack(path)
        if let account = entry.account, isBack || entry.targets.isEmpty { return try deliver(account, path) }
        if isBack { return try cycle(path) }
        // An alias reached by two tags was expanded by the first.
        if last.reason == .subaddress, !seen.insert(last.address).inserted { return }
        for target in entry.targets { try visit(RouteStep(target, .alias), after: path) }
    }

    /// Puts an address into the queue, once; one that stands in its own path always, so that `take` sees it.
    mutating func visit(_ step: RouteStep, after path: AliasPath) throws(Stop) {
        let longer = path + [step]
        guard seen.insert(step.address).inserted || Expansion.leadsBack(longer) else { return }
        let depth = longer.count { $0.reason != .recipient && $0.reason != .subaddress }
        if depth > limits.depth { throw held(step.address, .aliasTooDeep, longer) }
        if waiting.count >= limits.results * 4 { throw held(recipient, .tooManyResults, longer) }
        waiting.append(longer)
    }

    mutating func cycle(_ path: AliasPath) throws(Stop) {
        if path.last?.reason == .role { throw held(recipient, .noPostmaster, path) }
        route.cycles.append(path)
    }

    mutating func remote(_ address: EmailAddress, _ nextHop: NextHop?, _ path: AliasPath) throws(Stop) {
        guard try settles(address, path) else { return }
        route.remotes.append(RemoteRoute(address: address, nextHop: nextHop, path: path))
    }

    mutating func refuse(_ address: EmailAddress, _ reason: RouteRefusal.Reason, _ path: AliasPath) throws(Stop) {
        // RFC 5321 §4.5.1: the postmaster is never refused for good.
        if path.contains(where: { $0.reason == .role }) { throw held(address, .noPostmaster, path) }
        guard try settles(address, path) else { return }
        route.refusals.append(RouteRefusal(address: address, reason: reason, path: path))
    }

    private mutating func deliver(_ account: AccountEntry, _ path: AliasPath) throws(Stop) {
        guard account.isEnabled else { return try refuse(account.address, .accountDisabled, path) }
        guard try settles(account.address, path) else { return }
        route.accounts.append(AccountRoute(account: account, path: path))
    }

    /// Whether the final address is new; too many of them hold the message whole, so none goes out in part.
    private mutating func settles(_ address: EmailAddress, _ path: AliasPath) throws(Stop) -> Bool {
        guard settled.insert(address).inserted else { return false }
        if settled.count > limits.results { throw held(recipient, .tooManyResults, path) }
        return true
    }

    private func held(_ address: EmailAddress, _ reason: RouteRefusal.Reason, _ path: AliasPath) -> Stop {
        .held(RouteRefusal(address: address, reason: reason, path: path))
    }
}
