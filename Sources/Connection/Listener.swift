// One inherited listening socket. Trouble of accepting pauses it; nothing ends it but the drain.

internal import CLinux
internal import NIOCore
internal import NIOPosix
import Synchronization

/// Accepts on a copy of the descriptor, so that the inherited one outlives us.
final class Listener: Sendable {
    private struct State {
        var channel: (any Channel)?
        var isClosed = false
    }

    private let raw: Int32
    private let loop: any EventLoop
    private let bind: @Sendable (Int32) -> EventLoopFuture<any Channel>
    private let report: @Sendable (String) -> Void
    private let state = Mutex(State())

    init(
        raw: Int32, loop: any EventLoop, report: @escaping @Sendable (String) -> Void,
        bind: @escaping @Sendable (Int32) -> EventLoopFuture<any Channel>
    ) {
        self.raw = raw
        self.loop = loop
        self.bind = bind
        self.report = report
    }

    func open() {
        let copy = martlet_duplicate(raw)
        guard copy >= 0 else { return retry("cannot copy the listening socket: no descriptors left") }
        bind(copy).whenComplete { result in
            switch result {
            case .success(let channel): self.opened(channel)
            case .failure(let error): self.retry("cannot listen: \(error)")
            }
        }
    }

    private func opened(_ channel: any Channel) {
        let isClosed = state.withLock { state in
            if !state.isClosed { state.channel = channel }
            return state.isClosed
        }
        if isClosed { return channel.close(promise: nil) }
        channel.closeFuture.whenComplete { _ in self.retry(nil) }
    }

    private func retry(_ trouble: String?) {
        guard !state.withLock({ $0.isClosed }) else { return }
        if let trouble { report(trouble) }
        loop.scheduleTask(in: Listener.rest) {
            if !self.state.withLock({ $0.isClosed }) { self.open() }
        }
    }

    /// How long accepting pauses after an error. Who waits in the queue meanwhile is served afterwards.
    private static let rest = TimeAmount.milliseconds(500)

    func close() {
        let channel = state.withLock { state in
            state.isClosed = true
            defer { state.channel = nil }
            return state.channel
        }
        channel?.close(promise: nil)
    }
}

/// Closes our copy of the listener when accepting fails, for want of descriptors or for what accept(2) reports of a network.
///
/// Leaving it open would spin: NIO 2.101 stays registered for a queue that it cannot empty, and its `AcceptBackoffHandler`
/// delays the wish to read, not the event.
final class TroubleHandler: ChannelInboundHandler {
    typealias InboundIn = any Channel
    private let report: @Sendable (String) -> Void

    init(report: @escaping @Sendable (String) -> Void) { self.report = report }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        report("cannot accept: \(error)")
        context.close(promise: nil)
    }
}
