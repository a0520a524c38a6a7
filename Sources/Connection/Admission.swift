// How many connections there are, in all and from each peer. Every admission is given back exactly once.

internal import NIOCore
import Synchronization

/// The most connections that a service takes at a time.
package struct ConnectionLimits: Hashable, Sendable {
    /// In all.
    package var total: Int
    /// From one IPv4 host or one IPv6 /64.
    package var perPeer: Int

    package init(total: Int = 4000, perPeer: Int = 50) {
        self.total = total
        self.perPeer = perPeer
    }
}

/// Why a connection was refused.
package enum AdmissionRefusal: Hashable, Sendable { case tooMany, tooManyFromPeer, draining }

/// Counts connections; shared by all loops of a service.
final class Admission: Sendable {
    private struct Counts {
        var limits: ConnectionLimits
        var admitted = 0
        var refused = 0
        var peers: [PeerKey: Int] = [:]
        var draining = false
        var whenEmpty: (@Sendable () -> Void)?
    }

    enum Verdict { case admitted, refused(AdmissionRefusal), silentlyRefused }

    private let counts: Mutex<Counts>

    init(_ limits: ConnectionLimits) { counts = Mutex(Counts(limits: limits)) }

    /// Holds for whoever comes from now on.
    func limit(to limits: ConnectionLimits) { counts.withLock { $0.limits = limits } }

    var current: Int { counts.withLock { $0.admitted } }

    /// Refused peers are told why while they are few; a flood of them is closed without a word.
    func admit(_ peer: PeerKey?) -> Verdict {
        counts.withLock { counts in
            let refusal: AdmissionRefusal? =
                counts.draining ? .draining
                : counts.admitted >= counts.limits.total ? .tooMany
                : peer.map { counts.peers[$0, default: 0] >= counts.limits.perPeer } == true ? .tooManyFromPeer : nil
            guard let refusal else {
                counts.admitted += 1
                if let peer { counts.peers[peer, default: 0] += 1 }
                return .admitted
            }
            guard counts.refused < Admission.mostRefusals else { return .silentlyRefused }
            counts.refused += 1
            return .refused(refusal)
        }
    }

    /// Counts one connection for another client; false, and nothing changes, if that one has as many as it may.
    func change(_ peer: PeerKey?, to other: PeerKey?) -> Bool {
        counts.withLock { counts in
            if let other, counts.peers[other, default: 0] >= counts.limits.perPeer { return false }
            Admission.takeOff(peer, &counts)
            if let other { counts.peers[other, default: 0] += 1 }
            return true
        }
    }

    private static func takeOff(_ peer: PeerKey?, _ counts: inout Counts) {
        if let peer, let count = counts.peers[peer] { counts.peers[peer] = count > 1 ? count - 1 : nil }
    }

    private static let mostRefusals = 200

    func leave(_ peer: PeerKey?) {
        let empty: (@Sendable () -> Void)? = counts.withLock { counts in
            counts.admitted -= 1
            Admission.takeOff(peer, &counts)
            return counts.admitted == 0 ? Admission.takeCallback(&counts) : nil
        }
        empty?()
    }

    func refusalEnded() { counts.withLock { $0.refused -= 1 } }

    /// From here on nobody is admitted; `whenEmpty` runs once, when the last connection has left.
    func drain(whenEmpty: @escaping @Sendable () -> Void) {
        let empty: (@Sendable () -> Void)? = counts.withLock { counts in
            counts.draining = true
            counts.whenEmpty = whenEmpty
            return counts.admitted == 0 ? Admission.takeCallback(&counts) : nil
        }
        empty?()
    }

    private static func takeCallback(_ counts: inout Counts) -> (@Sendable () -> Void)? {
        defer { counts.whenEmpty = nil }
        return counts.whenEmpty
    }
}
