// The message on its way out, in pieces: from memory, or from the file of its own.

import Kernel
import MailFormat
import SpoolFormat

/// Whether content is lines: what is not goes dot-stuffed, which makes line ends of it.
private struct LineEnds {
    private var isClean = true
    private var last: UInt8 = 10

    mutating func take(_ bytes: [UInt8]) {
        guard isClean else { return }
        var last = self.last
        for byte in bytes {
            if byte == 10 && last != 13 || last == 13 && byte != 10 { isClean = false }
            last = byte
        }
        self.last = last
    }

    var areRight: Bool { isClean && last == 10 }
}

/// Content whose checksum was found right.
final class OutgoingContent: Sendable {
    private static let piece = 64 * 1024

    private let bytes: [UInt8]
    private let file: FileHolder?
    /// Octets as they are stored.
    private let stored: Int
    /// How it is said in 7 bits; nil where it goes as it is.
    let plan: SevenBitPlan?
    /// Octets as they go out.
    let length: Int
    /// Some byte is above 127: BODY=8BITMIME must be declared (RFC 6152 §3).
    let isEightBit: Bool
    /// Every CR and LF stands in a CRLF, and one is the end: it may go as it is, in a chunk.
    let isLines: Bool

    private final class FileHolder: Sendable {
        let descriptor: Descriptor
        init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }
    }

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        file = nil
        plan = nil
        stored = bytes.count
        length = bytes.count
        isEightBit = OutgoingContent.hasHighBit(bytes)
        var ends = LineEnds()
        ends.take(bytes)
        isLines = ends.areRight
    }

    /// Reads the whole file once to compare its sum; throws what stands in the way.
    init(checking file: consuming Descriptor, _ location: ContentLocation) throws {
        var checksum: UInt32 = 0
        var offset = 0
        var isEightBit = false
        var ends = LineEnds()
        while offset < location.extent.length {
            let piece = try file.read(min(1 << 20, location.extent.length - offset), at: Int64(offset))
            guard !piece.isEmpty else { break }
            checksum = CRC32C.checksum(piece, continuing: checksum)
            isEightBit = isEightBit || OutgoingContent.hasHighBit(piece)
            ends.take(piece)
            offset += piece.count
        }
        guard offset == location.extent.length, checksum == location.extent.checksum else { throw MismatchedContent() }
        bytes = []
        plan = nil
        stored = offset
        length = offset
        self.isEightBit = isEightBit
        isLines = ends.areRight
        self.file = FileHolder(file)
    }

    /// Said in 7 bits: it is written once to know how long it is, because that is announced.
    init(converting other: OutgoingContent, by plan: SevenBitPlan) throws {
        bytes = other.bytes
        file = other.file
        stored = other.stored
        self.plan = plan
        isEightBit = false
        var ends = LineEnds()
        var length = 0
        var encoder = SevenBitEncoder(plan)
        var offset = 0
        while offset < stored {
            let piece = try other.piece(at: offset)
            var out: [UInt8] = []
            encoder.append(piece[...], to: &out)
            offset += piece.count
            if offset == stored { encoder.finish(to: &out) }
            ends.take(out)
            length += out.count
        }
        self.length = length
        isLines = ends.areRight
    }

    struct MismatchedContent: Error {}

    private static func hasHighBit(_ bytes: [UInt8]) -> Bool { bytes.reduce(0) { $0 | $1 } > 0x7F }

    /// The stored piece at an offset, empty at the end and nowhere before it; throws when the file no longer gives what it gave.
    func piece(at offset: Int) throws -> [UInt8] {
        guard offset < stored else { return [] }
        guard let file else { return Array(bytes[offset..<min(offset + OutgoingContent.piece, stored)]) }
        let piece = try file.descriptor.read(min(OutgoingContent.piece, stored - offset), at: Int64(offset))
        guard !piece.isEmpty else { throw MismatchedContent() }
        return piece
    }
}
