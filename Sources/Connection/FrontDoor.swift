// The front's end of the channel: it asks, it is answered, it hands over. It knows no account and no secret of ours.

internal import CLinux
import Synchronization

/// What the process that talks to strangers has of the session process.
package final class FrontDoor: Sendable {
    private struct State {
        var lastID: FrontID = 0
        var waiting: [FrontID: @Sendable (AuthenticationReply) -> Void] = [:]
        var isClosed = false
    }

    private let socket: MessageSocket
    private let state = Mutex(State())

    /// `raw` is the descriptor that the session process passed at the start.
    package init(adopting raw: Int32) { socket = MessageSocket(adopting: raw) }

    /// Begins to listen. `drain`: accept nobody any more. `ended`: the session process is gone, and so must the front.
    package func start(drain: @escaping @Sendable () -> Void, ended: @escaping @Sendable () -> Void) {
        socket.read(
            { [weak self] bytes, descriptor in
                if descriptor >= 0 { martlet_close(descriptor) }
                guard descriptor < 0, let self, let message = SessionMessage(decoding: bytes) else { return false }
                switch message {
                case .reply(let id, let reply): self.take(reply, for: id)
                case .drain: drain()
                }
                return true
            }, ended: ended)
    }

    private func take(_ reply: AuthenticationReply, for id: FrontID) {
        let waiter = state.withLock { $0.waiting.removeValue(forKey: id) }
        waiter?(reply)
    }

    /// Asks whether a peer is who it says; `answer` is called once, on another thread (a `ReplyAddress` brings it home).
    package func begin(_ start: AuthenticationStart, answer: @escaping @Sendable (AuthenticationReply) -> Void) -> FrontID {
        let id = state.withLock { state in
            state.lastID &+= 1
            state.waiting[state.lastID] = answer
            return state.lastID
        }
        _ = socket.send(FrontRequest.start(id, start).encoded)
        return id
    }

    /// The peer's response to a challenge.
    package func respond(_ bytes: [UInt8], to id: FrontID, answer: @escaping @Sendable (AuthenticationReply) -> Void) {
        state.withLock { $0.waiting[id] = answer }
        _ = socket.send(FrontRequest.response(id, bytes).encoded)
    }

    /// The peer cancelled, or is gone: no answer comes any more.
    package func abandon(_ id: FrontID) {
        state.withLock { $0.waiting[id] = nil }
        _ = socket.send(FrontRequest.abandon(id).encoded)
    }

    /// Gives a connection to the session process; the descriptor stays the caller's to close.
    func handOver(_ id: FrontID, _ raw: Int32, bytes: [UInt8]) -> Bool {
        socket.send(FrontRequest.handOver(id, bytes).encoded, passing: raw)
    }

    /// Tells a fact for the event log.
    package func note(_ note: FrontNote) { _ = socket.send(FrontRequest.note(note.bounded).encoded) }

    package func close() { socket.close() }
}

extension FrontNote {
    /// The texts cut to what the other side takes.
    private static var mostText: Int { 512 }

    fileprivate var bounded: FrontNote {
        switch self {
        case .connected: self
        case .ended(let peer, let trouble): .ended(peer: peer, trouble: Array(trouble.prefix(FrontNote.mostText)))
        case .problem(let reason): .problem(Array(reason.prefix(FrontNote.mostText)))
        }
    }
}

extension Wire {
    /// After `success`: the peer's socket goes to the session process, or over TLS one end of a relay.
    ///
    /// `bytes` are what the machine had read and not used. The driver is told `ended(.handedOver)` in clear;
    /// over TLS it stays, unused, for as long as the session lasts.
    package func handOver(_ id: FrontID, bytes: [UInt8], through door: FrontDoor) {
        guard tls != nil else {
            return surrender { raw, held in door.handOver(id, raw, bytes: bytes + held) }
        }
        var ends: [Int32] = [-1, -1]
        guard martlet_socket_pair(0, &ends) == 0 else { return cut(.failed(reason: "no socket pair")) }
        let passed = door.handOver(id, ends[1], bytes: [])
        martlet_close(ends[1])
        guard passed else {
            martlet_close(ends[0])
            return cut(.failed(reason: "the connection could not be handed over"))
        }
        relay(to: ends[0], bytes: bytes)
    }
}
