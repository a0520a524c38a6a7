// Passwords that were right a moment ago, so that a client which logs in every minute does not cost a derivation each time.
// It holds keyed hashes only, under a key that dies with the process, and belongs to one content of the credentials.

import Crypto
import Synchronization

/// A bounded set of recent successes; shared by the threads of a program.
package final class LoginCache: Sendable {
    private struct State {
        var digest: [UInt8] = []
        var proofs: Set<[UInt8]> = []
    }

    private let key = SymmetricKey(size: .bits256)
    private let limit: Int
    private let state = Mutex(State())

    package init(limit: Int = 4096) { self.limit = limit }

    /// What stands for (name, password); useless without the key.
    func proof(name: [UInt8], password: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Array("\(name.count) ".utf8) + name + password, using: key))
    }

    func contains(_ proof: [UInt8], under digest: [UInt8]) -> Bool {
        state.withLock { $0.digest == digest && $0.proofs.contains(proof) }
    }

    /// Another digest means other credentials: everything before is forgotten.
    func insert(_ proof: [UInt8], under digest: [UInt8]) {
        state.withLock {
            if $0.digest != digest { $0 = State(digest: digest) }
            if $0.proofs.count >= limit, let any = $0.proofs.first { $0.proofs.remove(any) }
            $0.proofs.insert(proof)
        }
    }
}
