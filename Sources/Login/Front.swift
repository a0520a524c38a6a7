// The front process: strangers, TLS, the dialogue before login. It ends when the session process does.

package import Configuration
package import Connection
package import Daemon
import Kernel
import Privileges
import Sandbox
import Synchronization

/// A front whose dialogue is `Machine`.
package struct Front<Machine: LoginMachine & Sendable> {
    private let context: DaemonContext
    private let tls: ServerTLS?
    private let service: LoginFront<Machine>
    private let manners: Manners
    private let troubles: [String]

    /// What holds for whoever comes next.
    private final class Manners: Sendable {
        private struct Current {
            var offer: Offer
            var limits: LoginLimits
        }
        private let state: Mutex<Current>

        init(_ offer: Offer, _ limits: LoginLimits) { state = Mutex(Current(offer: offer, limits: limits)) }

        var offer: Offer { state.withLock { $0.offer } }
        var limits: LoginLimits { state.withLock { $0.limits } }
        func become(_ offer: Offer, _ limits: LoginLimits) { state.withLock { $0 = Current(offer: offer, limits: limits) } }
    }

    private let silence: @Sendable (Configuration) -> Duration

    /// Reads certificate and key, then confines itself; without a usable pair it goes on in clear and says so.
    ///
    /// `refusal`: said to a connection too many. `silence`: the longest in a session; before login it is three minutes at most.
    package init(
        _ context: DaemonContext, channel: Int32, refusal: StaticString, silence: @escaping @Sendable (Configuration) -> Duration,
        makeMachine: @escaping @Sendable (Offer, Arrival) -> Machine
    ) {
        self.context = context
        self.silence = silence
        let configuration = context.configuration
        var troubles: [String] = []
        do throws(TLSError) {
            tls = try ServerTLS(configuration.tls, protocolName: context.service)
        } catch {
            tls = nil
            troubles.append("TLS is off: \(error)")
        }
        self.troubles = troubles + (tls?.complaints ?? []) + context.confine(.front(configuration))
        let manners = Manners(Offer(configuration, hasCertificate: tls != nil, bindsLogins: tls?.bindsLogins == true), Front.limits(silence(configuration)))
        self.manners = manners
        var options = AcceptorOptions(
            limits: ConnectionLimits(total: configuration.limits.connections, perPeer: configuration.limits.connectionsPerAddress),
            tls: tls, refusal: { _, _ in refusal.withUTF8Buffer { Array($0) } })
        options.proxies = PeerNetworks(configuration.proxy.networks.map(\.prefix))
        service = LoginFront(channel: channel, options: options, limits: { manners.limits }) { makeMachine(manners.offer, $0) }
    }

    /// Nobody needs minutes of silence to send a password, whatever a session may take.
    private static func limits(_ silence: Duration) -> LoginLimits { LoginLimits(silence: min(silence, .seconds(180))) }

    package func run() -> Never {
        service.start { Identity.exit(0) }
        for trouble in troubles { service.problem(trouble) }
        for (name, descriptor) in context.listeners {
            service.listen(on: descriptor, role: ListenerRole(Array(name.rawValue.utf8), isImplicitTLS: name.isImplicitTLS))
        }
        while true {
            _ = waitReadable([context.signals], milliseconds: 10_000)
            for wish in context.wishes() {
                switch wish {
                // The session process says when to drain, whoever else was told to stop.
                case .stop: break
                case .reload: reload()
                }
            }
        }
    }

    private func reload() {
        let configuration = context.live.current
        do throws(TLSError) { _ = try tls?.reloadIfChanged() } catch { service.problem("certificate not reloaded: \(error)") }
        let offer = Offer(configuration, hasCertificate: tls != nil, bindsLogins: tls?.bindsLogins == true)
        manners.become(offer, Front.limits(silence(configuration)))
        service.limit(to: ConnectionLimits(total: configuration.limits.connections, perPeer: configuration.limits.connectionsPerAddress))
    }
}
