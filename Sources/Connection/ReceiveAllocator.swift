// How much a read asks for: little for a dialogue, much for a message, and nothing kept while a peer is silent.

internal import NIOCore

/// Gives each read a fresh buffer that dies with it, so that an idle connection holds none.
///
/// NIO keeps the first buffer of a connection for good and the later ones only if they need not grow: the first is
/// tiny, and every record says that the next may grow.
struct ReceiveAllocator: RecvByteBufferAllocator {
    private static let first = 128
    private static let dialogue = 2048
    private static let most = 65536
    private var size = ReceiveAllocator.first

    func buffer(allocator: ByteBufferAllocator) -> ByteBuffer { allocator.buffer(capacity: size) }

    mutating func record(actualReadBytes: Int) -> Bool {
        if actualReadBytes >= size {
            size = max(ReceiveAllocator.dialogue, min(size * 4, ReceiveAllocator.most))
        } else if actualReadBytes <= size / 4 {
            size = ReceiveAllocator.dialogue
        }
        return true
    }
}
