// The facts of one segment that a checkpoint counts: what was said in it first. Whatever a state block repeats was counted before.

import MailModel
package import SpoolFormat

/// What the records of one segment say, heard in their order.
package struct SegmentFacts: Sendable {
    /// A copy that an agent brought to its goal.
    private struct Result: Hashable {
        let copy: CopyKey
        let verb: Verb
    }

    /// What a `done` says of the copies.
    private struct Ending { var taken = 0, returned = 0 }

    private var isInBlock = false
    /// Message → when it was accepted, milliseconds since 1970.
    private var accepted: [QueueID: Int] = [:]
    /// Said before the writer's `start`: a crash may have taken the first saying, or it stands in an older segment.
    private var again: [QueueID: Int] = [:]
    private var endings: [QueueID: Ending] = [:]
    private var endedBefore: Set<QueueID> = []
    private var results: Set<Result> = []
    private var resultsBefore: Set<Result> = []

    package init() {}

    package mutating func hear(_ record: Record) {
        switch record.verb {
        case .state: isInBlock = true
        case .stateEnd: isInBlock = false
        case .accept: if let id = record.id { accepted[id] = record[.at].flatMap(Checkpoint.milliseconds) ?? 0 }
        case .start:
            again.merge(accepted) { first, _ in first }
            accepted.removeAll()
        case .done: hearEnding(record)
        case .delivered, .sent:
            guard let copy = CopyKey(record), let verb = record.verb else { return }
            if isInBlock { resultsBefore.insert(Result(copy: copy, verb: verb)) } else { results.insert(Result(copy: copy, verb: verb)) }
        default: return  // Nothing that is counted.
        }
    }

    private mutating func hearEnding(_ record: Record) {
        guard let id = record.id else { return }
        if isInBlock {
            endedBefore.insert(id)
        } else if record[.at] != nil {
            // Without a time it is said again of a message whose accept could not be seen.
            let told = DoneResult(record)
            endings[id] = Ending(taken: told?.delivered ?? 0, returned: told?.bounced ?? 0)
        }
    }

    /// Adds what was said first in this segment; `next` has heard the one that follows it, or its state block.
    package func count(into checkpoint: inout Checkpoint, next: SegmentFacts) {
        let before = checkpoint
        for (id, time) in again where accepted[id] == nil && !before.includes(accept: id, at: time) { checkpoint.count(accept: id, time) }
        for (id, time) in accepted { checkpoint.count(accept: id, time) }
        for (id, ending) in endings where !endedBefore.contains(id) {
            checkpoint.add(.done(id.origin))
            checkpoint.add(.taken, ending.taken)
            checkpoint.add(.returned, ending.returned)
        }
        for id in next.endedBefore where endings[id] == nil && !endedBefore.contains(id) {
            checkpoint.add(.done(id.origin))
            if let ending = next.endings[id] {
                checkpoint.add(.taken, ending.taken)
                checkpoint.add(.returned, ending.returned)
            } else {
                checkpoint.add(.untold)
            }
        }
        for result in results.union(next.resultsBefore).subtracting(resultsBefore) {
            checkpoint.add(result.verb == .sent ? .sent : .delivered)
        }
    }
}

extension Checkpoint {
    fileprivate mutating func count(accept id: QueueID, _ milliseconds: Int) {
        add(.accept)
        newest = max(newest ?? id, id)
        newestAccepted = max(newestAccepted, milliseconds)
    }
}
