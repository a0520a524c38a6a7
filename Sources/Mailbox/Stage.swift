// The stage: where a copy is written and synced before `staged` is said of it, under the name that it keeps for life.
// Stage and mailboxes are one file system, so that handing over is one rename.

package import Kernel
import Synchronization

/// The right to stage copies, for locald alone. Safe to use from several threads.
package final class Stage: Sendable {
    package let identity: StoreIdentity
    let store: Path
    let context: StoreContext
    let directory: DirectoryDescriptor

    /// Opens the stage of a store; `storeMissing` if it is not there or not the one that is expected.
    package init(store: Path, expecting: StoreIdentity?, context: StoreContext) throws(StoreError) {
        guard let opened = try ifPresent({ () throws(KernelError) in
            try DirectoryDescriptor(opening: store / StoreNames.stage)
        }) else { throw .storeMissing(reason: (store / StoreNames.stage).bytes) }
        identity = try StoreIdentity.read(in: opened)
        if let expecting, expecting != identity { throw .storeMissing(reason: Array("another store is mounted".utf8)) }
        directory = opened
        self.store = store
        self.context = context
    }

    /// Whether the store is still the one that was opened: nothing may be concluded from absence before this.
    package func verify() throws(StoreError) {
        guard let now = try ifPresent({ () throws(KernelError) in
            try DirectoryDescriptor(opening: store / StoreNames.stage)
        }) else { throw .storeMissing(reason: (store / StoreNames.stage).bytes) }
        let (a, b) = try kernel { () throws(KernelError) in (try now.status(), try directory.status()) }
        guard a.device == b.device, a.inode == b.inode, try StoreIdentity.read(in: now) == identity else {
            throw .storeMissing(reason: Array("another store is mounted".utf8))
        }
    }

    /// Writes a copy, not synced: `head` is our trace lines, `content` the message, or its first part.
    ///
    /// `size` is that of both together, and of what `StagedFile.write` adds. An older file of the name, which an attempt
    /// left that did not come to `staged`, is replaced.
    package func write(
        _ unique: UniquePart, size: Int, head: [UInt8], content: UnsafeRawBufferPointer
    ) throws(StoreError) -> StagedFile {
        guard let name = unique.name(size: size) else { throw .damaged(path: unique.bytes) }
        let file = try create(Path(name.bytes))
        try kernel { () throws(KernelError) in try file.write(head, content) }
        return StagedFile(name: name, file: file, size: size, written: head.count + content.count)
    }

    private func create(_ name: Path) throws(StoreError) -> Descriptor {
        do throws(KernelError) { return try directory.create(name, mode: context.fileMode, .write) } catch {
            guard error.exists else { throw .kernel(error) }
        }
        return try kernel { () throws(KernelError) in
            try directory.unlink(name)
            return try directory.create(name, mode: context.fileMode, .write)
        }
    }

    /// Makes the names of staged copies durable; after their files, before `staged` is said of any.
    package func sync() throws(StoreError) { try kernel { () throws(KernelError) in try directory.sync() } }

    /// Whether a copy is there.
    package func holds(_ name: MessageName) throws(StoreError) -> Bool {
        try ifPresent { () throws(KernelError) in try directory.status(of: Path(name.bytes)) } != nil
    }

    /// Every copy that is there, for recovery.
    package func list() throws(StoreError) -> [MessageName] {
        try directory.messageNames().filter { $0.bytes != StoreNames.storeID.bytes }
    }

    /// Takes a copy back, durably; only then may `withdrawn` be said of it.
    package func withdraw(_ name: MessageName) throws(StoreError) {
        _ = try ifPresent { () throws(KernelError) in try directory.unlink(Path(name.bytes)) }
        try sync()
    }

    /// Removes a file of which `staged` was never said.
    package func discard(_ name: MessageName) throws(StoreError) {
        _ = try ifPresent { () throws(KernelError) in try directory.unlink(Path(name.bytes)) }
    }
}

/// A staged copy that is not yet durable. Closed with the object: a sync leaves `close` nothing to report.
package final class StagedFile: Sendable {
    package let name: MessageName
    private let file: Descriptor
    private let size: Int
    private let written: Mutex<Int>

    init(name: MessageName, file: consuming Descriptor, size: Int, written: Int) {
        self.name = name
        self.file = file
        self.size = size
        self.written = Mutex(written)
    }

    /// Adds the next part of a message that is not in memory as a whole.
    package func write(_ bytes: UnsafeRawBufferPointer) throws(StoreError) {
        try kernel { () throws(KernelError) in try file.write(bytes) }
        written.withLock { $0 += bytes.count }
    }

    /// Makes the content durable; once only. Threads that sync at once share a journal commit.
    package func sync() throws(StoreError) {
        // A name that lies about the size would be found out only by its reader.
        guard written.withLock({ $0 }) == size else { throw .damaged(path: name.bytes) }
        try kernel { () throws(KernelError) in try file.sync() }
    }
}

/// The lines above the message: what local delivery adds (RFC 5321 §4.4; `Delivered-To` as qmail and Postfix have it).
package enum TraceHeader {
    /// `received` is a complete folded field or empty, with its CRLF.
    package static func lines(returnPath: [UInt8], deliveredTo: [UInt8], received: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(returnPath.count + deliveredTo.count + received.count + 40)
        out += "Return-Path: <".utf8
        out += returnPath
        out += ">\r\nDelivered-To: ".utf8
        out += deliveredTo
        out += "\r\n".utf8
        return out + received
    }
}
