// Services that systemd, runit or s6 keeps running write no supervisor's log: the process table tells of them.

import Configuration
import Kernel

/// Who keeps the services running, by the name of the process that started them.
struct Keeper: Hashable, Sendable {
    let name: String

    var sentence: String {
        switch name {
        case "systemd": "supervisor: systemd; `systemctl status 'martlet-*'` tells of restarts"
        case "runsv": "supervisor: runit; `sv status` tells more"
        case "s6-supervise": "supervisor: s6; `s6-svstat` tells more"
        default: "supervisor: \(name), which is none of ours"
        }
    }

    /// The command that does what was asked for.
    func remedy(_ wish: SupervisorPlan.Wish, _ services: [Service]) -> String {
        let all = services.isEmpty ? Service.allCases : services
        func units(_ suffix: String) -> String { all.map { "martlet-\($0.rawValue)\(suffix)" }.joined(separator: " ") }
        switch name {
        case "systemd":
            return "systemd does: `systemctl \(wish.rawValue) \(services.isEmpty ? "martlet.target" : units(".service"))`"
        case "runsv": return "runit does: `sv \(wish.rawValue) \(units(""))`"
        case "s6-supervise":
            let letter =
                switch wish {
                case .start: "-u"
                case .stop: "-d"
                case .restart: "-r"
                case .reload: "-h"
                }
            return "s6 does: " + all.map { "`s6-svc \(letter) SCANDIR/martlet-\($0.rawValue)`" }.joined(separator: ", ")
        default: return "ask \(name), which started them"
        }
    }
}

extension SupervisorStatus {
    /// Services whose processes are there though no supervisor of ours runs.
    mutating func findOthers(_ file: Path) {
        for process in ProcessTable.all() where process.configuration == file {
            guard let index = services.firstIndex(where: { $0.pid == nil && process.isService($0.service) }) else { continue }
            services[index].state = .running
            services[index].pid = process.pid
            services[index].uid = process.uid
            services[index].since = process.started
            services[index].restarts = nil
            keeper = keeper ?? process.parentName.map { Keeper(name: $0) }
        }
        guard keeper != nil else { return }
        for index in services.indices where services[index].pid == nil { services[index].restarts = nil }
    }

    func signal(_ number: Int32, to wanted: [Service]) {
        for entry in services where wanted.isEmpty || wanted.contains(entry.service) {
            if let pid = entry.pid { _ = Signals.send(number, to: pid) }
        }
    }
}
