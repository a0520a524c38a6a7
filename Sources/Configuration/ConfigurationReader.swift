// From parsed TOML to values: every entry of the file meets its row of the table of keys, or is refused.

internal import TOMLKit

/// Walks the parsed file and fills a configuration, collecting what is wrong.
struct ConfigurationReader {
    var configuration = Configuration()
    var problems: [ConfigurationProblem] = []
    let file: String
    let lines: KeyLines

    init(file: String, lines: KeyLines) {
        self.file = file
        self.lines = lines
    }

    mutating func complain(_ kind: ConfigurationProblem.Kind, _ key: String, _ what: String, _ remedy: String) {
        problems.append(.init(kind: kind, file: file, line: lines[key], key: key, what: what, remedy: remedy))
    }

    /// The file's nesting is bounded by ours: a table that no key of ours is in is refused, not entered.
    mutating func read(_ table: TOMLTable, prefix: String) {
        for (name, value) in table {
            let full = prefix.isEmpty ? name : prefix + "." + name
            if prefix.isEmpty, !name.isEmpty, ConfigurationKey.tables.contains(name) {
                guard let inner = value.table else {
                    complain(.wrongType, full, "is a table, not a value", "write `[\(name)]` on a line of its own, its keys below")
                    continue
                }
                read(inner, prefix: name)
            } else if let key = ConfigurationKey.named(full) {
                set(key, ConfigurationLiteral(value))
            } else {
                refuseUnknown(full, in: prefix)
            }
        }
    }

    private mutating func set(_ key: ConfigurationKey, _ literal: ConfigurationLiteral) {
        switch key.set(&configuration, literal) {
        case nil: return
        case .type: complain(.wrongType, key.name, "\(literal) is not \(key.kind)", "for example: \(key.lastName) = \(key.defaultValue)")
        case .limit:
            complain(.badValue, key.name, "\(literal) is not allowed", "it must be \(key.limit ?? key.kind); the default is \(key.defaultValue)")
        }
    }

    private mutating func refuseUnknown(_ name: String, in table: String) {
        let siblings = ConfigurationKey.all.filter { $0.table == table }.map(\.lastName)
        let last = table.isEmpty ? name : String(name.dropFirst(table.count + 1))
        let choices = table.isEmpty ? siblings + ConfigurationKey.tables.filter { !$0.isEmpty }.map { "[\($0)]" } : siblings
        let near = nearestName(to: name, among: ConfigurationKey.all.map(\.name))
            ?? ConfigurationKey.all.first { $0.lastName == last }?.name
            ?? nearestName(to: last, among: table.isEmpty ? ConfigurationKey.tables : siblings)
        let place = table.isEmpty ? "at the top of the file" : "in [\(table)]"
        complain(
            .unknownKey, name, "unknown key",
            (near.map { "did you mean \($0)? " } ?? "") + "Known \(place): " + choices.joined(separator: ", "))
    }

    /// What no single key can show.
    mutating func checkTogether() {
        if configuration.retry.initial > configuration.retry.maximum {
            complain(.contradiction, "retry.initial", "is longer than retry.maximum", "make retry.maximum at least as long")
        }
        if configuration.limits.connectionsPerAddress > configuration.limits.connections {
            complain(
                .contradiction, "limits.connections_per_address", "is more than limits.connections",
                "make limits.connections at least as large")
        }
        var owners: [Endpoint: ListenerName] = [:]
        for name in ListenerName.allCases {
            for endpoint in configuration.listen[name] {
                if let owner = owners.updateValue(name, forKey: endpoint) {
                    complain(
                        .contradiction, "listen.\(name.rawValue)", "\(endpoint) is already taken by listen.\(owner.rawValue)",
                        "give each listener its own address and port")
                }
            }
        }
    }
}
