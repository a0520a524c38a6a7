// Metrics as a file beside the log, for node_exporter's textfile collector. They cost a write in fifteen seconds, and nothing
// waits for them: what cannot be written is not.

package import Kernel
package import SpoolFormat
package import Synchronization

/// How far this process is confined: -1 not yet, else the number of gaps that the kernel leaves.
package enum ConfinementState {
    package static let gaps = Atomic<Int>(-1)
}

extension EventWriter {
    private static let interval = Duration.seconds(15)
    private static let settling = Duration.seconds(1)

    /// Writes the page if its time has come. `logs`: the program's other logs; `more` adds what only the program knows.
    package func publishMetrics(now: MonotonicTime, logs: [LogWriter] = [], more: (inout MetricsPage) -> Void = { _ in }) {
        guard now - lastMetrics >= (hasPublishedMetrics ? EventWriter.interval : EventWriter.settling) else { return }
        if lastMetrics.nanoseconds == 0 {
            lastMetrics = now
            return
        }
        lastMetrics = now
        hasPublishedMetrics = true
        let owner = log.name.owner
        var page = MetricsPage(service: owner.rawValue)
        tally.add(to: &page, owner)
        more(&page)
        for writer in [log] + logs { writer.add(to: &page) }
        page.add(.start, Int(begun.seconds))
        page.add(.uptime, Int(WallTime.now().seconds - begun.seconds))
        let gaps = ConfinementState.gaps.load(ordering: .relaxed)
        page.add(.confined, gaps < 0 ? 0 : 1)
        page.add(.confinementGaps, max(0, gaps))
        write(page.text, owner.rawValue)
    }

    /// By a rename, so that whoever reads has a whole page; without a sync, because the next one is soon.
    private func write(_ text: String, _ name: String) {
        guard let folder = try? DirectoryDescriptor(passing: log.folder.path.parent / "metrics") else { return }
        let temporary = Path(".\(name).tmp")
        try? folder.unlink(temporary)
        guard let file = try? folder.create(temporary, mode: 0o644), (try? file.write(Array(text.utf8))) != nil else { return }
        // What a daemon makes is nothing for others, but for this.
        try? file.setMode(0o644)
        try? folder.rename(temporary, to: Path("\(name).prom"))
    }
}

extension LogWriter {
    fileprivate func add(to page: inout MetricsPage) {
        let kind = name.kind.rawValue
        page.add(.batch, measure.batch, ["log": kind])
        page.add(.sync, measure.sync, isMicroseconds: true, ["log": kind])
        page.add(.logBytes, measure.bytes, ["log": kind])
    }
}
