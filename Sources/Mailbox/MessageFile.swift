// A message being read: whatever the file's line ends, the bytes and the size are those that are sent.

import Kernel
import Synchronization

/// The open file of a message. Its content never changes, and can be read on after the message was expunged.
package final class MessageFile: Sendable {
    package let name: MessageName
    private let file: Descriptor
    package let fileSize: Int
    private let modified: Int64
    /// Where blocks of the file begin in wire form; nil as long as it is not known, empty if the file is sent as it is.
    private let blocks: Mutex<[Int]?>

    private static let blockSize = 65_536

    init(name: MessageName, file: consuming Descriptor) throws(StoreError) {
        let status = try kernel { () throws(KernelError) in try file.status() }
        guard status.kind == .file, status.size < 1 << 40 else { throw .damaged(path: file.name.bytes) }
        self.name = name
        fileSize = Int(status.size)
        modified = status.modified
        self.file = file
        // `W=` that is the file's size is a promise of whoever wrote the name that nothing needs converting.
        blocks = Mutex(name.wireSize == fileSize ? [] : nil)
    }

    /// The descriptor, for sending without copying; only if `isWireForm`.
    package var rawDescriptor: Int32 { file.raw }

    /// Whether the file holds the bytes that are sent.
    package func isWireForm() throws(StoreError) -> Bool { try measured().isEmpty }

    /// The size as IMAP sends it: RFC822.SIZE, and the literal of BODY[].
    package func wireSize() throws(StoreError) -> Int {
        let blocks = try measured()
        return blocks.last ?? fileSize
    }

    /// The size as POP3 sends it, which ends a last line that has no end (RFC 1939 §3).
    package func maildropSize() throws(StoreError) -> Int {
        let size = try wireSize()
        guard size > 0 else { return 0 }
        return try bytes(fileSize - 1, 1).last == 0x0A ? size : size + 2
    }

    /// When it arrived: by our name, else by the file's time.
    package func arrivalSeconds() throws(StoreError) -> Int64 { name.arrivalSeconds ?? modified / 1_000_000_000 }

    /// The whole in wire form.
    package func contents() throws(StoreError) -> [UInt8] { try read(0..<(try wireSize())) }

    /// A part in wire form, cut to what is there. Costs its own length and one block.
    package func read(_ range: Range<Int>) throws(StoreError) -> [UInt8] {
        let blocks = try measured()
        let end = min(range.upperBound, blocks.last ?? fileSize)
        let start = max(0, range.lowerBound)
        guard start < end else { return [] }
        if blocks.isEmpty { return try bytes(start, end - start) }
        return try converted(start..<end, blocks)
    }

    /// Everything in wire form, piece by piece.
    package func forEachChunk(_ body: ([UInt8]) throws(StoreError) -> Void) throws(StoreError) {
        var form = WireForm()
        let isWire = blocks.withLock { $0?.isEmpty == true }
        var offset = 0
        while offset < fileSize {
            let raw = try bytes(offset, min(MessageFile.blockSize * 4, fileSize - offset))
            guard !raw.isEmpty else { throw .damaged(path: name.bytes) }
            offset += raw.count
            if isWire {
                try body(raw)
            } else {
                var out: [UInt8] = []
                out.reserveCapacity(raw.count + raw.count / 32)
                raw.withUnsafeBytes { form.convert($0, into: &out) }
                try body(out)
            }
        }
    }

    private func bytes(_ offset: Int, _ count: Int) throws(StoreError) -> [UInt8] {
        try kernel { () throws(KernelError) in try file.read(count, at: Int64(offset)) }
    }

    /// The wire offset of each block and of the end; empty if no byte has to be added. Reads the file once.
    private func measured() throws(StoreError) -> [Int] {
        if let known = blocks.withLock({ $0 }) { return known }
        var form = WireForm()
        var offsets = [0]
        var offset = 0
        var total = 0
        while offset < fileSize {
            let raw = try bytes(offset, min(MessageFile.blockSize, fileSize - offset))
            guard !raw.isEmpty else { throw .damaged(path: name.bytes) }
            total += raw.withUnsafeBytes { form.count($0) }
            offset += raw.count
            offsets.append(total)
        }
        let result = total == fileSize ? [] : offsets
        blocks.withLock { $0 = result }
        return result
    }

    private func converted(_ range: Range<Int>, _ blocks: [Int]) throws(StoreError) -> [UInt8] {
        var low = 0
        var high = blocks.count - 1
        while low < high {
            let middle = (low + high + 1) / 2
            if blocks[middle] <= range.lowerBound { low = middle } else { high = middle - 1 }
        }
        var out: [UInt8] = []
        var index = low
        while index < blocks.count - 1, blocks[index] < range.upperBound {
            var form = WireForm()
            let start = index * MessageFile.blockSize
            // The byte before tells whether the first LF has its CR.
            if start > 0 { _ = try bytes(start - 1, 1).withUnsafeBytes { form.count($0) } }
            let raw = try bytes(start, min(MessageFile.blockSize, fileSize - start))
            raw.withUnsafeBytes { form.convert($0, into: &out) }
            index += 1
        }
        let base = blocks[low]
        let upper = min(range.upperBound - base, out.count)
        guard range.lowerBound - base < upper else { return [] }
        return Array(out[(range.lowerBound - base)..<upper])
    }
}

extension Folder {
    /// Opens a message; looks at the folder again if its file has moved.
    package func open(_ uid: MessageUID) throws(StoreError) -> MessageFile {
        for attempt in 0..<2 {
            let found = try withContents { c throws(StoreError) -> (MessageName, FolderHandles)? in
                guard let index = c.index(of: uid) else { return nil }
                return (c.messages[index].name, try self.handles(&c))
            }
            guard let (name, handles) = found else { throw .messageMissing }
            if let file = try ifPresent({ () throws(KernelError) in try handles.cur.open(Path(name.bytes)) }) {
                return try MessageFile(name: name, file: file)
            }
            if attempt == 0 {
                try withContents { c throws(StoreError) in
                    c.mustList = true
                    try self.refresh(&c, lookAgain: true)
                }
            }
        }
        throw .messageMissing
    }
}
