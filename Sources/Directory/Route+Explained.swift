// Routing in words, for `mailctl explain`: printed from the value that queued acts on, so it cannot say otherwise.

package import MailModel

extension RouteResult {
    /// One line a result, each ending with its path: `account alice@example.org  via team@example.org (alias)`.
    package var explanation: [String] {
        switch self {
        case .held(let refusal): ["held \(refusal.explanation)"]
        case .routed(let route): route.explanation
        }
    }
}

extension Route {
    package var explanation: [String] { explanation { _ in nil } }

    /// `way`: how a copy leaves for an address, where more is known than its domain's route.
    package func explanation(way: (EmailAddress) -> String?) -> [String] {
        accounts.map { "account \($0.account.address) folder \($0.account.folder)\($0.path.explanation)" }
            + remotes.map { "remote \($0.address) by \(way($0.address) ?? $0.nextHop?.description ?? "MX")\($0.path.explanation)" }
            + refusals.map { "refused \($0.explanation)" }
            + cycles.map { "loop \($0.last?.address.description ?? "")\($0.explanation)" }
    }
}

extension RouteRefusal {
    package var explanation: String { "\(address) \(status) \(reason.rawValue)\(path.explanation)" }
}

extension [RouteStep] {
    /// `: team@example.org → alice+x@example.org (alias) → alice@example.org (subaddress)`; empty for a path of one.
    package var explanation: String {
        guard count > 1 else { return "" }
        let steps = map { $0.reason == .recipient ? "\($0.address)" : "\($0.address) (\($0.reason.rawValue))" }
        return ": " + steps.joined(separator: " → ")
    }
}
