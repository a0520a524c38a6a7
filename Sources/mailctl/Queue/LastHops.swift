// By which way each copy was tried last: what queued's `assign` says of it, looked for from the newest segment back.

import Kernel
import MailModel
import Spool
import SpoolFormat

struct LastHops {
    struct Key: Hashable {
        let id: QueueID
        let original: [UInt8]
        let final: [UInt8]
    }

    struct Attempt {
        /// The configured next hop; empty for the domain's own servers, or the smarthost.
        let hop: [UInt8]
        /// The sender that it went out with; empty for the null sender.
        let sender: [UInt8]
    }

    /// The last attempt; nil where none is known.
    subscript(_ key: Key) -> Attempt? { found[key] }

    private var found: [Key: Attempt] = [:]

    /// `wanted`: when the message of each was accepted. What was written before that says nothing of it, and is not read.
    init(of wanted: [Key: WallTime], in spool: borrowing DirectoryDescriptor) throws(KernelError) {
        var isOlder = false
        let numbers = try spool.openDirectory(LogName(.queued, .events).path).list().compactMap { SegmentName.number($0.name) }.sorted()
        for number in numbers.reversed() where found.count < wanted.count && !isOlder {
            var here: [Key: Attempt] = [:]
            var began: WallTime?
            try LastHops.forEachRecord(of: number, in: spool) { record in
                // A block has the times of its messages, and what a start repeats has none.
                if began == nil, [.start, .assign, .deferred, .route].contains(record.verb) { began = record[.at].flatMap(Timestamp.time) }
                // An assignment of a block says the same host as its `assign` did. What goes to a mailbox has none.
                guard record.verb == .assign || record.verb == .pending && record[.answers] != nil, record[.account] == nil, let id = record.id,
                    let original = record[.recipient], let final = record[.final], case let key = Key(id: id, original: original, final: final),
                    wanted[key] != nil
                else { return }
                here[key] = Attempt(hop: record[.host] ?? [], sender: record[.from] ?? [])
            }
            found.merge(here) { newer, _ in newer }
            if let began { isOlder = wanted.allSatisfy { found[$0.key] != nil || began < $0.value } }
        }
    }

    private static func forEachRecord(of number: UInt32, in spool: borrowing DirectoryDescriptor, _ body: (Record) -> Void) throws(KernelError) {
        let follower = try LogFollower(spool: spool, LogName(.queued, .events), from: LogPosition(segment: number, offset: 0))
        while true {
            let records = try follower.poll(limit: 1024)
            for placed in records {
                guard placed.position.segment == number else { return }
                body(placed.record)
            }
            if records.isEmpty { return }
        }
    }
}
