// In front of everything on a connection from a load balancer: waits for the PROXY header, then begins the session as the
// client's that it names.

internal import NIOCore

/// Reads the header and leaves; a connection without one is closed.
final class ProxyHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// A balancer sends its header with the first segment.
    private static let patience = TimeAmount.seconds(5)

    /// Puts the session's handlers behind this one; the addresses are nil for a connection of the balancer's own.
    private let begin: (_ client: SocketAddress?, _ local: SocketAddress?) throws -> Void
    private let refused: (String) -> Void
    /// Called once, when the header is there or will not come.
    private var over: (() -> Void)?
    private var held = ByteBuffer()
    private var alarm: Scheduled<Void>?

    init(
        begin: @escaping (SocketAddress?, SocketAddress?) throws -> Void, refused: @escaping (String) -> Void, over: @escaping () -> Void
    ) {
        self.begin = begin
        self.refused = refused
        self.over = over
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        alarm = context.eventLoop.scheduleTask(in: ProxyHandler.patience) { channel.close(promise: nil) }
        if channel.isActive { context.read() }
    }

    func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        context.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard over != nil else { return context.fireChannelRead(data) }
        var bytes = unwrapInboundIn(data)
        held.writeBuffer(&bytes)
        switch ProxyHeader.read(Array(held.readableBytesView)[...]) {
        case .more: break
        case .invalid: fail("no header of the PROXY protocol came", context)
        case .header(let header, let length): take(header, length, context)
        }
    }

    private func take(_ header: ProxyHeader, _ length: Int, _ context: ChannelHandlerContext) {
        var addresses: (SocketAddress?, SocketAddress?) = (nil, nil)
        if case .client(let source, let sourcePort, let destination, let destinationPort) = header {
            addresses = (ProxyHandler.address(source, sourcePort), ProxyHandler.address(destination, destinationPort))
            guard addresses.0 != nil else { return fail("the PROXY header names no address", context) }
        }
        end()
        held.moveReaderIndex(forwardBy: length)
        let rest = held
        held = ByteBuffer()
        do { try begin(addresses.0, addresses.1) } catch { return context.close(promise: nil) }
        if rest.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(rest)) }
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }

    private static func address(_ bytes: [UInt8], _ port: UInt16) -> SocketAddress? {
        try? SocketAddress(packedIPAddress: ByteBuffer(bytes: bytes), port: Int(port))
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        if over != nil { context.read() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if over != nil, case ChannelEvent.inputClosed = event { return fail(nil, context) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if over == nil { context.fireErrorCaught(error) } else { fail(nil, context) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { end() }

    private func fail(_ reason: String?, _ context: ChannelHandlerContext) {
        if let reason { refused(reason) }
        end()
        context.close(promise: nil)
    }

    private func end() {
        alarm?.cancel()
        alarm = nil
        over?()
        over = nil
    }
}
