// Content that a mail log still holds, of messages that are asked for; read whole and compared with its checksum.

import Kernel
import MailModel
import Spool
import SpoolFormat

/// Where accepted messages lie, and who sent them.
struct AcceptedContent {
    struct Accept: Sendable {
        let sender: [UInt8]
        let location: ContentLocation
    }

    private(set) var accepts: [QueueID: Accept] = [:]
    private let reader: ContentReader

    init(of ids: Set<QueueID>, in spool: borrowing DirectoryDescriptor) throws(KernelError) {
        reader = try ContentReader(spool: spool)
        for origin in QueueOrigin.allCases where !ids.isEmpty {
            let follower = try LogFollower(spool: spool, LogName(origin.owner, .mail), from: .start)
            while true {
                let records = try follower.poll()
                if records.isEmpty { break }
                for placed in records {
                    guard placed.record.isAccept(from: origin), let id = placed.record.id, ids.contains(id),
                        let accept = Accept(placed, origin)
                    else { continue }
                    accepts[id] = accept
                }
            }
        }
    }

    /// Hands out the content of a message, part by part; false if it is gone, unreadable, or not what was accepted.
    ///
    /// What was handed out counts only if the answer is true. Throws what `body` throws.
    func forEachPart(of id: QueueID, _ body: ([UInt8]) throws(KernelError) -> Void) throws(KernelError) -> Bool {
        guard let accept = accepts[id] else { return false }
        guard accept.location.position == nil else {
            guard let content = try? reader.content(at: accept.location, id: id) else { return false }
            try body(content)
            return true
        }
        let extent = accept.location.extent
        guard let file = try? reader.big(accept.location, id: id) else { return false }
        var checksum: UInt32 = 0
        var offset = 0
        while offset < extent.length {
            guard let part = try? file.read(min(1 << 20, extent.length - offset), at: Int64(offset)), !part.isEmpty else { return false }
            checksum = CRC32C.checksum(part, continuing: checksum)
            offset += part.count
            try body(part)
        }
        return checksum == extent.checksum
    }

    /// Whether the whole content is there.
    func isWhole(_ id: QueueID) throws(KernelError) -> Bool { try forEachPart(of: id) { _ throws(KernelError) in } }
}

extension AcceptedContent.Accept {
    fileprivate init?(_ placed: PlacedRecord, _ origin: QueueOrigin) {
        guard let sender = placed.record[.from] else { return nil }
        if let extent = placed.record.extent(.content) {
            let position = LogPosition(segment: placed.position.segment, offset: placed.contentOffset)
            self.init(sender: sender, location: ContentLocation(origin: origin, position: position, extent: extent))
        } else if let extent = placed.record.extent(.big) {
            self.init(sender: sender, location: ContentLocation(origin: origin, position: nil, extent: extent))
        } else {
            return nil
        }
    }
}
