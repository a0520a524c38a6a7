// One connection's place in the limits; it can turn out to be another client's.

/// Given back once. For its connection's loop alone.
final class Seat {
    private let admission: Admission
    private var peer: PeerKey?
    private var isTaken = true

    /// `peer` was admitted just now.
    init(_ admission: Admission, _ peer: PeerKey?) {
        self.admission = admission
        self.peer = peer
    }

    /// Counts for `other` from now on; false if that one has too many: then it counts as before.
    func change(to other: PeerKey?) -> Bool {
        guard isTaken, other != peer else { return true }
        guard admission.change(peer, to: other) else { return false }
        peer = other
        return true
    }

    func leave() {
        guard isTaken else { return }
        isTaken = false
        admission.leave(peer)
    }
}

extension Wire {
    /// The connection is another client's than its address says: limits count it there. False if that client has too many.
    package func counts(for client: SocketName) -> Bool { seat?.change(to: PeerKey(client.socketAddress)) ?? true }
}
