// Wake-ups: a hint that something changed in a folder. A lost one must cost a second at most, never mail.

import CLinux
import Glibc

/// An inotify instance.
package struct Inotify: ~Copyable, Sendable {
    package let descriptor: Descriptor

    package struct Watch: Hashable, Sendable { package let raw: Int32 }

    package struct Events: OptionSet, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }
        package static let modified = Events(rawValue: UInt32(IN_MODIFY))
        package static let created = Events(rawValue: UInt32(IN_CREATE))
        package static let movedTo = Events(rawValue: UInt32(IN_MOVED_TO))
        package static let closedAfterWriting = Events(rawValue: UInt32(IN_CLOSE_WRITE))
        package static let movedFrom = Events(rawValue: UInt32(IN_MOVED_FROM))
        package static let deleted = Events(rawValue: UInt32(IN_DELETE))
    }

    package init() throws(KernelError) {
        let raw = try attempt(.watch, on: []) { Int(inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))) }
        descriptor = Descriptor(adopting: Int32(raw), name: "inotify")
    }

    package func watch(_ path: Path, for events: Events) throws(KernelError) -> Watch {
        let raw = try attempt(.watch, on: path.bytes) {
            path.withCString { Int(inotify_add_watch(descriptor.raw, $0, events.rawValue)) }
        }
        return Watch(raw: Int32(raw))
    }

    package func remove(_ watch: Watch) { _ = inotify_rm_watch(descriptor.raw, watch.raw) }

    /// Reads what is there without waiting: the watches that fired, each once. Names do not matter to us.
    package func drain() -> Set<Watch> {
        var fired: Set<Watch> = []
        withUnsafeTemporaryAllocation(byteCount: 16384, alignment: 8) { buffer in
            while true {
                let count = Glibc.read(descriptor.raw, buffer.baseAddress, buffer.count)
                guard count > 0 else { return }
                var offset = 0
                while offset + MemoryLayout<inotify_event>.size <= count {
                    let event = buffer.loadUnaligned(fromByteOffset: offset, as: inotify_event.self)
                    fired.insert(Watch(raw: event.wd))
                    offset += MemoryLayout<inotify_event>.size + Int(event.len)
                }
            }
        }
        return fired
    }
}

/// Waits until one of the descriptors is readable; the indexes of those that are. Empty after the timeout or a signal.
package func waitReadable(_ descriptors: [Int32], milliseconds: Int) -> [Int] {
    var polls = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    let count = poll(&polls, nfds_t(polls.count), Int32(clamping: milliseconds))
    guard count > 0 else { return [] }
    return polls.indices.filter { polls[$0].revents != 0 }
}
