// Content above the inline limit: streamed to a file of its own while it comes in.

import Kernel
import MailModel
import SpoolFormat
import Synchronization

/// A content file being written; handed from the session's loop to the commit thread at the end.
final class BigContent: Sendable {
    private struct State: ~Copyable {
        var file: Descriptor?
        var length = 0
        /// Where the message begins, behind our trace field.
        var start = 0
        /// Its header, where content filters are to see it.
        var header: HeaderCapture?
        var checksum: UInt32 = 0
        var failure: KernelError?
    }

    let id: QueueID
    let name: Path
    private let folder: Path
    private let state: Mutex<State>

    /// Creates the file; a failure is told by `finish`, after the client has sent the rest.
    init(_ id: QueueID, in folder: Path) {
        self.id = id
        self.folder = folder
        name = folder / Path(id.text)
        var state = State()
        do throws(KernelError) { state.file = try Descriptor.create(name, mode: 0o640) } catch { state.failure = error }
        self.state = Mutex(state)
    }

    /// Our trace field, which goes before the message.
    func begin(_ trace: [UInt8], keepsHeader: Bool = false) {
        append(trace)
        state.withLock { state in
            state.start = state.length
            if keepsHeader { state.header = HeaderCapture() }
        }
    }

    func append(_ bytes: [UInt8]) {
        state.withLock { state in
            state.header?.hear(bytes)
            guard state.failure == nil, let file = state.file.take() else { return }
            state.length += bytes.count
            state.checksum = CRC32C.checksum(bytes, continuing: state.checksum)
            do throws(KernelError) { try file.write(bytes) } catch { state.failure = error }
            state.file = consume file
        }
    }

    /// Syncs and closes; the extent to be recorded.
    func finish() throws(KernelError) -> ContentExtent {
        var failure: KernelError?
        let extent = state.withLock { state -> ContentExtent in
            failure = state.failure
            if failure == nil, let file = state.file.take() {
                do throws(KernelError) {
                    try file.sync()
                    try file.close()
                } catch { failure = error }
            }
            return ContentExtent(length: state.length, checksum: state.checksum)
        }
        if let failure {
            discard()
            throw failure
        }
        return extent
    }

    /// Octets that were appended; fewer than were given once something failed.
    var length: Int { state.withLock { $0.length } }
    /// Where the message begins in the file.
    var start: Int { state.withLock { $0.start } }
    var header: HeaderCapture { state.withLock { $0.header ?? HeaderCapture() } }
    var hasFailed: Bool { state.withLock { $0.failure != nil } }

    /// The file for reading, while it is being written or after; nil if it cannot be opened.
    func reader() -> Descriptor? { try? DirectoryDescriptor(passing: folder).open(Path(id.text)) }

    /// A piece of what was appended; empty if it cannot be read.
    func read(_ count: Int, at offset: Int) -> [UInt8] { (try? reader()?.read(count, at: Int64(offset))) ?? [] }

    /// A new file of the same name and id, once this one is discarded.
    func successor() -> BigContent { BigContent(id, in: folder) }

    /// Nobody takes responsibility for this content.
    func discard() {
        state.withLock { _ = $0.file.take() }
        try? Descriptor.unlink(name)
    }
}
