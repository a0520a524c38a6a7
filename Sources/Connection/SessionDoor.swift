// The session process's end of the channel. The front is not trusted: which account a connection gets is what this side
// decided under its number, and a hand-over that was not decided here ends the channel.

internal import CLinux
import Synchronization

/// What comes of an authentication at the front, for the side that has the credentials.
package enum AuthenticationStep: Hashable, Sendable {
    case start(AuthenticationStart)
    case response([UInt8])
    case abandoned
}

/// A connection that is the session process's own from here on.
package struct HandedOver<Account: Sendable>: Sendable {
    package let account: Account
    package let arrival: Arrival
    package let tls: TLSFacts?
    /// The peer's socket, or over TLS a local socket with its bytes in clear; the receiver's to close or to give to `adopt`.
    package let raw: Int32
    /// What was read before and not used.
    package let bytes: [UInt8]
}

/// What the process that has mailboxes and credentials has of the front. `Account` is the program's own value.
package final class SessionDoor<Account: Sendable>: Sendable {
    private enum Stage { case undecided, accepted(Account) }
    private struct Guest {
        let start: AuthenticationStart
        var stage = Stage.undecided
    }

    /// A front has no more connections than descriptors; one that says so is captured.
    private static var mostGuests: Int { 100_000 }

    private let socket: MessageSocket
    private let guests = Mutex<[FrontID: Guest]>([:])

    package init(adopting raw: Int32) { socket = MessageSocket(adopting: raw) }

    /// Begins to listen. The calls come on a thread of the door's own and must not block: verify on a `WorkerPool`.
    ///
    /// `ended`: the front is gone. No new connection can come; those handed over in clear go on.
    package func start(
        step: @escaping @Sendable (FrontID, AuthenticationStep) -> Void,
        handedOver: @escaping @Sendable (HandedOver<Account>) -> Void,
        noted: @escaping @Sendable (FrontNote) -> Void = { _ in },
        ended: @escaping @Sendable () -> Void
    ) {
        socket.read(
            { [weak self] bytes, descriptor in
                guard let self, let request = FrontRequest(decoding: bytes), self.take(request, descriptor, step, handedOver, noted) else {
                    if descriptor >= 0 { martlet_close(descriptor) }
                    return false
                }
                return true
            }, ended: ended)
    }

    /// False for what an honest front never says; the descriptor is then still the caller's.
    private func take(
        _ request: FrontRequest, _ descriptor: Int32, _ step: (FrontID, AuthenticationStep) -> Void,
        _ handedOver: (HandedOver<Account>) -> Void, _ noted: (FrontNote) -> Void
    ) -> Bool {
        switch request {
        case .start(let id, let start):
            guard descriptor < 0, admit(id, start) else { return false }
            step(id, .start(start))
        case .response(let id, let bytes):
            guard descriptor < 0, let stage = guests.withLock({ $0[id]?.stage }) else { return descriptor < 0 }
            guard case .undecided = stage else { return false }
            step(id, .response(bytes))
        case .abandon(let id):
            guard descriptor < 0 else { return false }
            guests.withLock { $0[id] = nil }
            step(id, .abandoned)
        case .handOver(let id, let bytes):
            guard descriptor >= 0, let guest = guests.withLock({ $0.removeValue(forKey: id) }),
                case .accepted(let account) = guest.stage
            else { return false }
            let start = guest.start
            handedOver(HandedOver(account: account, arrival: start.arrival, tls: start.tls, raw: descriptor, bytes: bytes))
        case .note(let note):
            guard descriptor < 0 else { return false }
            noted(note)
        }
        return true
    }

    private func admit(_ id: FrontID, _ start: AuthenticationStart) -> Bool {
        guests.withLock { guests in
            guard guests[id] == nil, guests.count < SessionDoor.mostGuests else { return false }
            guests[id] = Guest(start: start)
            return true
        }
    }

    package func challenge(_ id: FrontID, _ bytes: [UInt8]) { send(.reply(id, .challenge(bytes))) }

    /// The peer is `account`: the front may hand its connection over, once.
    package func accept(_ id: FrontID, as account: Account, data: [UInt8] = []) {
        // Set before it is said: the hand-over may come before this call returns.
        let isKnown = guests.withLock { guests in
            guard guests[id] != nil else { return false }
            guests[id]?.stage = .accepted(account)
            return true
        }
        if isKnown { send(.reply(id, .success(data))) }
    }

    package func refuse(_ id: FrontID, code: UInt8, data: [UInt8] = []) {
        guests.withLock { $0[id] = nil }
        send(.reply(id, .failure(code: code, data)))
    }

    /// The front stops accepting and ends its own sessions; then it goes, and `ended` is called.
    package func drain() { send(.drain) }

    package func close() { socket.close() }

    private func send(_ message: SessionMessage) { _ = socket.send(message.encoded) }
}
