// The message on its way out, in pieces: from memory, or from the file of its own.

import Kernel
import SpoolFormat

/// Content whose checksum was found right.
final class OutgoingContent: Sendable {
    private static let piece = 64 * 1024

    private let bytes: [UInt8]
    private let file: FileHolder?
    let length: Int

    private final class FileHolder: Sendable {
        let descriptor: Descriptor
        init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }
    }

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        file = nil
        length = bytes.count
    }

    /// Reads the whole file once to compare its sum; throws what stands in the way.
    init(checking file: consuming Descriptor, _ location: ContentLocation) throws {
        var checksum: UInt32 = 0
        var offset = 0
        while offset < location.extent.length {
            let piece = try file.read(1 << 20, at: Int64(offset))
            guard !piece.isEmpty else { break }
            checksum = CRC32C.checksum(piece, continuing: checksum)
            offset += piece.count
        }
        guard offset == location.extent.length, checksum == location.extent.checksum else { throw MismatchedContent() }
        bytes = []
        length = offset
        self.file = FileHolder(file)
    }

    struct MismatchedContent: Error {}

    /// The piece at an offset; empty at the end.
    func piece(at offset: Int) throws(KernelError) -> [UInt8] {
        guard offset < length else { return [] }
        if let file { return try file.descriptor.read(min(OutgoingContent.piece, length - offset), at: Int64(offset)) }
        return Array(bytes[offset..<min(offset + OutgoingContent.piece, length)])
    }
}
