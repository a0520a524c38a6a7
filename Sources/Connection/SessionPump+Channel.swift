// What the channel tells the pump. No handler here can fail: whatever goes wrong becomes an `Ending`.

internal import NIOCore
internal import NIOSSL
internal import NIOTLS

extension SessionPump: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        ledger?.value[ObjectIdentifier(self)] = self
        if context.channel.isActive { begin() }
    }

    func channelActive(context: ChannelHandlerContext) { begin() }

    private func begin() {
        guard stage == .connecting else { return }
        guard expectsHandshake else { return open() }
        stage = .handshaking
        limitHandshake()
        settle()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        clock.touch()
        switch stage {
        case .open:
            deliver(unwrapInboundIn(data))
            run()
            // A handshake that begins here keeps the end of this read for itself, and the alarm must not wait for the next.
            if stage == .handshaking { settle() }
        case .surrendering:
            var bytes = unwrapInboundIn(data)
            held.writeBuffer(&bytes)
        case .relaying: partner?.pass(unwrapInboundIn(data))
        case .connecting, .handshaking, .closing, .ended: break
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        readIsPending = false
        if stage == .relaying { partner?.passed() }
        turn()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { clock.touch() }
        partner?.partnerWritabilityChanged()
        turn()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case TLSUserEvent.handshakeCompleted: handshakeCompleted()
        case ChannelEvent.inputClosed: inputClosed()
        default: break
        }
    }

    private func handshakeCompleted() {
        guard stage == .handshaking, let context else { return }
        let facts = agreedTLS(context)
        tls = facts
        clock.closing = nil
        if expectsHandshake {
            expectsHandshake = false
            return open()
        }
        stage = .open
        clock.touch()
        driver.secured(facts)
        turn()
    }

    private func inputClosed() {
        inputIsOver = true
        switch stage {
        case .open: turn()
        case .relaying: cut(.peerClosed)
        case .closing: if hasWrittenLast, let context { closeTransport(context) }
        case .handshaking, .connecting: cut(.peerClosed)
        case .surrendering, .ended: break
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // An EOF without close_notify: most clients close so. The input is over, which NIO says next.
        if let error = error as? NIOSSLError, case .uncleanShutdown = error { return }
        let reason = "\(error)"
        switch stage {
        case .connecting: cut(.notConnected(reason: reason))
        case .handshaking: cut(.tlsFailed(reason: handshakeFailure(error, context)))
        case .open, .surrendering, .relaying:
            cut(error is NIOSSLError || error is BoringSSLError ? .tlsFailed(reason: reason) : .failed(reason: reason))
        case .closing, .ended: closeTransport(context)
        }
    }

    func channelInactive(context: ChannelHandlerContext) { finish(stage == .closing ? closingIs : .peerClosed) }

    func handlerRemoved(context: ChannelHandlerContext) {
        finish(.peerClosed)
        self.context = nil
    }
}

// MARK: reading, closing, the alarm

extension SessionPump {
    private var wantsToRead: Bool {
        guard let context, !inputIsOver else { return false }
        return switch stage {
        case .handshaking, .closing: true
        case .open: held.readableBytes == 0 && context.channel.isWritable && driver.wantsInput
        case .relaying: partner?.isWritable ?? false
        case .connecting, .surrendering, .ended: false
        }
    }

    func resumeReading() {
        guard !readIsPending, wantsToRead else { return }
        readIsPending = true
        context?.read()
    }

    /// Writes the last bytes, then closes our half and hears the peer out: a close with unread input
    /// would reset the connection and could take our last reply with it (RFC 1122 §4.2.2.13).
    func closeDown() {
        guard let context else { return }
        if !isClosingDown {
            isClosingDown = true
            held = ByteBuffer()
            clock.closing = .now() + PumpLimits.lastWrite
            let written = context.eventLoop.makePromise(of: Void.self)
            written.futureResult.assumeIsolated().whenComplete { _ in self.lastBytesWritten() }
            flush(promise: written)
        }
        resumeReading()
        setAlarm()
    }

    private func lastBytesWritten() {
        guard stage == .closing, let context else { return }
        hasWrittenLast = true
        clock.closing = .now() + PumpLimits.linger
        context.close(mode: inputIsOver || tls != nil ? .all : .output, promise: nil)
        setAlarm()
    }

    /// One alarm a connection: it is moved only to an earlier time, a later one is found out when it rings.
    func setAlarm() {
        guard stage != .ended, let context, let next = clock.next else { return }
        if let alarmTime, alarm != nil, alarmTime <= next { return }
        alarm?.cancel()
        alarmTime = next
        alarm = try? context.eventLoop.assumeIsolated().scheduleCallback(at: next, handler: self)
    }
}

extension SessionPump: NIOScheduledCallbackHandler {
    func handleScheduledCallback(eventLoop: some EventLoop) {
        alarm = nil
        guard let next = clock.next, let context else { return }
        guard next <= .now() else { return setAlarm() }
        switch stage {
        case .handshaking, .surrendering: cut(.stalled)
        case .closing:
            finish(hasWrittenLast ? closingIs : .stalled)
            closeTransport(context)
        case .open: limitPassed(context)
        case .connecting, .relaying, .ended: break
        }
    }

    private func limitPassed(_ context: ChannelHandlerContext) {
        guard context.channel.isWritable else { return cut(.stalled) }
        let transactionIsOver = clock.end.map { $0 <= .now() } ?? false
        clock.touch()
        // While the machine waits for us and not for the peer, silence is not the peer's.
        if transactionIsOver || driver.wantsInput {
            clock.end = nil
            driver.deadlinePassed()
        }
        turn()
        setAlarm()
    }
}

/// The limits that no protocol sets.
enum PumpLimits {
    static let handshake = TimeAmount.seconds(30)
    /// How long a closing peer may take to accept our last bytes.
    static let lastWrite = TimeAmount.seconds(10)
    /// How long a peer may take to close after us.
    static let linger = TimeAmount.seconds(2)
}
