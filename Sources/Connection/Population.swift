// The connections of one acceptor or dialer: how many there are, and how they are brought to an end together.

internal import NIOCore
import Synchronization

/// A connection as the drain sees it.
protocol Drainable: AnyObject {
    func shutdownRequested()
    func cut(_ ending: Ending)
}

/// The live connections of one loop; touched on that loop only.
typealias Ledger = NIOLoopBoundBox<[ObjectIdentifier: any Drainable]>

/// What was left when the drain's time was over.
package struct DrainReport: Hashable, Sendable {
    /// Sessions that were cut; the others ended by their protocol.
    package let cut: Int
}

final class Population: Sendable {
    let admission: Admission
    private let ledgers: [(home: LoopHome, ledger: Ledger)]

    init(_ loops: LoopGroup, limits: ConnectionLimits) {
        admission = Admission(limits)
        ledgers = loops.homes.map { ($0, .makeBoxSendingValue([:], eventLoop: $0.loop)) }
    }

    func ledger(of home: LoopHome) -> Ledger? { ledgers.first { $0.home === home }?.ledger }

    /// Asks all to end, cuts who is left when the time is over, and says once when nobody is.
    func drain(within limit: Duration, whenEmpty: @escaping @Sendable (DrainReport) -> Void) {
        let cut = Cut()
        admission.drain { whenEmpty(DrainReport(cut: cut.value)) }
        for (home, ledger) in ledgers {
            home.loop.execute {
                for session in ledger.value.values { session.shutdownRequested() }
            }
            home.loop.scheduleTask(in: TimeAmount(limit)) {
                let left = ledger.value.values
                cut.add(left.count)
                for session in left { session.cut(.drained) }
            }
        }
    }

    private final class Cut: Sendable {
        private let count = Mutex(0)
        func add(_ sessions: Int) { count.withLock { $0 += sessions } }
        var value: Int { count.withLock { $0 } }
    }
}
