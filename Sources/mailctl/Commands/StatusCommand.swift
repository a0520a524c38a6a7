// mailctl status: which services run, as whom, for how long.

import ArgumentParser
import Configuration
import Kernel

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "status", abstract: "Show the services and how they are.")
    @OptionGroup var options: GlobalOptions

    func run() throws {
        let configuration = try options.loadConfiguration()
        let status = try SupervisorStatus.read(configuration, file: options.configurationFile)
        if options.json { return Output.json(.array(status.services.map(\.json))) }
        let now = WallTime.now()
        Output.table(["service", "state", "pid", "user", "uptime", "restarts"], status.services.map { row($0, now) })
        Output.line("")
        for sentence in remarks(status, configuration) { Output.line(sentence) }
    }

    private func row(_ entry: ServiceStatus, _ now: WallTime) -> [String] {
        let user = entry.uid.map { uid in Identity.userName(of: uid).map { String(decoding: $0, as: UTF8.self) } ?? "\(uid)" }
        return [
            entry.service.rawValue, entry.state.rawValue, entry.pid.map { "\($0)" } ?? "-", user ?? "-",
            entry.uptime(now: now).map(StatusCommand.span) ?? "-", entry.restarts.map { "\($0)" } ?? "-",
        ]
    }

    /// `3 d 4 h`, `5 min 2 s`.
    static func span(_ seconds: Int64) -> String {
        if seconds >= 86400 { return "\(seconds / 86400) d \(seconds % 86400 / 3600) h" }
        if seconds >= 3600 { return "\(seconds / 3600) h \(seconds % 3600 / 60) min" }
        return seconds >= 60 ? "\(seconds / 60) min \(seconds % 60) s" : "\(seconds) s"
    }

    private func remarks(_ status: SupervisorStatus, _ configuration: Configuration) -> [String] {
        var out = [status.supervisor.map { "supervisor: pid \($0)" } ?? status.keeper?.sentence ?? "supervisor: not running"]
        let uids = Set(status.services.compactMap(\.uid))
        if status.supervisor != nil || status.keeper != nil, uids.count == 1, status.services.filter({ $0.uid != nil }).count > 1, let uid = uids.first {
            out.append("not started as root: all services run as uid \(uid), without privilege separation")
        }
        if configuration.development { out.append("this is a tree for development") }
        return out
    }
}
