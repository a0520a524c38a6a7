// mailctl metrics: all numbers on one page, for people and for a scraper that runs a command.

import ArgumentParser
import Configuration
import Kernel
import Spool
import SpoolFormat

struct MetricsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "metrics", abstract: "Print the metrics of all services in Prometheus' text format.",
        discussion: """
            Each service writes its own page into spool/SERVICE/metrics, at most every 15 s, for node_exporter's textfile collector \
            (--collector.textfile.directory='/var/spool/martlet/*/metrics'). This command joins them, and adds what the logs tell: the queue as it is \
            now, the size of each log, and which services run. With --json it prints one object a sample.
            """)
    @OptionGroup var options: GlobalOptions

    func run() throws {
        let configuration = try options.loadConfiguration()
        let status = try SupervisorStatus.read(configuration, file: options.configurationFile)
        let pages = try attempting { () throws(KernelError) in
            try Service.allCases.map { (service) throws(KernelError) in try page(service, configuration.paths.spool, status) }
        }
        let text = MetricsPage.text(pages)
        if options.json { return Output.json(.array(text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { MetricsCommand.json(String($0)) })) }
        Output.line(String(text.dropLast()))
    }

    private func page(_ service: Service, _ spool: Path, _ status: SupervisorStatus) throws(KernelError) -> MetricsPage {
        var page = MetricsPage(service: service.rawValue)
        let folder = spool / Path(service.rawValue.utf8)
        let entry = status.services.first { $0.service == service }
        page.add(.up, entry?.pid == nil ? 0 : 1)
        if let restarts = entry?.restarts { page.add(.restarts, restarts) }
        if let written = try? DirectoryDescriptor(opening: folder / "metrics").contents(of: Path("\(service.rawValue).prom"), limit: 1 << 20) {
            page.take(written, except: [.queued, .oldest, .copies, .up, .restarts, .logSize])
        }
        for kind in ["events", "mail", "released"] {
            if let size = MetricsCommand.size(of: folder / Path(kind.utf8)) { page.add(.logSize, size, ["log": kind]) }
        }
        if service == .queued { try addQueue(to: &page, spool) }
        return page
    }

    /// As it is now, whether queued runs or not.
    private func addQueue(to page: inout MetricsPage, _ spool: Path) throws(KernelError) {
        let view = try QueueView.read(spool: try DirectoryDescriptor(opening: spool))
        page.add(.queued, view.messages.count)
        let oldest = view.messages.values.compactMap { $0.accepted?.seconds }.min()
        page.add(.oldest, oldest.map { max(0, Int(WallTime.now().seconds - $0)) } ?? 0)
        var counts: [QueueView.State: Int] = [:]
        for message in view.messages.values { for copy in message.copies { counts[message.shown(copy), default: 0] += 1 } }
        for state in QueueView.State.allCases { page.add(.copies, counts[state] ?? 0, ["state": state.rawValue]) }
    }

    private static func size(of log: Path) -> Int? {
        guard let folder = try? DirectoryDescriptor(opening: log), let entries = try? folder.list() else { return nil }
        return entries.reduce(0) { sum, entry in
            entry.kind == .file ? sum + Int((try? folder.status(of: Path(entry.name)).size) ?? 0) : sum
        }
    }

    /// `name{labels} value`.
    private static func json(_ line: String) -> JSONValue {
        let name = line.prefix { $0 != "{" }, value = line.split(separator: " ").last ?? ""
        let labels = line.dropFirst(name.count + 1).prefix { $0 != "}" }.split(separator: ",").map { $0.split(separator: "=", maxSplits: 1) }
        return .object([
            "name": .text(String(name)),
            "labels": .object(labels.filter { $0.count == 2 }.map { JSONValue.Member(name: String($0[0]), value: .text(String($0[1].filter { $0 != "\"" }))) }),
            "value": .text(String(value)),
        ])
    }
}
