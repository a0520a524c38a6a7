// What it takes for a changed key to hold: said once a key, obeyed by daemons, printed by `mailctl reload`.

package import Kernel

extension ConfigurationKey {
    /// How a change reaches the services.
    package enum Reload: Hashable, Sendable {
        /// They take it while they run: sessions, messages and attempts that begin from then on have it.
        case live
        /// Only a process that starts anew has it.
        case restart([Service], why: String)
        /// No program of this version reads it.
        case unread
    }
}

extension ConfigurationKey.Reload {
    static let named = restart(Service.allCases, why: "greetings, trace fields and names of files are made from it at the start")
    static let confined = restart(Service.allCases, why: "the sandbox is closed around the folders that were named at the start")
    static let certificate = restart(
        Service.allCases.filter(\.isNetworkService), why: "the sandbox is closed around their folders; new files under the old names need no restart")
}

/// A key whose value is another than it was.
package struct ConfigurationChange: Sendable {
    package let key: ConfigurationKey
    package let old: ConfigurationLiteral
    package let new: ConfigurationLiteral
}

extension Configuration {
    /// What `new` says otherwise, in the order of the table.
    package func changes(to new: Configuration) -> [ConfigurationChange] {
        ConfigurationKey.all.compactMap { key in
            let (before, after) = (key.value(in: self), key.value(in: new))
            return before == after ? nil : ConfigurationChange(key: key, old: before, new: after)
        }
    }

    /// This one with the values that another has for some keys.
    package func adopting(_ new: Configuration, where isTaken: (ConfigurationKey) -> Bool) -> Configuration {
        var result = self
        // A value that was read cannot be refused.
        for key in ConfigurationKey.all where isTaken(key) { _ = key.set(&result, key.value(in: new)) }
        return result
    }

    /// Every key with its value, as a file has it: what `mailctl` publishes for the services.
    package var published: String {
        ConfigurationKey.tables.map { table in
            let lines = ConfigurationKey.all.filter { $0.table == table }.map { "\($0.lastName) = \($0.value(in: self))" }
            return (table.isEmpty ? "" : "[\(table)]\n") + lines.joined(separator: "\n") + "\n"
        }.joined()
    }
}

extension Configuration.Paths {
    /// What is in force, as mailctl publishes it.
    package var published: Path { spool / "mailctl/configuration" }
    /// The values, in a file like the administrator's own.
    package static let publishedValues: Path = "martlet.toml"
    /// Lines of `LogLevel.text`.
    package static let publishedLevels: Path = "log-levels"
}
