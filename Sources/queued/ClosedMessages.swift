// What must be known of messages that are not open, because their accept may be read again or for the first time.
// Below a log's cursor nothing is known of them, so this never grows with the history.

import Kernel
import MailModel
import Spool
import SpoolFormat

/// Messages that are done, and those of which something was said but whose accept cannot be seen.
struct ClosedMessages {
    enum Knowledge {
        /// Its accept lies here or above.
        case done(LogPosition)
        /// Its accept's commit line was cut away: it will show again in the segment that follows the cut, or never.
        /// `since` is the segment in which its log's cursor stood when it was first missed.
        case unseen(said: [PlacedRecord], since: UInt32?)
    }

    private(set) var known: [QueueID: Knowledge] = [:]

    mutating func done(_ id: QueueID, at position: LogPosition) { known[id] = .done(position) }

    /// An accept was read; true if its message is done.
    mutating func shows(_ id: QueueID, at position: LogPosition) -> Bool {
        guard case .done? = known[id] else { return false }
        known[id] = .done(position)
        return true
    }

    /// A record about a message that is not open: nothing new if it is done.
    mutating func said(_ placed: PlacedRecord, of id: QueueID) {
        switch known[id] {
        case .done?: return
        case .unseen(let said, let since)?:
            // Once it is done its assigns are not said again: an agent that has forgotten its answer would begin anew.
            known[id] = .unseen(said: placed.record.verb == .done ? [placed] : said + [placed], since: since)
        case nil: known[id] = .unseen(said: [placed], since: nil)
        }
    }

    /// What was said of a message before its accept showed.
    mutating func takeSaid(of id: QueueID) -> [PlacedRecord] {
        guard case .unseen(let said, _)? = known[id] else { return [] }
        known[id] = nil
        return said
    }

    /// The cursor of a mail log has moved: what lies durably below it is forgotten.
    mutating func pass(_ cursor: LogPosition, of origin: QueueOrigin) {
        var over: [QueueID] = []
        var missed: [(id: QueueID, said: [PlacedRecord])] = []
        for (id, knowledge) in known where id.origin == origin {
            switch knowledge {
            case .done(let position): if position < cursor { over.append(id) }
            case .unseen(_, let since?): if since < cursor.segment { over.append(id) }
            case .unseen(let said, nil): missed.append((id, said))
            }
        }
        for id in over { known[id] = nil }
        for entry in missed { known[entry.id] = .unseen(said: entry.said, since: cursor.segment) }
    }
}
