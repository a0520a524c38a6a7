// A pump put on a socket that is connected already.

internal import NIOCore
internal import NIOPosix

extension SessionPump {
    /// Takes a connected socket, which is the pump's from here on. On the pump's loop.
    func join(_ raw: Int32) {
        let bound = NIOLoopBound(self, eventLoop: home.loop)
        ClientBootstrap(group: home.loop)
            .channelOption(.autoRead, value: false)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelOption(.recvAllocator, value: ReceiveAllocator())
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(bound.value) }
            }
            .withConnectedSocket(raw)
            .whenFailure { error in bound.value.finish(.failed(reason: "\(error)")) }
    }
}
