// In a copy of a running spool a local submission may have moved from `drop/` to `queued/` behind the copy's back: after queued's
// folder was copied, and before the drops were. Nothing in the copy knows of it; since when that can have been is told.

import Kernel
import MailModel
import Spool
import SpoolFormat

/// Since when submissions that queued took over from sendmail may have come into no part of a copy.
struct DropGap: Hashable, Sendable {
    /// When the last that the copy has of queued's mail log was written; nil if it has none.
    let since: WallTime?

    init(in spool: borrowing DirectoryDescriptor) throws(KernelError) {
        let folder = try spool.openDirectory(LogName(.queued, .mail).path)
        var since: WallTime?
        for entry in try folder.list() where SegmentName.number(entry.name) != nil {
            let written = WallTime(nanoseconds: try folder.status(of: Path(entry.name)).modified)
            since = max(since ?? written, written)
        }
        self.since = since
    }

    /// For people.
    var text: String {
        "If it was copied while its services ran, what queued took over from sendmail"
            + (since.map { " after \(Timestamp.text($0).display)" } ?? "") + " may be in no part of it, and nothing here can name it: look for it in the original. "
    }
}
