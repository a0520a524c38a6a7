// The front of a program: the process that talks to strangers until they have logged in. It holds no mail and no credential.

import Synchronization

/// Listeners, the dialogue before login, TLS, and the channel to the session process.
package final class LoginFront<Machine: LoginMachine & Sendable>: Sendable {
    private let door: FrontDoor
    private let acceptor: Acceptor<LoginDriver<Machine>>
    private let isDraining = Mutex(false)

    /// `channel` is the descriptor that the session process passed; `makeMachine` and `limits` are called on the connection's loop.
    ///
    /// What `options` would tell of trouble goes to the session process's event log, beside what it does itself.
    package init(
        channel: Int32, options: AcceptorOptions, limits: @escaping @Sendable () -> LoginLimits, makeMachine: @escaping @Sendable (Arrival) -> Machine
    ) {
        let door = FrontDoor(adopting: channel)
        self.door = door
        var options = options
        let trouble = options.trouble
        options.trouble = { reason in
            trouble(reason)
            door.note(.problem(Array(reason.utf8)))
        }
        options.handshake = min(options.handshake, limits().silence)
        acceptor = Acceptor(loops: LoopGroup(loops: 1), options: options) { arrival in
            LoginDriver(makeMachine(arrival), arrival: arrival, limits: limits(), door: door)
        }
    }

    /// Begins; `over` is called when the session process is gone, or when all is drained: then the front must end.
    package func start(over: @escaping @Sendable () -> Void) {
        door.start(drain: { self.drain(over: over) }, ended: over)
    }

    /// Accepts from an inherited listening socket.
    package func listen(on raw: Int32, role: ListenerRole) { acceptor.listen(on: raw, role: role) }

    /// Holds for connections that come from now on.
    package func limit(to limits: ConnectionLimits) { acceptor.limit(to: limits) }

    package func problem(_ reason: String) { door.note(.problem(Array(reason.utf8))) }

    /// Relays go on until the session process ends them; dialogues before login end now.
    private func drain(over: @escaping @Sendable () -> Void) {
        let isFirst = isDraining.withLock { isDraining in
            defer { isDraining = true }
            return !isDraining
        }
        if isFirst { acceptor.drain(within: DrainTime.front) { _ in over() } }
    }
}

/// How long a drain may take: together less than the 10 s that a supervisor gives a daemon.
package enum DrainTime {
    /// The sessions end first: a relay must outlive the session behind it.
    package static let sessions = Duration.seconds(8)
    package static let front = Duration.seconds(9)
}
