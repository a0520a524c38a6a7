// Who waits for which policy: a domain's is fetched once at a time, however much mail there is for it.

import MailModel

/// No I/O: says when a fetch is to begin, and who is to hear of its end.
struct PolicyFetches<Waiter> {
    private var waiters: [Domain: [Waiter]] = [:]

    var count: Int { waiters.count }

    /// True: the caller begins the fetch, and calls `end` once. Nil waits for nothing: an old policy is renewed.
    ///
    /// As many wait as there are jobs under way.
    mutating func join(_ domain: Domain, _ waiter: Waiter?) -> Bool {
        let isFirst = waiters[domain] == nil
        if let waiter { waiters[domain, default: []].append(waiter) } else if isFirst { waiters[domain] = [] }
        return isFirst
    }

    /// Each of them once, in the order in which they came.
    mutating func end(_ domain: Domain) -> [Waiter] { waiters.removeValue(forKey: domain) ?? [] }
}
