// The front process: strangers, TLS, the dialogue before login. It ends when the session process does.

import Configuration
package import Connection
package import Daemon
import Kernel
import Privileges
import Sandbox

/// A front whose dialogue is `Machine`.
package struct Front<Machine: LoginMachine & Sendable> {
    private let context: DaemonContext
    private let tls: ServerTLS?
    private let service: LoginFront<Machine>
    private let troubles: [String]

    /// Reads certificate and key, then confines itself; without a usable pair it goes on in clear and says so.
    ///
    /// `refusal`: said to a connection too many. `silence`: the longest in a session; before login it is three minutes at most.
    package init(
        _ context: DaemonContext, channel: Int32, refusal: StaticString, silence: Duration,
        makeMachine: @escaping @Sendable (Offer, Arrival) -> Machine
    ) {
        self.context = context
        let configuration = context.configuration
        var troubles: [String] = []
        do throws(TLSError) {
            tls = try ServerTLS(chainFile: configuration.tls.certificate.bytes, keyFile: configuration.tls.key.bytes)
        } catch {
            tls = nil
            troubles.append("TLS is off: \(error)")
        }
        self.troubles = troubles + context.confine(.front(configuration))
        let offer = Offer(configuration, hasCertificate: tls != nil)
        let options = AcceptorOptions(
            limits: ConnectionLimits(total: configuration.limits.connections, perPeer: configuration.limits.connectionsPerAddress),
            tls: tls, refusal: { _, _ in refusal.withUTF8Buffer { Array($0) } })
        // Nobody needs minutes of silence to send a password, whatever a session may take.
        let limits = LoginLimits(silence: min(silence, .seconds(180)))
        service = LoginFront(channel: channel, options: options, limits: limits) { makeMachine(offer, $0) }
    }

    package func run() -> Never {
        service.start { Identity.exit(0) }
        for trouble in troubles { service.problem(trouble) }
        for (name, descriptor) in context.listeners {
            service.listen(on: descriptor, role: ListenerRole(Array(name.rawValue.utf8), isImplicitTLS: name.isImplicitTLS))
        }
        while true {
            _ = waitReadable([context.signals], milliseconds: 60_000)
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
        do throws(TLSError) { _ = try tls?.reloadIfChanged() } catch { service.problem("certificate not reloaded: \(error)") }
    }
}
