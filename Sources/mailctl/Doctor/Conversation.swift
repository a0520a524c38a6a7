// A dialogue with one of our own listeners, line by line, for a thread that waits.

import Connection
import Kernel
import Synchronization

/// A connection that is written and read in turns.
final class Conversation: Sendable {
    enum Command: Sendable {
        case send([UInt8])
        case secure(ClientTLS, name: [UInt8])
        case close
    }

    /// Why there was no answer.
    struct Broken: Error {
        let reason: String
        /// It stood, and the handshake failed: with other demands it may do.
        var isTLS = false
    }

    private struct State {
        var received: [UInt8] = []
        var address: ReplyAddress<Command>?
        var isSecure = false
        var ending: Ending?
    }

    private let monitor = Monitor()
    private let state = Mutex(State())
    private static let patience = Duration.seconds(15)

    /// Connects; with `tls` its handshake comes first.
    init(_ dialer: Dialer, to host: String, port: UInt16, tls: ClientTLS? = nil, name: [UInt8]) throws(Broken) {
        let role = ListenerRole(Array("doctor".utf8), isImplicitTLS: tls != nil)
        dialer.dial(
            SocketName(address: Array(host.utf8), port: port), as: role, timeout: .seconds(5), implicitTLS: tls.map { ImplicitTLS($0, serverName: name) }
        ) { Driver(self) }
        try wait { $0.address != nil }
    }

    func send(_ text: String) { command(.send(Array(text.utf8))) }

    /// The next line without its end.
    func line() throws(Broken) -> String {
        try wait { $0.received.contains(0x0A) }
        return state.withLock { state in
            let line = state.received.prefix { $0 != 0x0A }
            state.received.removeFirst(line.count + 1)
            return String(decoding: line.filter { $0 != 0x0D }, as: UTF8.self)
        }
    }

    /// Upgrades in place.
    func secure(_ tls: ClientTLS, name: [UInt8]) throws(Broken) {
        command(.secure(tls, name: name))
        try wait { $0.isSecure }
    }

    func close() { command(.close) }

    private func command(_ command: Command) { state.withLock { $0.address }?.deliver(command) }

    private func wait(_ isReady: (State) -> Bool) throws(Broken) {
        let end = MonotonicTime.now().adding(milliseconds: Conversation.patience.components.seconds * 1000)
        monitor.lock()
        defer { monitor.unlock() }
        while true {
            let (ready, ending) = state.withLock { (isReady($0), $0.ending) }
            if ready { return }
            if let ending {
                if case .tlsFailed = ending { throw Broken(reason: ending.sentence, isTLS: true) }
                throw Broken(reason: ending.sentence)
            }
            guard .now() < end else { throw Broken(reason: "no answer within \(Conversation.patience.components.seconds) s") }
            monitor.wait(milliseconds: 200)
        }
    }

    private func change(_ body: (inout State) -> Void) {
        monitor.lock()
        state.withLock { body(&$0) }
        monitor.signalAll()
        monitor.unlock()
    }

    /// The loop's end of it.
    private final class Driver: SessionDriver {
        typealias Answer = Command
        private let conversation: Conversation
        private var waiting: [Command] = []

        init(_ conversation: Conversation) { self.conversation = conversation }

        var wantsInput: Bool { true }

        func opened(_ wire: Wire<Command>) {
            wire.limitSilence(to: .seconds(60))
            let address = wire.replyAddress
            conversation.change { $0.address = address }
        }
        func received(_ bytes: ArraySlice<UInt8>) {
            // Our own servers say little; whoever says more is not heard on.
            conversation.change { if $0.received.count < 1 << 20 { $0.received += bytes } }
        }
        func step(_ wire: Wire<Command>) -> Bool {
            guard !waiting.isEmpty else { return false }
            switch waiting.removeFirst() {
            case .send(let bytes): wire.send(bytes)
            case .secure(let tls, let name): wire.startTLS(tls, serverName: name)
            case .close: wire.close()
            }
            return true
        }
        func answered(_ answer: Command) { waiting.append(answer) }
        func secured(_ tls: TLSFacts) { conversation.change { $0.isSecure = true } }
        func deadlinePassed() { waiting.append(.close) }
        func shutdownRequested() { waiting.append(.close) }
        func ended(_ ending: Ending) { conversation.change { $0.ending = ending } }
    }
}

extension Ending {
    /// For people.
    var sentence: String {
        switch self {
        case .closed, .handedOver, .drained: "the connection was closed"
        case .peerClosed: "the server closed the connection"
        case .notConnected(let reason), .notBegun(let reason): "no connection: \(reason)"
        case .tlsFailed(let reason): "the TLS handshake failed: \(reason)"
        case .failed(let reason): reason
        case .stalled: "the server stalled"
        }
    }
}
