// A changed configuration: which keys the services take while they run, and which only a new process has.

import Configuration
import Kernel
import Spool

struct ConfigurationReload {
    let live: [ConfigurationChange]
    /// In force once the services that they concern start anew.
    let restart: [(change: ConfigurationChange, services: [Service], why: String)]
    let unread: [ConfigurationChange]

    /// Publishes what can be in force now, also when nothing has changed: a service that has missed something takes it then. With
    /// `haveRestarted`, all of it but what a new supervisor needs.
    static func publish(_ new: Configuration, haveRestarted: Bool) throws(Failure) {
        let folder = PublishedFolder(new.paths)
        let published = folder.configuration
        let old = published ?? new
        let effective = old.adopting(new) { key in
            if case .restart(let services, _) = key.reload { return haveRestarted && !services.isEmpty }
            return true
        }
        do throws(ConfigurationError) { _ = try Configuration.parse(effective.published, file: "the values in force") } catch {
            throw Failure(
                .configuration, "a changed key leans on one that needs a restart: \(error.problems.map(\.description).joined(separator: "; "))",
                remedy: "mailctl reload --restart takes both")
        }
        // On a full disk certificates are looked at all the same, where nothing else is new.
        do throws(Failure) { try folder.publish(effective) } catch { if published != effective { throw error } }
    }

    /// What the file says otherwise than what is in force.
    static func pending(_ new: Configuration) -> ConfigurationReload {
        ConfigurationReload((PublishedFolder(new.paths).configuration ?? new).changes(to: new))
    }

    init(_ changes: [ConfigurationChange]) {
        var (live, unread): ([ConfigurationChange], [ConfigurationChange]) = ([], [])
        var restart: [(change: ConfigurationChange, services: [Service], why: String)] = []
        for change in changes {
            switch change.key.reload {
            case .live: live.append(change)
            case .unread: unread.append(change)
            case .restart(let services, let why): restart.append((change, services, why))
            }
        }
        (self.live, self.restart, self.unread) = (live, restart, unread)
    }

    /// Those that must start anew, in order.
    var services: [Service] { Service.allCases.filter { service in restart.contains { $0.services.contains(service) } } }
}

extension ConfigurationReload {
    /// For people; `hasRestarted`: nothing waits any more.
    func lines(hasRestarted: Bool, command: String) -> [String] {
        var out = live.map { "in force: \($0.sentence)" }
        out += restart.map { entry in
            let isInForce = hasRestarted && !entry.services.isEmpty
            return "\(isInForce ? "in force" : "needs a restart"): \(entry.change.sentence)" + (isInForce ? "" : " (\(entry.why))")
        }
        out += unread.map { "without effect: \($0.sentence) (no program of this version reads it)" }
        if !hasRestarted, !services.isEmpty { out.append("\(command) restarts \(services.map(\.rawValue).joined(separator: ", ")); no connection is refused") }
        return out
    }

    func json(restarted: [Service]) -> JSONValue {
        .object([
            "live": .array(live.map { .object($0.members) }),
            "restart": .array(restart.map { entry in
                .object(entry.change.members + [
                    .init(name: "services", value: .array(entry.services.map { .text($0.rawValue) })), .init(name: "why", value: .text(entry.why)),
                ])
            }),
            "unread": .array(unread.map { .object($0.members) }), "restarted": .array(restarted.map { .text($0.rawValue) }),
        ])
    }
}

extension ConfigurationChange {
    fileprivate var sentence: String { "\(key.name) = \(new), was \(old)" }

    fileprivate var members: [JSONValue.Member] {
        [.init(name: "key", value: .text(key.name)), .init(name: "old", value: JSONValue(old)), .init(name: "new", value: JSONValue(new))]
    }
}
