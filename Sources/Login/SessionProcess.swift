// The session process: credentials, mailboxes, the event log. It starts the front, and ends with it.
// It begins in this order: log, front, confinement, threads.

import Configuration
package import Connection
package import Daemon
package import Directory
import Kernel
import Privileges
import SASLProtocol
import Sandbox
package import Spool
import SpoolFormat

/// Serves what the front hands over until the wish to stop, then lets each session end its reply.
package struct SessionProcess {
    package let context: DaemonContext
    package let journal: EventJournal
    private let store: StorePresence
    private let guesses: GuessWatch
    private let neighbours: NeighbourLogins
    private let front: FrontProcess
    private let channel: Int32
    private let frontIsGone: EndFlag
    private let sessionsAreOver: EndFlag

    /// Opens the log and starts the front; makes no thread.
    package init(_ context: DaemonContext, _ arguments: [String], _ owner: SpoolOwner) {
        self.context = context
        store = StorePresence(context.configuration.paths.store)
        guesses = GuessWatch(GuessLimits(context.configuration.auth))
        neighbours = NeighbourLogins(spool: context.openSpool(), own: owner)
        do throws(LogError) { journal = try EventJournal(spool: context.openSpool(), owner, context.live) } catch { context.refuse(error) }
        guard let channel = FrontChannel.pair() else {
            fail(owner.rawValue, "cannot make a socket pair", remedy: "raise the limit of open descriptors", .temporary)
        }
        self.channel = channel.session
        do throws(KernelError) { front = try FrontProcess.start(context, arguments: arguments, channel: channel.front) } catch {
            fail(owner.rawValue, "cannot start the front: \(error)", remedy: "check that the executable may be run", .temporary)
        }
        do throws(KernelError) { (frontIsGone, sessionsAreOver) = (try EndFlag(), try EndFlag()) } catch {
            fail(owner.rawValue, "\(error)", remedy: "raise the limit of open descriptors", .temporary)
        }
    }

    /// From here on there may be threads.
    package func confine() {
        for warning in context.confine(.session(context.configuration, service: context.service, front: front.pid)) { journal.problem(warning) }
        journal.start()
        for problem in neighbours.problems { journal.problem(problem) }
        let guesses = guesses
        neighbours.start { guesses.heard($0) }
    }

    /// `last` is called when all sessions are over, before the log ends.
    package func serve<Driver: SessionDriver>(
        last: () -> Void = {}, makeDriver: @escaping @Sendable (HandedOver<AuthenticatedAccount>) -> Driver
    ) -> Never {
        let (configuration, journal, frontIsGone) = (context.configuration, journal, frontIsGone)
        let loops = LoopGroup(loops: 1)
        let desk = LoginDesk(
            channel: channel,
            checker: AccountChecker(directory: configuration.paths.directory, store: store, journal: journal, live: context.live, guesses: guesses),
            workers: WorkerPool(threads: 2), loops: loops, failureDelay: configuration.auth.failureDelay)
        let host = SessionHost<Driver>(
            loops: loops, most: configuration.limits.connections, mostPerPeer: configuration.limits.connectionsPerAddress)
        desk.start(
            handedOver: { host.adopt($0, makeDriver: makeDriver) },
            noted: { journal.note(RecordLine($0)) },
            ended: { frontIsGone.set() })
        context.notice.beatThrough(loops.passThrough)
        let exitCode = waitForTheEnd {
            desk.delayFailures(by: $0.auth.failureDelay)
            guesses.limit(to: GuessLimits($0.auth))
            host.limit(to: ConnectionLimits(total: $0.limits.connections, perPeer: $0.limits.connectionsPerAddress))
        }
        // Sessions first, then the front, whose relays they were; the log last.
        desk.drain()
        let sessionsAreOver = sessionsAreOver
        host.drain(within: DrainTime.sessions) { _ in sessionsAreOver.set() }
        sessionsAreOver.wait()
        front.end(milliseconds: 1500)
        last()
        journal.stop()
        Identity.exit(exitCode)
    }

    /// `reload` is called with what is in force from then on.
    private func waitForTheEnd(reload: (Configuration) -> Void) -> Int32 {
        while true {
            _ = waitReadable([context.signals, frontIsGone.descriptor], milliseconds: 1000)
            if store.isLockedOut {
                journal.problem("the mail store came after this process, which begins anew to reach it")
                return 75
            }
            if frontIsGone.isSet {
                journal.problem("the front ended")
                return 75
            }
            for wish in context.wishes() {
                switch wish {
                case .stop: return 0
                case .reload:
                    reload(context.live.current)
                    front.reload()
                }
            }
        }
    }
}

extension RecordLine {
    /// What the front says of connections that have no account yet.
    fileprivate init(_ note: FrontNote) {
        switch note {
        case .connected(let role, let peer): self = RecordLine(.connect).adding(.peer, peer.address).adding(.protocolName, role)
        case .ended(let peer, let trouble):
            self = RecordLine(.disconnect).adding(.peer, peer.address)
            if !trouble.isEmpty { add(.reason, trouble) }
        case .problem(let reason): self = RecordLine(.problem).adding(.reason, reason)
        }
    }
}
