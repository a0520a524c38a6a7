// Records that were valid but uncommitted when the last writer ended: they go into the next segment as they are.

import Kernel
import SpoolFormat

extension LogWriter.TailRecord {
    /// Reads a record of the tail whole; nil if its content was torn.
    init?(_ placed: PlacedRecord, in file: SegmentFile) throws(KernelError) {
        self.placed = placed
        let whole = try file.descriptor.read(placed.lineLength + (placed.contentLength > 0 ? placed.contentLength + 1 : 0), at: placed.position.offset)
        // The line without ` #crc` and its line feed: the checksum depends on the segment.
        line = Array(whole.prefix(placed.lineLength - 11))
        content = Array(whole.dropFirst(placed.lineLength))
        if let extent = placed.record.extent(.content) {
            guard spoolChecksum.of(content.prefix(extent.length)) == extent.checksum else { return nil }
        }
    }

    func resealed(seed: UInt32) -> [UInt8] {
        var bytes = line
        bytes += Array(" #".utf8)
        Hex.append(UInt64(spoolChecksum.of(line, seed: seed)), digits: 8, to: &bytes)
        bytes.append(0x0A)
        return bytes + content
    }
}
