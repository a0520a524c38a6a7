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
    private let owner: UInt32?
    private var reader: SegmentReader?
    private var held: [PlacedRecord] = []
    private var reported: Set<LogDamage> = []
    /// Everything before this was handed out.
    package private(set) var position: LogPosition
    /// Damage found since it was last taken.
    package var damage: [LogDamage] = []

    /// `owner`: the uid that its files must have; nil where all programs run as one.
    package init(spool: borrowing DirectoryDescriptor, _ name: LogName, from position: LogPosition, owner: UInt32? = nil) throws(KernelError) {
        self.name = name
        self.owner = owner
        self.position = position
        folder = try spool.openDirectory(name.path)
    }

    package var path: Path { folder.path }

    /// The file that `position` and the records handed out last lie in, for reading content.
    package var file: SegmentFile? { reader?.file }

    /// The committed records that follow, at most about `limit` of them; empty when there are none now.
    package func poll(limit: Int = 4096) throws(KernelError) -> [PlacedRecord] {
        var out: [PlacedRecord] = []
        while out.count < limit {
            guard try ensureReader() else { return out }
            let before = out.count
            try readCommitted(into: &out, limit: limit)
            if out.count > before { continue }
            guard try advance() else { return out }
        }
        return out
    }

    private func ensureReader() throws(KernelError) -> Bool {
        if reader != nil { return true }
        let numbers = try segmentNumbers()
        guard let number = numbers.first(where: { $0 >= position.segment }) else { return false }
        guard let file = open(number) else { return false }
        reader = SegmentReader(file, from: number == position.segment ? position.offset : 0)
        reader?.limit = sealedLength(of: number)
        return true
    }

    private func segmentNumbers() throws(KernelError) -> [UInt32] {
        try folder.list().compactMap { SegmentName.number($0.name) }.sorted()
    }

    private func open(_ number: UInt32) -> SegmentFile? {
        do throws(SegmentProblem) {
            return try SegmentFile(folder: folder, number: number, log: name, owner: owner)
        } catch {
            if case .unusable(let reason) = error {
                report(LogDamage(log: name, from: LogPosition(segment: number, offset: 0), to: nil, reason: "\(reason)"))
            }
            return nil
        }
    }

    /// Records up to the last commit line that is there.
    private func readCommitted(into out: inout [PlacedRecord], limit: Int) throws(KernelError) {
        guard var current = reader else { return }
        defer { reader = current }
        while out.count < limit {
            guard let placed = try current.next() else {
                current.refresh()
                if try skipDamage(&current) { continue }
                return
            }
            if placed.record.verb == .commit {
                guard placed.record.number(.upto) == Int(placed.position.offset) else { continue }
                out += held
                held.removeAll(keepingCapacity: true)
                position = LogPosition(segment: placed.position.segment, offset: placed.end)
            } else {
                held.append(placed)
            }
        }
    }

    /// Damage is what a later commit line covers; bytes without one after them are still being written.
    private func skipDamage(_ current: inout SegmentReader) throws(KernelError) -> Bool {
        guard try current.file.descriptor.status().size > current.offset else { return false }
        var probe = current
        guard case .damaged(let from, let to)? = try probe.resynchronise() else { return false }
        var ahead = probe
        while let placed = try ahead.next() {
            if placed.record.verb == .commit {
                report(LogDamage(log: name, from: from, to: to, reason: "no valid record"))
                current = probe
                return true
            }
        }
        return false
    }

    /// Moves to the next segment once this one is exhausted and its successor says where it ended.
    private func advance() throws(KernelError) -> Bool {
        guard let current = reader else { return false }
        let number = current.file.header.number
        guard let next = try nextSegment(after: number) else { return false }
        if let sealed = next.header.predecessor, sealed.segment == number {
            if current.limit == nil {
                reader?.limit = sealed.offset
                return true
            }
        }
        // What was not committed here stands again in the successor, if it counts at all.
        held.removeAll()
        reader = SegmentReader(next)
        position = LogPosition(segment: next.header.number, offset: Int64(next.headerLength))
        reader?.limit = sealedLength(of: next.header.number)
        return true
    }

    private func nextSegment(after number: UInt32) throws(KernelError) -> SegmentFile? {
        let direct: SegmentFile?
        do throws(SegmentProblem) {
            direct = try SegmentFile(folder: folder, number: number + 1, log: name, owner: owner)
        } catch {
            if case .missing = error {} else { _ = open(number + 1) }
            direct = nil
        }
        if let direct { return direct }
        // A gap: segments past retention are gone. Listing is dear, so only when ours is gone too.
        guard try isGone(number) else { return nil }
        guard let later = try segmentNumbers().first(where: { $0 > number }) else { return nil }
        return open(later)
    }

    private func isGone(_ number: UInt32) throws(KernelError) -> Bool {
        do throws(KernelError) {
            _ = try folder.status(of: Path(SegmentName.name(number)))
            return false
        } catch {
            if error.isMissing { return true }
            throw error
        }
    }

    /// The sealed length that the successor states, if there is one.
    private func sealedLength(of number: UInt32) -> Int64? {
        let next = try? SegmentFile(folder: folder, number: number + 1, log: name, owner: owner)
        guard let sealed = next?.header.predecessor, sealed.segment == number else { return nil }
        return sealed.offset
    }

    private func report(_ found: LogDamage) {
        if reported.count < 1024, reported.insert(found).inserted { damage.append(found) }
    }
}
