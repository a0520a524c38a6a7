// Reads what another program has committed, and nothing else: a power cut can take back the rest.

package import Kernel
package import SpoolFormat

/// Something wrong in a log that is followed: set aside, reported once, never acted on.
package struct LogDamage: Hashable, Sendable {
    package let log: LogName
    package let from: LogPosition
    /// The end of the damaged range; nil when a whole segment is unusable.
    package let to: Int64?
    package let reason: String
}

/// Follows one log from a position. Used by one thread.
package final class LogFollower {
    package let name: LogName
    private let folder: DirectoryDescriptor
    private let owner: UInt32
    private var reader: SegmentReader?
    /// The segment whose successor is there: after one more look nothing new can come in it.
    private var ended: UInt32?
    /// The change time of the folder in which nothing newer was found.
    private var searched: Int64?
    private var fruitless: (offset: LogPosition, size: Int64)?
    /// The end of a commit that covers more than was handed out so far: a state block, for one.
    private var covered: Int64 = 0
    /// The end of the last commit line that was passed.
    private var lastCommit: LogPosition
    private var reported: Set<LogDamage> = []
    /// Everything before this was handed out.
    package private(set) var position: LogPosition
    /// Where a follower that remembers nothing else must begin again: the last commit line may vanish in a power cut and its
    /// records show once more in the next segment, but what stands before the line before it is durable for good.
    package private(set) var safePosition: LogPosition
    /// Damage found since it was last taken.
    package var damage: [LogDamage] = []
    /// Whether something was ever found that could not be read: what is not known of this log is then not known to be over.
    package var hasFoundDamage: Bool { !reported.isEmpty }
    /// Whether the last poll ended at a segment that the kernel would not give: there may be more behind it.
    package private(set) var isHindered = false

    /// `owner`: the uid that its files must have; the owner of its program's folder unless said otherwise.
    package init(spool: borrowing DirectoryDescriptor, _ name: LogName, from position: LogPosition, owner: UInt32? = nil) throws(KernelError) {
        self.name = name
        if let owner { self.owner = owner } else { self.owner = try name.user(in: spool) }
        self.position = position
        safePosition = position
        lastCommit = position
        folder = try spool.openDirectory(name.path)
    }

    package var path: Path { folder.path }

    /// The file that `position` and the records handed out last lie in, for reading content.
    package var file: SegmentFile? { reader?.file }

    /// The committed records that follow, at most about `limit` of them; empty when there are none now.
    package func poll(limit: Int = 4096) throws(KernelError) -> [PlacedRecord] {
        var out: [PlacedRecord] = []
        isHindered = false
        // What was read before an error is handed out: `position` is past it.
        do throws(KernelError) { try fill(&out, limit: limit) } catch { if out.isEmpty { throw error } }
        return out
    }

    private func fill(_ out: inout [PlacedRecord], limit: Int) throws(KernelError) {
        while out.count < limit {
            guard try ensureReader() else { return }
            let before = out.count
            try readCommitted(into: &out, limit: limit)
            if out.count > before { continue }
            guard try advance() else { return }
        }
    }

    private func ensureReader() throws(KernelError) -> Bool {
        if reader != nil { return true }
        guard let file = try firstSegment(from: position.segment) else { return false }
        let number = file.header.number
        reader = SegmentReader(file, from: number == position.segment ? position.offset : 0)
        reader?.limit = sealedLength(of: number)
        return true
    }

    /// Records up to the last commit line that is there, or the sealed length.
    ///
    /// What is not committed yet is read anew next time: the writer may have cut it off and written something else there.
    private func readCommitted(into out: inout [PlacedRecord], limit: Int) throws(KernelError) {
        guard var current = reader else { return }
        var held: [PlacedRecord] = []
        // Of a commit that is larger than what is wanted the first part is kept; then only its end is looked for.
        let most = max(limit, 1024)
        var committed = current.offset
        defer {
            current.rewind(to: committed)
            reader = current
        }
        while out.count < limit {
            if let placed = try current.next() {
                if placed.commits {
                    let isWhole = held.count < most
                    committed = isWhole ? placed.end : held.last?.end ?? placed.end
                    covered = isWhole ? 0 : placed.position.offset
                    out += held
                    held.removeAll(keepingCapacity: true)
                    passed(committed, of: placed.position.segment, isCommit: isWhole)
                    if !isWhole { return }
                } else if placed.record.verb == .commit {
                    continue
                } else if placed.end <= covered {
                    committed = placed.end
                    out.append(placed)
                    passed(committed, of: placed.position.segment, isCommit: false)
                } else if held.count < most {
                    held.append(placed)
                }
            } else if try !skipDamage(&current) {
                break
            }
        }
        guard current.isExhausted else { return }
        guard held.count < most else {
            // As above: the rest is read next time, and counts whatever follows.
            committed = held.last?.end ?? committed
            covered = current.offset
            out += held
            return passed(committed, of: current.file.header.number, isCommit: false)
        }
        out += held
        committed = current.offset
        position = LogPosition(segment: current.file.header.number, offset: committed)
        lastCommit = position
    }

    /// Moves on. A commit line was written after a sync that covered the line before it.
    private func passed(_ end: Int64, of segment: UInt32, isCommit: Bool) {
        position = LogPosition(segment: segment, offset: end)
        guard isCommit else { return }
        if lastCommit.segment == segment { safePosition = lastCommit }
        lastCommit = position
    }

    /// Reports damage once; does not search again in bytes that had nothing and have not grown.
    private func skipDamage(_ current: inout SegmentReader) throws(KernelError) -> Bool {
        let here = LogPosition(segment: current.file.header.number, offset: current.offset)
        let size = try current.file.descriptor.status().size
        if current.limit == nil, size <= here.offset || fruitless ?? (.start, 0) == (here, size) { return false }
        guard let range = try current.skipDamage() else {
            fruitless = (here, size)
            return false
        }
        report(LogDamage(log: name, from: range.from, to: range.to, reason: "no valid record"))
        return true
    }

    /// Moves to the next segment once this one is exhausted and its successor says where it ended.
    private func advance() throws(KernelError) -> Bool {
        guard let current = reader else { return false }
        let number = current.file.header.number
        guard let next = try segment(after: number) else { return false }
        if ended != number {
            // The successor is newer than our last look: look once more, now with the end that it states.
            ended = number
            fruitless = nil
            if current.limit == nil, let sealed = next.header.predecessor, sealed.segment == number { reader?.limit = sealed.offset }
            return true
        }
        // What was not committed here stands again in the successor, if it counts at all.
        reader = SegmentReader(next)
        // Not behind the header: until the name is durable, another file may come to have it.
        position = LogPosition(segment: next.header.number, offset: 0)
        lastCommit = position
        covered = 0
        reader?.limit = sealedLength(of: next.header.number)
        return true
    }

    private func report(_ found: LogDamage) {
        if reported.count < 1024, reported.insert(found).inserted { damage.append(found) }
    }
}

