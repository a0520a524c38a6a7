// The session process: credentials, mailboxes, the event log. It starts the front, and ends with it.

import Configuration
import Connection
import Daemon
import Directory
import Kernel
import MailModel
import Mailbox
import Sandbox
import Spool
import SpoolFormat
import Synchronization

/// Serves what the front hands over until the wish to stop, then lets each session end its reply.
struct SessionProcess {
    private let context: DaemonContext
    private let journal: EventJournal
    private let front: FrontProcess
    private let desk: LoginDesk<AccountChecker>
    private let host: SessionHost<MailboxDriver>
    private let shared: SharedParts
    private let frontIsGone: EndFlag
    private let sessionsAreOver: EndFlag

    /// In this order: log, front, confinement, threads.
    static func begin(_ context: DaemonContext, _ arguments: [String]) -> SessionProcess {
        let journal: EventJournal
        do throws(LogError) { journal = try EventJournal(spool: context.openSpool(), .imapd, retention: context.configuration.retention.events) } catch { context.refuse(error) }
        let store = MailStore(
            path: context.configuration.paths.store,
            context: StoreContext(host: context.configuration.hostname.bytes, bootID: StoreContext.currentBootID()))
        guard let channel = FrontChannel.pair() else {
            fail("imapd", "cannot make a socket pair", remedy: "raise the limit of open descriptors", .temporary)
        }
        let front: FrontProcess
        do throws(KernelError) { front = try FrontProcess.start(context, arguments: arguments, channel: channel.front) } catch {
            fail("imapd", "cannot start the front: \(error)", remedy: "check that the executable may be run", .temporary)
        }
        let flags: (EndFlag, EndFlag)
        do throws(KernelError) { flags = (try EndFlag(), try EndFlag()) } catch {
            fail("imapd", "\(error)", remedy: "raise the limit of open descriptors", .temporary)
        }
        let watch: MailboxWatch
        do throws(KernelError) { watch = try MailboxWatch() } catch {
            fail("imapd", "\(error)", remedy: "raise fs.inotify.max_user_instances", .temporary)
        }
        for warning in context.confine(.session(context.configuration)) { journal.problem(warning) }
        journal.start()
        watch.start()
        return SessionProcess(context, journal, store, watch, front, channel.session, flags)
    }

    private init(
        _ context: DaemonContext, _ journal: EventJournal, _ store: MailStore, _ watch: MailboxWatch,
        _ front: FrontProcess, _ channel: Int32, _ flags: (frontIsGone: EndFlag, sessionsAreOver: EndFlag)
    ) {
        frontIsGone = flags.frontIsGone
        sessionsAreOver = flags.sessionsAreOver
        self.context = context
        self.journal = journal
        self.front = front
        let configuration = context.configuration
        let loops = LoopGroup(loops: 1)
        desk = LoginDesk(
            channel: channel, checker: AccountChecker(directory: configuration.paths.directory, journal: journal),
            workers: WorkerPool(threads: 2), loops: loops, failureDelay: configuration.auth.failureDelay)
        host = SessionHost(
            loops: loops, most: configuration.limits.connections, mostPerPeer: configuration.limits.connectionsPerAddress)
        // Many appends that wait for the disk at the same time share its syncs.
        let workers = WorkerPool(threads: 8)
        shared = SharedParts(
            journal: journal, workers: workers, store: store, watch: watch, flagSync: FlagSync(journal: journal),
            idleTimeout: configuration.limits.imapIdleTimeout,
            maximumMessageSize: Int(clamping: configuration.limits.messageSize.bytes))
    }

    func run() -> Never {
        shared.flagSync.start()
        let (host, shared, journal, frontIsGone) = (host, shared, journal, frontIsGone)
        desk.start(
            handedOver: { guest in host.adopt(guest) { MailboxDriver(shared, $0) } },
            noted: { journal.note(RecordLine($0)) },
            ended: { frontIsGone.set() })
        while true {
            _ = waitReadable([context.signals, frontIsGone.descriptor], milliseconds: 60_000)
            if frontIsGone.isSet { stop(exitCode: 75, "the front ended") }
            for wish in context.wishes() {
                switch wish {
                case .stop: stop(exitCode: 0, nil)
                case .reload: front.reload()
                }
            }
        }
    }

    /// Sessions first, then the front, whose relays they were; the flags and the log last.
    private func stop(exitCode: Int32, _ trouble: String?) -> Never {
        if let trouble { journal.problem(trouble) }
        desk.drain()
        let sessionsAreOver = sessionsAreOver
        host.drain(within: DrainTime.sessions) { _ in sessionsAreOver.set() }
        sessionsAreOver.wait()
        front.end(milliseconds: 1500)
        shared.flagSync.stop()
        journal.stop()
        Identity.exit(exitCode)
    }
}

extension RecordLine {
    /// What the front says of connections that have no account yet.
    init(_ note: FrontNote) {
        switch note {
        case .connected(let role, let peer): self = RecordLine(.connect).adding(.peer, peer.address).adding(.protocolName, role)
        case .ended(let peer, let trouble):
            self = RecordLine(.disconnect).adding(.peer, peer.address)
            if !trouble.isEmpty { add(.reason, trouble) }
        case .problem(let reason): self = RecordLine(.problem).adding(.reason, reason)
        }
    }
}
