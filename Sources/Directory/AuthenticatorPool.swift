// Authenticators for worker threads: each is used by one thread at a time and kept for the next.


import Synchronization

/// A free list of authenticators with one login cache.
package final class AuthenticatorPool: Sendable {
    /// Sendable: an authenticator is in the list or in the hands of exactly one caller of `with`, never in both.
    private struct Idle: @unchecked Sendable { let authenticator: Authenticator }

    private let idle = Mutex<[Idle]>([])
    private let make: @Sendable () -> Idle

    package init(make: @escaping @Sendable () -> Authenticator) {
        self.make = { Idle(authenticator: make()) }
    }

    /// Lends an authenticator for the length of `body`.
    package func with<R>(_ body: (Authenticator) -> R) -> R {
        let one = idle.withLock { $0.popLast() } ?? make()
        defer { idle.withLock { $0.append(one) } }
        return body(one.authenticator)
    }
}
