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

    init(_ context: DaemonContext, _ intake: Intake, _ trace: TraceField, _ rules: SubmissionRules?, _ guesses: GuessWatch) {
        self.context = context
        self.intake = intake
        let configuration = context.configuration
        tls = Server.loadTLS(configuration, intake)
        let current = CurrentParts(Server.sharedParts(context, intake, trace, rules, guesses, offersTLS: tls != nil))
        self.current = current
        var options = AcceptorOptions(
            limits: Server.limits(configuration), tls: tls,
            refusal: { _, _ in Array("421 4.7.0 \(configuration.hostname) too many connections, try again later\r\n".utf8) },
            trouble: { intake.note(RecordLine(.problem).adding(.reason, $0)) })
        options.handshake = min(options.handshake, configuration.limits.commandTimeout)
        service = Acceptor(loops: LoopGroup(loops: 1), options: options) { SMTPDriver(current.parts, $0) }
    }

    private static func sharedParts(
        _ context: DaemonContext, _ intake: Intake, _ trace: TraceField, _ rules: SubmissionRules?, _ guesses: GuessWatch, offersTLS: Bool
    ) -> SharedParts {
        let configuration = context.configuration
        let folder = configuration.paths.directory
        let cache = LoginCache()
        return SharedParts(
            session: session(context.service, configuration, offersTLS: offersTLS), intake: intake, directory: RecipientDirectory(configuration),
            authenticators: AuthenticatorPool { Authenticator(folder: folder, defaultDomain: nil, cache: cache, guesses: guesses) },
            workers: WorkerPool(threads: 2), trace: trace, commandTimeout: configuration.limits.commandTimeout,
            failureDelay: configuration.auth.failureDelay, plaintext: configuration.auth.allowPlaintext,
            guesses: guesses, rules: rules)
    }

    private static func limits(_ configuration: Configuration) -> ConnectionLimits {
        ConnectionLimits(total: configuration.limits.connections, perPeer: configuration.limits.connectionsPerAddress)
    }

    private static func session(_ service: Service, _ configuration: Configuration, offersTLS: Bool) -> ServerConfiguration {
        var session = ServerConfiguration(
            service: service == .submission ? .submission : .relay, hostName: configuration.hostname, offersTLS: offersTLS,
            mechanisms: service == .submission ? mechanisms(configuration) : [])
        session.limits.recipients = configuration.limits.recipients
        session.limits.messageSize = Int(configuration.limits.messageSize.bytes)
        session.limits.hops = configuration.limits.hops
        session.limits.errors = configuration.limits.sessionErrors
        session.limits.commandsWithoutMail = configuration.limits.sessionCommands
        return session
    }

    /// Channel binding needs a hash of the certificate, which nobody computes here: -PLUS is not offered.
    private static func mechanisms(_ configuration: Configuration) -> [[UInt8]] {
        configuration.auth.mechanisms.filter { $0 != .scramSHA256Plus }.map { Array($0.rawValue.utf8) }
    }

    /// Without a usable certificate the service goes on in clear and says so: mail is not refused for it.
    private static func loadTLS(_ configuration: Configuration, _ intake: Intake) -> ServerTLS? {
        do throws(TLSError) {
            return try ServerTLS(chainFile: configuration.tls.certificate.bytes, keyFile: configuration.tls.key.bytes)
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
        current.parts = current.parts.renewed(configuration, Server.session(context.service, configuration, offersTLS: tls != nil))
        service.limit(to: Server.limits(configuration))
        do throws(TLSError) { _ = try tls?.reloadIfChanged() } catch {
            intake.note(RecordLine(.problem).adding(.reason, "certificate not reloaded: \(error)"))
        }
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
