// One connection before login: the machine's actions done, its questions asked of the session process.

/// How long a peer may take to say who it is.
package struct LoginLimits: Hashable, Sendable {
    /// The longest silence.
    package var silence: Duration
    /// The whole dialogue, however busy it is: nobody holds a connection for ever without an account.
    package var dialogue: Duration

    package init(silence: Duration, dialogue: Duration = .seconds(900)) {
        self.silence = silence
        self.dialogue = dialogue
    }
}

/// Drives a `LoginMachine` on the front's loop.
final class LoginDriver<Machine: LoginMachine>: SessionDriver {
    typealias Answer = AuthenticationReply

    private let door: FrontDoor
    private let limits: LoginLimits
    private let arrival: Arrival
    private var machine: Machine
    /// The exchange that the session process knows under this number.
    private var exchange: FrontID?
    private var isHandedOver = false

    init(_ machine: Machine, arrival: Arrival, limits: LoginLimits, door: FrontDoor) {
        self.machine = machine
        self.arrival = arrival
        self.limits = limits
        self.door = door
    }

    var wantsInput: Bool { machine.wantsInput }

    func opened(_ wire: Wire<AuthenticationReply>) {
        wire.limitSilence(to: limits.silence)
        wire.limitTransaction(to: limits.dialogue)
        door.note(.connected(role: arrival.role.name, peer: arrival.peer))
    }

    func received(_ bytes: ArraySlice<UInt8>) { machine.received(bytes) }
    func secured(_ tls: TLSFacts) { machine.tlsStarted() }
    func deadlinePassed() { machine.deadlinePassed() }
    func shutdownRequested() { machine.shutdownRequested() }

    func answered(_ reply: AuthenticationReply) {
        switch reply {
        case .challenge(let bytes): machine.answered(.challenge(bytes))
        case .success: machine.answered(.accepted)
        case .failure(let code, _):
            exchange = nil
            machine.answered(LoginFailure(rawValue: code)?.answer ?? .unavailable)
        }
    }

    func step(_ wire: Wire<AuthenticationReply>) -> Bool {
        guard let action = machine.next() else { return false }
        switch action {
        case .send(let bytes): wire.send(bytes)
        case .startTLS: if !wire.startTLS() { wire.close() }
        case .authenticate(let mechanism, let initial): begin(mechanism, initial, wire)
        case .respond(let bytes): respond(bytes, wire)
        case .handOver(let bytes): handOver(bytes, wire)
        case .close: wire.close()
        }
        return true
    }

    private func begin(_ mechanism: [UInt8], _ initial: [UInt8]?, _ wire: Wire<AuthenticationReply>) {
        abandon()
        let address = wire.replyAddress
        let start = AuthenticationStart(arrival: arrival, tls: wire.tls, mechanism: mechanism, initialResponse: initial)
        exchange = door.begin(start) { address.deliver($0) }
    }

    private func respond(_ bytes: [UInt8], _ wire: Wire<AuthenticationReply>) {
        guard let exchange else { return machine.answered(.unavailable) }
        let address = wire.replyAddress
        door.respond(bytes, to: exchange) { address.deliver($0) }
    }

    private func handOver(_ bytes: [UInt8], _ wire: Wire<AuthenticationReply>) {
        guard let id = exchange else { return wire.close() }
        exchange = nil
        isHandedOver = true
        wire.handOver(id, bytes: bytes, through: door)
    }

    private func abandon() {
        if let exchange { door.abandon(exchange) }
        exchange = nil
    }

    func ended(_ ending: Ending) {
        abandon()
        if !isHandedOver { door.note(.ended(peer: arrival.peer, trouble: ending.complaint)) }
    }
}

extension Ending {
    /// For an event: why a connection ended, if not as it should; else empty.
    package var complaint: [UInt8] {
        switch self {
        case .closed, .peerClosed, .handedOver: []
        case .notConnected(let reason), .notBegun(let reason), .failed(let reason): Array(reason.utf8)
        case .tlsFailed(let reason): Array("TLS: \(reason)".utf8)
        case .stalled: Array("stalled".utf8)
        case .drained: Array("cut at shutdown".utf8)
        }
    }
}
