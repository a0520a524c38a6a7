// mailctl sandbox report: what each service may not do, tried as the service and without its confinement.

import ArgumentParser
import Configuration
import Kernel

struct SandboxCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sandbox", abstract: "Show that the services are confined.", subcommands: [SandboxReportCommand.self])
    @OptionGroup var options: GlobalOptions
}

struct SandboxReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Try in each service's place what its header forbids.",
        discussion: """
            Each act is tried twice: by a process that has the service's user, groups and confinement, and by the same \
            process without them, as root. An act that fails there too would prove nothing: it is called vacuous. \
            Nothing stays of any act. Exit status: 0 if all were denied and none is vacuous; 65 if not. Not started as \
            root, it tries what needs no root, as the caller.
            """)
    @OptionGroup var options: GlobalOptions

    func run() throws {
        let configuration = try options.loadConfiguration()
        let report = try SandboxReport.of(options.configurationPath)
        if !Identity.isRoot { Output.note("not root: each act as uid \(Identity.userID) instead of the service's own, without those that need root") }
        if options.json { Output.json(.array(report.acts.map(\.json))) } else { show(report, prefix: configuration.users.prefix) }
        if !report.isClean { Identity.exit(ExitStatus.data.rawValue) }
    }

    private func show(_ report: SandboxReport, prefix: String) {
        let services = report.services
        Output.table(["process", "acts", "denied", "vacuous", "by one layer", "by two", "by three"], services.map { service in
            let acts = report.acts.filter { $0.service == service }
            let layers = (1...3).map { count in "\(acts.filter { $0.isDenied && $0.layers.count == count }.count)" }
            return [service, "\(acts.count)", "\(acts.filter(\.isDenied).count)", "\(acts.filter { !$0.succeedsUnconfined }.count)"] + layers
        })
        for act in report.acts where !act.isClean {
            Output.line("\(act.service): \(act.act): " + (act.isDenied ? "denied, but fails unconfined too" : "not denied"))
        }
        Output.line(report.isClean ? "all denied; `--json` lists each act and what denies it" : "not confined as it should be")
    }
}

/// What the probe found.
struct SandboxReport {
    struct Act: Hashable {
        let service: String
        let act: String
        let isDenied: Bool
        /// Each layer that denies it alone.
        let layers: [String]
        let succeedsUnconfined: Bool

        var isClean: Bool { isDenied && succeedsUnconfined }

        var json: JSONValue {
            .object([
                "service": .text(service), "act": .text(act), "denied": .boolean(isDenied),
                "by": .optional(layers.isEmpty ? nil : layers.joined(separator: ", ")), "unconfined": .boolean(succeedsUnconfined),
                "vacuous": .boolean(!succeedsUnconfined),
            ])
        }
    }

    let acts: [Act]

    var isClean: Bool { !acts.isEmpty && acts.allSatisfy(\.isClean) }
    /// In the order in which they were tried.
    var services: [String] {
        var seen: [String] = []
        for act in acts where !seen.contains(act.service) { seen.append(act.service) }
        return seen
    }

    /// Process, act, denied, layers, unconfined: separated by tabs. Nil for another number of columns.
    init?(_ lines: String) {
        var acts: [Act] = []
        for line in lines.split(separator: "\n") {
            let cells = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            guard cells.count == 5 else { return nil }
            let layers = cells[3] == "-" ? [] : cells[3].split(separator: ",").map { String($0.drop { $0 == " " }) }
            acts.append(Act(service: cells[0], act: cells[1], isDenied: cells[2] == "1", layers: layers, succeedsUnconfined: cells[4] == "1"))
        }
        self.acts = acts
    }

    /// Starts the probe, which lies where the services do, and waits for it.
    static func of(_ configurationPath: String) throws(Failure) -> SandboxReport {
        let programs = SupervisorPrograms(configurationPath: Path(configurationPath))
        let said = try attempting { () throws(KernelError) in try Pipe() }.said(by: try programs.path(of: "sandbox-probe"), configurationPath)
        guard said.code == 0, let report = SandboxReport(said.text), !report.acts.isEmpty else {
            throw Failure(.software, "the probe ended with status \(said.code)", remedy: "its own words stand above")
        }
        return report
    }
}

extension Pipe {
    fileprivate consuming func said(by program: Path, _ configurationPath: String) throws(Failure) -> (text: String, code: Int32) {
        var spawn = Spawn(program: program, arguments: ["--config", configurationPath, "--results", "3"].map { Array($0.utf8) })
        spawn.environment = ["SWIFT_BACKTRACE=enable=no", "PATH=/usr/bin:/bin"].map { Array($0.utf8) }
        if let libraries = Identity.environment("LD_LIBRARY_PATH") { spawn.environment.append(Array("LD_LIBRARY_PATH=\(libraries)".utf8)) }
        spawn.descriptors = [writingEnd]
        let pid = try attempting { () throws(KernelError) in try spawn.start() }
        let bytes = try attempting { () throws(KernelError) in try readAll(limit: 1 << 24) }
        while true {
            if let child = Children.reap(), child.pid == pid { return (String(decoding: bytes, as: UTF8.self), child.code) }
            pause(milliseconds: 5)
        }
    }
}
