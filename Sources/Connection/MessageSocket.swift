// One end of the channel between the front and the session process of a program: whole messages, and descriptors with them.
// A thread of its own always reads, so a send that waits for the other side cannot wait for ever on both.

internal import CLinux
internal import Kernel
import Synchronization

/// A SEQPACKET socket that is sent to from any thread and read by one.
final class MessageSocket: Sendable {
    /// The most that a message holds; a longer one ends the channel.
    static let mostBytes = 160 * 1024
    private static let sendLimit: Int32 = 5

    private struct State {
        var isClosed = false
    }

    private let raw: Int32
    private let state = Mutex(State())

    init(adopting raw: Int32) {
        self.raw = raw
        _ = martlet_limit_send(raw, MessageSocket.sendLimit)
    }

    deinit { martlet_close(raw) }

    /// Sends one message, with a copy of a descriptor; false when the channel is broken, which also ends it.
    func send(_ bytes: [UInt8], passing descriptor: Int32 = -1) -> Bool {
        guard bytes.count <= MessageSocket.mostBytes, martlet_send_message(raw, bytes, bytes.count, descriptor) == bytes.count else {
            close()
            return false
        }
        return true
    }

    /// Ends the channel for both sides; the reader finds out at once.
    func close() {
        let wasOpen = state.withLock { state in
            defer { state.isClosed = true }
            return !state.isClosed
        }
        if wasOpen { martlet_shutdown(raw) }
    }

    /// Reads until the channel ends or `take` says that a message is not one of ours. `take` must not block.
    ///
    /// A descriptor that comes with a message is `take`'s; -1 is none.
    func read(_ take: @escaping @Sendable (ArraySlice<UInt8>, Int32) -> Bool, ended: @escaping @Sendable () -> Void) {
        startThread {
            self.readUntilTheEnd(take)
            self.close()
            ended()
        }
    }

    private func readUntilTheEnd(_ take: (ArraySlice<UInt8>, Int32) -> Bool) {
        var buffer = [UInt8](repeating: 0, count: MessageSocket.mostBytes)
        while true {
            var descriptor: Int32 = -1
            let count = martlet_receive_message(raw, &buffer, buffer.count, &descriptor)
            guard count > 0, take(buffer[..<count], descriptor) else { return }
        }
    }

    /// The two ends of a new channel, as numbers to adopt or to pass to a child.
    static func pair() -> (Int32, Int32)? {
        var ends: [Int32] = [-1, -1]
        return martlet_socket_pair(1, &ends) == 0 ? (ends[0], ends[1]) : nil
    }
}

/// The channel that joins the two processes: made by the session process before it starts the front.
package enum FrontChannel {
    /// One end for a `SessionDoor`, one to pass to the front and its `FrontDoor`; nil when there are no descriptors left.
    package static func pair() -> (session: Int32, front: Int32)? {
        MessageSocket.pair().map { (session: $0.0, front: $0.1) }
    }
}
