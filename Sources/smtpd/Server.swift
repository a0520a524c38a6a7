// The service around the sessions: listeners, limits, reload, drain.

import Configuration
import Connection
import Daemon
import Directory
import Kernel
import MailModel
import SMTPProtocol
import SpoolFormat
import Synchronization

/// Serves until the wish to stop, then lets each session end its transaction.
struct Server {
    private let context: DaemonContext
    private let intake: Intake
    private let tls: ServerTLS?
    private let service: Acceptor<SMTPDriver>
    private let current: CurrentParts

    /// What the next session begins with.
    private final class CurrentParts: Sendable {
        private let state: Mutex<SharedParts>
        init(_ parts: SharedParts) { state = Mutex(parts) }
        var parts: SharedParts {
            get { state.withLock { $0 } }
            set { state.withLock { $0 = newValue } }
        }
    }

    init(_ context: DaemonContext, _ intake: Intake, _ trace: TraceField, _ memory: PolicyMemory?, _ rules: SubmissionRules?, _ guesses: GuessWatch) {
        self.context = context
        self.intake = intake
        let configuration = context.configuration
        tls = Server.loadTLS(configuration, intake)
        let loops = LoopGroup(loops: 1)
        var parts = Server.sharedParts(context, intake, trace, memory, FilterSettings(configuration, context.service, loops: loops), tls, guesses)
        parts.rules = rules
        let current = CurrentParts(parts)
        self.current = current
        var options = AcceptorOptions(
            limits: Server.limits(configuration), tls: tls,
            refusal: { _, _ in Array("421 4.7.0 \(configuration.hostname) too many connections, try again later\r\n".utf8) },
            trouble: { intake.note(RecordLine(.problem).adding(.reason, $0)) })
        options.proxies = PeerNetworks(configuration.proxy.networks.map(\.prefix))
        options.handshake = min(options.handshake, configuration.limits.commandTimeout)
        service = Acceptor(loops: loops, options: options) { SMTPDriver(current.parts, $0) }
    }

    private static func sharedParts(
        _ context: DaemonContext, _ intake: Intake, _ trace: TraceField, _ memory: PolicyMemory?, _ filters: FilterSettings?, _ tls: ServerTLS?,
        _ guesses: GuessWatch
    ) -> SharedParts {
        let configuration = context.configuration
        let folder = configuration.paths.directory
        let cache = LoginCache()
        return SharedParts(
            session: session(context.service, configuration, tls), intake: intake, directory: RecipientDirectory(configuration),
            authenticators: AuthenticatorPool { Authenticator(folder: folder, defaultDomain: nil, cache: cache, guesses: guesses) },
            workers: WorkerPool(threads: 2), trace: trace, commandTimeout: configuration.limits.commandTimeout, dataTimeout: configuration.limits.dataTimeout,
            failureDelay: configuration.auth.failureDelay, plaintext: configuration.auth.allowPlaintext, smtp: configuration.smtp,
            policy: memory.map { PolicyParts(configuration, $0, intake) }, filters: filters, xclients: PeerNetworks(configuration.xclient.networks.map(\.prefix)),
            guesses: guesses)
    }

    private static func limits(_ configuration: Configuration) -> ConnectionLimits {
        ConnectionLimits(total: configuration.limits.connections, perPeer: configuration.limits.connectionsPerAddress)
    }

    private static func session(_ service: Service, _ configuration: Configuration, _ tls: ServerTLS?) -> ServerConfiguration {
        var session = ServerConfiguration(
            service: service == .submission ? .submission : .relay, hostName: configuration.hostname, offersTLS: tls != nil,
            mechanisms: service == .submission ? mechanisms(configuration, tls) : [])
        session.limits.recipients = configuration.limits.recipients
        session.limits.messageSize = Int(configuration.limits.messageSize.bytes)
        session.limits.hops = configuration.limits.hops
        session.limits.errors = configuration.limits.sessionErrors
        session.limits.commandsWithoutMail = configuration.limits.sessionCommands
        session.extensions = ServerExtensions(configuration.smtp)
        return session
    }

    /// -PLUS needs a certificate with a hash to bind to; the session offers it within TLS alone.
    private static func mechanisms(_ configuration: Configuration, _ tls: ServerTLS?) -> [[UInt8]] {
        configuration.auth.mechanisms.filter { tls?.bindsLogins == true || $0 != .scramSHA256Plus }.map { Array($0.rawValue.utf8) }
    }

    /// Without a usable certificate the service goes on in clear and says so: mail is not refused for it.
    private static func loadTLS(_ configuration: Configuration, _ intake: Intake) -> ServerTLS? {
        do throws(TLSError) {
            let tls = try ServerTLS(configuration.tls)
            for complaint in tls.complaints { intake.note(RecordLine(.problem).adding(.reason, complaint)) }
            return tls
        } catch {
            intake.note(RecordLine(.problem).adding(.reason, "TLS is off: \(error)"))
            return nil
        }
    }

    func run() -> Never {
        for (name, descriptor) in context.listeners {
            service.listen(on: descriptor, role: ListenerRole(Array(name.rawValue.utf8), isImplicitTLS: name.isImplicitTLS))
        }
        context.notice.beatThrough(service.loops.passThrough)
        while true {
            context.notice.turned()
            _ = waitReadable([context.signals], milliseconds: min(10_000, context.notice.patience))
            for wish in context.wishes() {
                switch wish {
                case .stop: stop()
                case .reload: reload()
                }
            }
        }
    }

    private func reload() {
        let configuration = context.live.current
        do throws(TLSError) { _ = try tls?.reloadIfChanged() } catch {
            intake.note(RecordLine(.problem).adding(.reason, "certificate not reloaded: \(error)"))
        }
        current.parts = current.parts.renewed(configuration, Server.session(context.service, configuration, tls))
        service.limit(to: Server.limits(configuration))
    }

    private func stop() -> Never {
        let monitor = Monitor()
        let isEmpty = Atomic<Bool>(false)
        service.drain(within: .seconds(10)) { _ in
            monitor.lock()
            isEmpty.store(true, ordering: .relaxed)
            monitor.signalAll()
            monitor.unlock()
        }
        monitor.lock()
        while !isEmpty.load(ordering: .relaxed) { monitor.wait() }
        monitor.unlock()
        intake.stop()
        Identity.exit(0)
    }
}
