// A program's listeners and the connections that came by them, from the first accept to the end of the drain.

internal import NIOCore
internal import NIOPosix
import Synchronization

/// What a service needs besides its listeners.
package struct AcceptorOptions: Sendable {
    package var limits: ConnectionLimits
    /// nil: no implicit TLS, and `startTLS` answers false.
    package var tls: ServerTLS?
    /// Who speaks for others, by the PROXY protocol: their connections begin with its header, or are closed.
    package var proxies = PeerNetworks()
    /// How long a TLS handshake may take, the peer's silence included.
    package var handshake = Duration.seconds(30)
    /// The line that a refused peer reads in the role's protocol; empty for none. Not sent where TLS comes first.
    package var refusal: @Sendable (AdmissionRefusal, ListenerRole) -> [UInt8]
    /// An error of accepting or listening; it repeats while the trouble lasts, twice a second.
    package var trouble: @Sendable (String) -> Void

    package init(
        limits: ConnectionLimits = ConnectionLimits(), tls: ServerTLS? = nil,
        refusal: @escaping @Sendable (AdmissionRefusal, ListenerRole) -> [UInt8] = { _, _ in [] },
        trouble: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.limits = limits
        self.tls = tls
        self.refusal = refusal
        self.trouble = trouble
    }
}

/// Serves connections with one driver each.
package final class Acceptor<Driver: SessionDriver>: Sendable {
    package let loops: LoopGroup
    let options: AcceptorOptions
    let population: Population
    private let makeDriver: @Sendable (Arrival) -> Driver
    private let listeners = Mutex<[Listener]>([])

    /// `makeDriver` is called on the new connection's loop.
    package init(loops: LoopGroup, options: AcceptorOptions, makeDriver: @escaping @Sendable (Arrival) -> Driver) {
        self.loops = loops
        self.options = options
        self.makeDriver = makeDriver
        population = Population(loops, limits: options.limits)
    }

    /// Accepts from an inherited listening socket. The number stays the caller's, open for a successor.
    package func listen(on raw: Int32, role: ListenerRole) {
        let listener = Listener(raw: raw, loop: loops.group.next(), report: options.trouble) { copy in
            self.bootstrap(role).withBoundSocket(copy)
        }
        listeners.withLock { $0.append(listener) }
        listener.open()
    }

    private func bootstrap(_ role: ListenerRole) -> ServerBootstrap {
        ServerBootstrap(group: loops.group)
            .serverChannelOption(.maxMessagesPerRead, value: 16)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(TroubleHandler(report: self.options.trouble))
                }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(.recvAllocator, value: ReceiveAllocator())
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try self.welcome(channel, role) }
            }
    }

    /// Holds for connections that come from now on.
    package func limit(to limits: ConnectionLimits) { population.admission.limit(to: limits) }

    /// The number of connections now.
    package var connectionCount: Int { population.admission.current }

    private func welcome(_ channel: any Channel, _ role: ListenerRole) throws {
        guard options.proxies.contains(SocketName(channel.remoteAddress)) else {
            return try welcome(channel, role, from: channel.remoteAddress, to: channel.localAddress)
        }
        let admission = population.admission
        // A balancer counts in all, and for no client, until it has said for whom it speaks.
        switch admission.admit(nil) {
        case .admitted: break
        case .refused:
            admission.refusalEnded()
            return channel.close(promise: nil)
        case .silentlyRefused: return channel.close(promise: nil)
        }
        let (balancer, report) = (SocketName(channel.remoteAddress), options.trouble)
        let handler = ProxyHandler(
            begin: { client, local in
                try self.welcome(channel, role, from: client ?? channel.remoteAddress, to: local ?? channel.localAddress)
            }, refused: { report("\(balancer) in proxy.networks: \($0)") }, over: { admission.leave(nil) })
        try channel.pipeline.syncOperations.addHandler(handler)
    }

    private func welcome(_ channel: any Channel, _ role: ListenerRole, from client: SocketAddress?, to local: SocketAddress?) throws {
        guard let home = loops.home(of: channel.eventLoop) else { return }
        let peer = PeerKey(client)
        let arrival = Arrival(role: role, peer: SocketName(client), local: SocketName(local))
        switch population.admission.admit(peer) {
        case .admitted:
            let pump = pump(for: arrival, on: home, peer)
            do { try install(pump, on: channel) } catch {
                pump.cut(.failed(reason: "\(error)"))
                throw error
            }
        case .refused(let refusal): try channel.pipeline.syncOperations.addHandler(refusalPump(refusal, arrival, home))
        case .silentlyRefused: channel.close(promise: nil)
        }
    }

    private func pump(for arrival: Arrival, on home: LoopHome, _ peer: PeerKey?) -> SessionPump<Driver> {
        let seat = Seat(population.admission, peer)
        let pump = SessionPump(
            driver: makeDriver(arrival), arrival: arrival, home: home, serverTLS: options.tls, ledger: population.ledger(of: home)
        ) { seat.leave() }
        pump.seat = seat
        pump.handshakeLimit = TimeAmount(options.handshake)
        return pump
    }

    private func refusalPump(_ refusal: AdmissionRefusal, _ arrival: Arrival, _ home: LoopHome) -> SessionPump<RefusalDriver> {
        let admission = population.admission
        let line = arrival.role.isImplicitTLS ? [] : options.refusal(refusal, arrival.role)
        return SessionPump(driver: RefusalDriver(line), arrival: arrival, home: home, serverTLS: nil, ledger: nil) {
            admission.refusalEnded()
        }
    }

    private func install(_ pump: SessionPump<Driver>, on channel: any Channel) throws {
        if pump.arrival.role.isImplicitTLS {
            guard let tls = options.tls else {
                pump.finish(.tlsFailed(reason: "no certificate"))
                channel.close(promise: nil)
                return
            }
            pump.expectsHandshake = true
            try channel.pipeline.syncOperations.addHandler(pump.helloHandler(tls))
        }
        try channel.pipeline.syncOperations.addHandler(pump)
    }
}

extension Acceptor {
    /// Stops accepting, asks every session to end, and cuts what is left when the time is over.
    ///
    /// The inherited sockets stay open: clients wait in their queues for the successor. `whenEmpty` is called once, on some thread.
    package func drain(within limit: Duration = .seconds(10), whenEmpty: @escaping @Sendable (DrainReport) -> Void) {
        for listener in listeners.withLock({ $0 }) { listener.close() }
        population.drain(within: limit, whenEmpty: whenEmpty)
    }
}