// MARK: - Finding segments

extension LogFollower {
    private enum Probe {
        case segment(SegmentFile)
        case missing
        /// Something else has the name, or the header is damaged: reported, never read.
        case foreign
        /// The kernel failed: it may be the next one, so nothing later is read before it.
        case unreadable
    }

    private func probe(_ number: UInt32) -> Probe {
        do throws(SegmentProblem) {
            return .segment(try SegmentFile(folder: folder, number: number, log: name, owner: owner))
        } catch {
            guard case .unusable(let reason) = error else { return .missing }
            report(LogDamage(log: name, from: LogPosition(segment: number, offset: 0), to: nil, reason: "\(reason)"))
            isHindered = isHindered || !error.isForeign
            return error.isForeign ? .foreign : .unreadable
        }
    }

    private func segment(after number: UInt32) throws(KernelError) -> SegmentFile? {
        switch probe(number + 1) {
        case .segment(let file): return file
        case .unreadable: return nil
        case .missing, .foreign: break
        }
        // A gap, if a later one is there: its owner may have erased one whose messages were all done. Listing is dear, so
        // only when the folder has changed; a change of the last second may hide another one behind the same time.
        let changed = try folder.status().changed
        if searched == changed { return nil }
        let found = try firstSegment(from: number + 1)
        searched = found == nil && WallTime.now().nanoseconds - changed > 1_000_000_000 ? changed : nil
        return found
    }

    /// The first usable segment from `number` on.
    private func firstSegment(from number: UInt32) throws(KernelError) -> SegmentFile? {
        guard try segmentNumbers().contains(where: { $0 >= number }) else { return nil }
        // Segments appear in order: those before one that the first listing showed are all in a second one.
        for candidate in try segmentNumbers() where candidate >= number {
            switch probe(candidate) {
            case .segment(let file): return file
            case .unreadable: return nil
            case .missing, .foreign: continue
            }
        }
        return nil
    }

    private func segmentNumbers() throws(KernelError) -> [UInt32] {
        try folder.list().compactMap { SegmentName.number($0.name) }.sorted()
    }

    /// The sealed length that the successor states, if there is one.
    private func sealedLength(of number: UInt32) -> Int64? {
        guard case .segment(let next) = probe(number + 1), let sealed = next.header.predecessor, sealed.segment == number
        else { return nil }
        return sealed.offset
    }
}
