// After a start: what the event log of earlier lives tells the policy, read once on a thread of its own, while mail is taken already.

import Kernel
import MailPolicy
import Spool
import SpoolFormat

/// Reads this service's own events up to where this life began.
///
/// Sendable: made before its thread, which alone uses it from then on.
final class PolicyRecall: @unchecked Sendable {
    private let follower: LogFollower
    private let end: LogPosition

    /// Opens the log, before the confinement; nil if it cannot be.
    init?(_ log: LogWriter, spool: borrowing DirectoryDescriptor) {
        end = log.end
        let numbers = (try? log.segments()) ?? []
        let start = numbers.suffix(PolicyRecord.segments).first ?? 0
        guard let follower = try? LogFollower(spool: spool, log.name, from: LogPosition(segment: start, offset: 0)) else { return nil }
        self.follower = follower
    }

    func run(into memory: PolicyMemory, _ intake: Intake) {
        defer { memory.recallEnded() }
        do throws(KernelError) {
            while true {
                let records = try follower.poll()
                for placed in records where placed.position < end {
                    if let record = PolicyRecord(placed.record) { memory.recall(record) }
                }
                guard let last = records.last, last.position < end else { return }
            }
        } catch {
            intake.note(RecordLine(.problem).adding(.reason, "the policy's history cannot be read, and begins anew: \(error)"))
        }
    }
}
