// Sessions on sockets that another process accepted: the counterpart of `Acceptor` in the session process.

internal import CLinux
internal import NIOCore

/// Serves connections that the front hands over, with one driver each.
package final class SessionHost<Driver: SessionDriver>: Sendable {
    private let loops: LoopGroup
    private let population: Population

    /// `most`: sessions at a time; `mostPerPeer`: of one IPv4 host or IPv6 /64.
    package init(loops: LoopGroup, most: Int, mostPerPeer: Int? = nil) {
        self.loops = loops
        population = Population(loops, limits: ConnectionLimits(total: most, perPeer: mostPerPeer ?? most))
    }

    /// Holds for sessions that come from now on.
    package func limit(to limits: ConnectionLimits) { population.admission.limit(to: limits) }

    /// The number of sessions now.
    package var sessionCount: Int { population.admission.current }

    /// Serves a connection that was handed over; its socket becomes the host's. `makeDriver` is called on its loop.
    ///
    /// Over a limit it is closed without a word.
    package func adopt<Account>(
        _ guest: HandedOver<Account>, makeDriver: @escaping @Sendable (HandedOver<Account>) -> Driver
    ) {
        guard let home = loops.homes.randomElement() else { return martlet_close(guest.raw) }
        let peer = PeerKey(guest.arrival.peer.socketAddress)
        switch population.admission.admit(peer) {
        case .admitted: home.loop.execute { self.begin(guest, makeDriver(guest), home, peer) }
        case .refused:
            population.admission.refusalEnded()
            martlet_close(guest.raw)
        case .silentlyRefused: martlet_close(guest.raw)
        }
    }

    private func begin<Account>(_ guest: HandedOver<Account>, _ driver: Driver, _ home: LoopHome, _ peer: PeerKey?) {
        let admission = population.admission
        let pump = SessionPump(
            driver: driver, arrival: guest.arrival, home: home, serverTLS: nil, ledger: population.ledger(of: home)
        ) { admission.leave(peer) }
        pump.held.writeBytes(guest.bytes)
        pump.join(guest.raw)
    }

    /// Asks every session to end, and cuts what is left when the time is over. `whenEmpty` is called once, on some thread.
    package func drain(within limit: Duration, whenEmpty: @escaping @Sendable (DrainReport) -> Void) {
        population.drain(within: limit, whenEmpty: whenEmpty)
    }
}
