// History ends after its time: whole segments go, oldest first, and never one that somebody still has to read.
// What they said stays as sums: a checkpoint that counts them is durable in this log before the first of them is unlinked.

package import Kernel
package import SpoolFormat

extension EventWriter {
    /// How often is looked, and the rest between two segments that go: to count one takes as long as to read it.
    private static let pause = Duration.seconds(3600)
    private static let pauseWithin: Int64 = 1000

    /// Removes the oldest segment if it was last written before `limit`; looks once an hour, and goes on at once while there are more.
    ///
    /// `consumed` is how far the program that acts on this log has durably read it; nil if none does. The newest segment
    /// stays whatever its age: a number that was used again would hide what is written next.
    package func expire(before limit: WallTime, consumed: LogPosition? = nil, now: MonotonicTime) throws(KernelError) {
        guard now - lastExpiry >= EventWriter.pause else { return }
        lastExpiry = now
        let numbers = try log.segments()
        guard let oldest = numbers.first, oldest < log.end.segment, consumed.map({ oldest < $0.segment }) ?? true,
            try log.modified(oldest) < limit.nanoseconds
        else { return }
        guard let sums = counted(oldest, of: numbers), try checkpoint(sums) else { return }
        try log.dropSegment(oldest)
        lastExpiry = now.adding(milliseconds: EventWriter.pauseWithin - EventWriter.pause.milliseconds)
    }

    /// The sums with this segment; nil where it cannot be read now: history that stays longer holds up no mail.
    private func counted(_ number: UInt32, of numbers: [UInt32]) -> Checkpoint? {
        do throws(KernelError) {
            var sums: Checkpoint
            if let checkpoint { sums = checkpoint } else { sums = try log.newestCheckpoint(of: numbers) }
            if number > sums.segment { try log.count(number, of: numbers, into: &sums) }
            return sums
        } catch {
            append(RecordLine(.problem).adding(.reason, "old events cannot be counted, and stay: \(error)"), at: .now())
            return nil
        }
    }

    /// Makes a checkpoint durable; false while the disk is full.
    private func checkpoint(_ sums: Checkpoint) throws(KernelError) -> Bool {
        if sums != checkpoint {
            append(sums.line, at: .now())
            do throws(LogError) { try commit() } catch {
                switch error {
                case .noSpace: return false
                case .failed(let cause), .broken(let cause): throw cause
                case .locked(let name): throw KernelError(.write, code: 11, object: name.text)
                }
            }
        }
        checkpoint = sums
        return true
    }
}

extension Duration {
    fileprivate var milliseconds: Int64 { components.seconds * 1000 }
}

extension LogWriter {
    /// The sums of what is gone. The newest checkpoint stands near the end: it is written whenever a segment goes.
    func newestCheckpoint(of numbers: [UInt32]) throws(KernelError) -> Checkpoint {
        guard let oldest = numbers.first, try readable(oldest)?.header.predecessor != nil else { return Checkpoint() }
        for number in numbers.reversed() {
            var found: Checkpoint?
            _ = try scan(number, of: numbers) { record in
                if let sums = Checkpoint(record) { found = sums }
            }
            if let found { return found }
        }
        // Segments went before there were checkpoints: nobody can say what they held.
        var sums = Checkpoint()
        sums.segment = oldest - 1
        sums.add(.unreadable)
        return sums
    }

    /// Adds the facts of one segment.
    fileprivate func count(_ number: UInt32, of numbers: [UInt32], into sums: inout Checkpoint) throws(KernelError) {
        var facts = SegmentFacts()
        var following = SegmentFacts()
        let isWhole = try scan(number, of: numbers) { facts.hear($0) }
        if let next = numbers.first(where: { $0 > number }) { _ = try scan(next, of: numbers) { following.hear($0) } }
        facts.count(into: &sums, next: following)
        if !isWhole { sums.add(.unreadable) }
        sums.segment = number
    }

    /// Calls `body` with each committed record of a segment; false if some of it cannot be read.
    private func scan(_ number: UInt32, of numbers: [UInt32], _ body: (Record) -> Void) throws(KernelError) -> Bool {
        guard let file = try readable(number) else { return false }
        var sealed: Int64?
        if let next = numbers.first(where: { $0 > number }), let before = try readable(next)?.header.predecessor, before.segment == number {
            sealed = before.offset
        }
        return try !file.scan(sealed: sealed) { body($0.record) }.isDamaged
    }
}
