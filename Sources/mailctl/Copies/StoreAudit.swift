// mailctl audit --store: whether the store holds all that the logs say was delivered, but for what its owners removed.

import Configuration
import Kernel
import MailModel
import Spool
import SpoolFormat

/// What a comparison of logs and store found.
struct StoreAudit {
    struct Missing {
        let copy: MissingCopy
        /// Whether a mail log still has the message.
        let hasContent: Bool
    }

    let delivered: Int
    /// Deliveries before this were not judged; nil if all were.
    let since: WallTime?
    let missing: [Missing]

    /// A program writes its events at least once a second: what lacks its evidence after that has none.
    private static let patience = 1500

    var status: ExitStatus? { missing.isEmpty ? nil : .data }

    static func of(_ paths: Configuration.Paths) throws(Failure) -> StoreAudit {
        let check = try StoreCheck(paths)
        var missing = check.missing
        if !missing.isEmpty {
            // What was moved or removed meanwhile may be in neither place; a second look finds it in one.
            pause(milliseconds: patience)
            let again = try StoreCheck(paths).missing
            missing = missing.filter { again[$0.key] != nil }
        }
        let copies = missing.values.sorted { ($0.id, $0.final.display) < ($1.id, $1.final.display) }
        let found = try attempting { () throws(KernelError) in
            let content = try AcceptedContent(of: Set(copies.map(\.id)), in: try DirectoryDescriptor(opening: paths.spool))
            var found: [Missing] = []
            for copy in copies { found.append(Missing(copy: copy, hasContent: try content.isWhole(copy.id))) }
            return found
        }
        return StoreAudit(delivered: check.delivered, since: check.horizon.nanoseconds > 0 ? check.horizon : nil, missing: found)
    }

    var lines: [String] {
        var lines = missing.map { entry in
            let copy = entry.copy
            return "missing: \(copy.id) to \(copy.final.visible) in \(copy.account.visible), delivered at \(copy.at.visible)"
                + (entry.hasContent ? "; its content is in the mail log" : "")
        }
        if let since { lines.append("deliveries before \(Timestamp.text(since).display) were not judged: what was removed before is forgotten") }
        lines.append(
            missing.isEmpty
                ? "whole: the store holds what the logs say was delivered, but for what its owners removed"
                : "LACKING: \(missing.count) of \(delivered) delivered copies are not in the store, and no event says that their owner removed them")
        return lines
    }

    var json: JSONValue {
        .object([
            "store": .text(missing.isEmpty ? "whole" : "lacking"), "delivered": .number(delivered),
            "since": since.map { .text(Timestamp.text($0)) } ?? .null, "missing": .array(missing.map(json)),
        ])
    }

    private func json(_ entry: Missing) -> JSONValue {
        .object([
            "id": .text(entry.copy.id.description), "recipient": .text(entry.copy.recipient), "final": .text(entry.copy.final),
            "account": .text(entry.copy.account), "at": .text(entry.copy.at), "content": .boolean(entry.hasContent),
        ])
    }
}
