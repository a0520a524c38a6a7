// The end of a connection here that is not its end for the peer: its socket, or its bytes, go to another process.

internal import CLinux
internal import NIOCore
internal import NIOPosix

extension Wire {
    /// Gives the socket away once all that was sent has left: `body` passes the number on before it returns.
    ///
    /// Only in clear: TLS state cannot leave the process, see `relay`. `body` gets the bytes read and not yet received;
    /// its false ends the connection for the peer too.
    package func surrender(_ body: @escaping (_ raw: Int32, _ bytes: [UInt8]) -> Bool) {
        guard stage == .open, tls == nil, let context else { return }
        stage = .surrendering
        clock.closing = .now() + PumpLimits.lastWrite
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenSuccess { self.handOver(body) }
        flush(promise: written)
    }

    private func handOver(_ body: (Int32, [UInt8]) -> Bool) {
        guard stage == .surrendering, let context else { return }
        let bytes = Array(held.readableBytesView)
        let passed = try? context.pipeline.syncOperations.withUnsafeTransportIfAvailable { (raw: NIOBSDSocket.Handle) in
            body(raw, bytes)
        }
        cut(passed == true ? .handedOver : .failed(reason: "the connection could not be handed over"))
    }

    /// Passes all bytes from here on to and from another socket, which becomes the wire's; for TLS, which must stay here.
    ///
    /// Neither side is read faster than the other takes it. When one ends, what it sent is delivered and the other ends.
    package func relay(to raw: Int32, bytes: [UInt8]) {
        guard stage == .open, let context else {
            martlet_close(raw)
            return
        }
        flush()
        stage = .relaying
        let first = ByteBuffer(bytes: bytes + Array(held.readableBytesView))
        held = ByteBuffer()
        clock.silence = nil
        clock.end = nil
        let end = RelayEnd(channel: context.channel, first: first) { [weak self] in self?.relayEvent($0) }
        partner = end
        let bound = NIOLoopBound(end, eventLoop: context.eventLoop)
        ClientBootstrap(group: context.eventLoop)
            .channelOption(.autoRead, value: false)
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelOption(.recvAllocator, value: ReceiveAllocator())
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(bound.value) }
            }
            .withConnectedSocket(raw)
            .whenFailure { _ in bound.value.partnerEnded() }
    }

    private func relayEvent(_ event: RelayEnd.Event) {
        switch event {
        case .mayRead: turn()
        case .ended:
            partner = nil
            if stage == .relaying {
                stage = .closing
                turn()
            }
        }
    }
}
