// The far side of a relayed connection: bytes in both directions, each side read only as fast as the other takes.

internal import NIOCore

/// A handler on the local socket that leads to the process which has the session.
final class RelayEnd: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum Event { case mayRead, ended }

    private let peerChannel: any Channel
    private let tell: (Event) -> Void
    private var context: ChannelHandlerContext?
    private var first: ByteBuffer
    private var readIsPending = false
    private var hasEnded = false

    init(channel: any Channel, first: ByteBuffer, tell: @escaping (Event) -> Void) {
        peerChannel = channel
        self.first = first
        self.tell = tell
    }

    // MARK: from the peer

    /// Whether the peer may be read.
    var isWritable: Bool { context?.channel.isWritable ?? false }

    func pass(_ bytes: ByteBuffer) { context?.write(wrapOutboundOut(bytes), promise: nil) }
    func passed() { context?.flush() }
    func partnerWritabilityChanged() { resumeReading() }

    /// The peer is gone: what it sent is still delivered.
    func partnerEnded() {
        hasEnded = true
        guard let context else { return }
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { _ in self.context?.close(promise: nil) }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: written)
    }

    // MARK: from the session

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { begin() }
    }

    func channelActive(context: ChannelHandlerContext) { begin() }

    private func begin() {
        guard let context else { return }
        if first.readableBytes > 0 { context.writeAndFlush(wrapOutboundOut(first), promise: nil) }
        first = ByteBuffer()
        if hasEnded { return partnerEnded() }
        tell(.mayRead)
        resumeReading()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { peerChannel.write(unwrapInboundIn(data), promise: nil) }

    func channelReadComplete(context: ChannelHandlerContext) {
        readIsPending = false
        peerChannel.flush()
        resumeReading()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { tell(.mayRead) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    func channelInactive(context: ChannelHandlerContext) { end() }
    func handlerRemoved(context: ChannelHandlerContext) {
        end()
        self.context = nil
    }

    private func resumeReading() {
        guard !readIsPending, peerChannel.isWritable, let context else { return }
        readIsPending = true
        context.read()
    }

    private func end() {
        guard !hasEnded else { return }
        hasEnded = true
        tell(.ended)
    }
}
