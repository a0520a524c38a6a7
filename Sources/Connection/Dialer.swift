// Connections that we begin: numeric addresses and local sockets only, so that no name is looked up here.

internal import NIOCore
internal import NIOPosix
internal import NIOSSL

/// TLS before the first byte of the protocol, as a client.
package struct ImplicitTLS: Sendable {
    package let client: ClientTLS
    package let serverName: [UInt8]?

    package init(_ client: ClientTLS, serverName: [UInt8]?) {
        self.client = client
        self.serverName = serverName
    }
}

/// Makes connections to others, counts them, and brings them to an end together.
package final class Dialer: Sendable {
    private let loops: LoopGroup
    private let population: Population

    /// More than `limit` at a time are told to their drivers as not begun, and so is what comes during a drain.
    package init(loops: LoopGroup, limit: Int = 2000) {
        self.loops = loops
        population = Population(loops, limits: ConnectionLimits(total: limit, perPeer: limit))
    }

    /// Holds for connections that are begun from now on.
    package func limit(to most: Int) { population.admission.limit(to: ConnectionLimits(total: most, perPeer: most)) }

    package var connectionCount: Int { population.admission.current }

    /// Asks every session to end, and cuts what is left when the time is over; `whenEmpty` is called once.
    package func drain(within limit: Duration = .seconds(10), whenEmpty: @escaping @Sendable (DrainReport) -> Void) {
        population.drain(within: limit, whenEmpty: whenEmpty)
    }

    /// Connects, and gives the connection to `makeDriver`'s driver; a failure too is told to it, by `ended`.
    ///
    /// `source` is the address to come from, or nil for the kernel's choice. `makeDriver` runs on the connection's loop.
    package func dial<Driver: SessionDriver>(
        _ target: SocketName, as role: ListenerRole, timeout: Duration, from source: SocketName? = nil,
        implicitTLS: ImplicitTLS? = nil, makeDriver: @escaping @Sendable () -> Driver
    ) {
        let loop = loops.group.next()
        guard let home = loops.home(of: loop) else { return }
        loop.execute {
            let arrival = Arrival(role: role, peer: target, local: source ?? .unknown)
            switch self.population.admission.admit(nil) {
            case .admitted: break
            case .refused(let refusal):
                self.population.admission.refusalEnded()
                return makeDriver().ended(.notBegun(reason: refusal == .draining ? "about to stop" : "too many connections of our own"))
            case .silentlyRefused: return makeDriver().ended(.notBegun(reason: "too many connections of our own"))
            }
            let admission = self.population.admission
            let pump = SessionPump(
                driver: makeDriver(), arrival: arrival, home: home, serverTLS: nil, ledger: self.population.ledger(of: home)
            ) { admission.leave(nil) }
            guard let address = target.socketAddress else { return pump.finish(.notConnected(reason: "not an address: \(target)")) }
            let bound = NIOLoopBound(pump, eventLoop: loop)
            var bootstrap = self.bootstrap(on: loop, timeout: timeout).channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try install(bound.value, on: channel, implicitTLS) }
            }
            if let source {
                guard let address = source.socketAddress else {
                    return pump.finish(.notConnected(reason: "not an address: \(source)"))
                }
                bootstrap = bootstrap.bind(to: address)
            }
            if case .unixDomainSocket = address {} else { bootstrap = bootstrap.channelOption(.tcpOption(.tcp_nodelay), value: 1) }
            bootstrap.connect(to: address).whenFailure { error in
                bound.value.finish(.notConnected(reason: "\(error)"))
            }
        }
    }

    private func bootstrap(on loop: any EventLoop, timeout: Duration) -> ClientBootstrap {
        ClientBootstrap(group: loop)
            .connectTimeout(TimeAmount(timeout))
            .channelOption(.autoRead, value: false)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelOption(.recvAllocator, value: ReceiveAllocator())
    }
}

private func install<Driver: SessionDriver>(
    _ pump: SessionPump<Driver>, on channel: any Channel, _ implicitTLS: ImplicitTLS?
) throws {
    if let implicitTLS {
        pump.expectsHandshake = true
        pump.isVerifying = implicitTLS.client.isVerifying
        pump.isChecking = implicitTLS.client.check != nil
        let handler = try ClientTLS.handler(implicitTLS.client, serverName: implicitTLS.serverName)
        try channel.pipeline.syncOperations.addHandler(handler)
    }
    try channel.pipeline.syncOperations.addHandler(pump)
}
