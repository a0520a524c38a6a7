// mailctl audit: whether all that was accepted has come to its end, message by message, from the event logs.

import ArgumentParser
import Audit
import Configuration
import Kernel
import MailModel
import SpoolFormat

struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Prove that accepted mail was delivered, sent, returned, discarded, or is queued.",
        discussion: """
            Exit status: 0 in balance; 65 out of balance; 74 if damage in a log, or segments that went uncounted, \
            allow no proof. It may run at any time, also while the services do.
            """)
    @OptionGroup var options: GlobalOptions
    @Option(help: ArgumentHelp("Only messages accepted in this time, such as 7d or \"12 h\".", valueName: "time")) var since: String?
    @Flag(help: "Compare with the mail store instead: does it hold all that was delivered, but for what its owners removed?") var store = false

    func run() throws {
        let configuration = try options.loadConfiguration()
        if store { return try compare(configuration.paths) }
        let result = try AuditResult.of(spool: configuration.paths.spool, since: try limit())
        if options.json { Output.json(result.json) } else { for line in result.lines { Output.line(line) } }
        if let status = result.status { Identity.exit(status.rawValue) }
    }

    private func compare(_ paths: Configuration.Paths) throws {
        guard since == nil else { throw Failure(.usage, "--since says nothing of a store", remedy: "leave it out") }
        let result = try StoreAudit.of(paths)
        if options.json { Output.json(result.json) } else { for line in result.lines { Output.line(line) } }
        if let status = result.status { Identity.exit(status.rawValue) }
    }

    /// Milliseconds since 1970.
    private func limit() throws(Failure) -> Int? {
        guard let since else { return nil }
        guard let span = Duration(.text(since)) else {
            throw Failure(.usage, "\(since) is no span of time", remedy: "write a number and a unit: 30m, 12h, 7d")
        }
        return Int(clamping: WallTime.now().nanoseconds / 1_000_000) - span.wholeMilliseconds
    }
}

/// What an audit found, and what it says about it.
struct AuditResult {
    let judgement: Judgement
    let obstacles: [AuditObstacle]
    let cuts: Ledger.Cuts

    /// A program writes its events at least once a second: what lacks its evidence after that has none.
    private static let patience = 1500

    /// Nil in balance.
    var status: ExitStatus? { !obstacles.isEmpty ? .inputOutput : judgement.imbalances.isEmpty ? nil : .data }

    static func of(spool: Path, since: Int?) throws(Failure) -> AuditResult {
        var result = try attempting { () throws(KernelError) in try once(spool, since) }
        // A log that is cut while it is read is read again; it is cut once a second at most.
        for _ in 0..<10 where result.overtaken { result = try attempting { () throws(KernelError) in try once(spool, since) } }
        return result.result
    }

    /// One reading tells which messages cannot be closed; their claims are proved by a second one, which begins after the first.
    private static func once(_ spool: Path, _ since: Int?) throws(KernelError) -> (result: AuditResult, overtaken: Bool) {
        let reader = try AuditReader(spool: spool)
        var first = Ledger(cuts: reader.cuts, since: since)
        try reader.read(into: &first)
        let open = first.judge()
        var judgement = open
        for again in 0..<3 where !open.suspects.isEmpty {
            var second = Ledger(cuts: reader.cuts, only: open.suspects, since: since)
            try reader.read(into: &second)
            judgement = second.judge(suspectsOf: open, claimedBy: first)
            if judgement.imbalances.isEmpty { break }
            if again < 2 { pause(milliseconds: patience) }
        }
        first.judgeSums(&judgement)
        let obstacles = reader.obstacles.sorted { ($0.log, $0.from) < ($1.log, $1.from) }
        return (AuditResult(judgement: judgement, obstacles: obstacles, cuts: reader.cuts), try reader.wasOvertaken())
    }
}
