// The documented file, made from the table of keys: what `mailctl init` writes.

/// The text of a configuration file in which every key is explained.
package enum ConfigurationSample {
    /// `values` stand as settings; every other key stands as a comment that shows its default.
    package static func text(_ values: [String: ConfigurationLiteral] = [:], purpose: String = "") -> String {
        var out = "# Martlet's configuration.\(purpose.isEmpty ? "" : " " + purpose)\n"
        out += "# A line that begins with `#key =` shows a default: take the # away to change it, then run `mailctl config check`\n"
        out += "# and `mailctl reload`. Times: ms, s, min, h, d, w. Sizes: B, KiB, MiB, GiB. Paths are relative to paths.root.\n"
        for table in ConfigurationKey.tables {
            if !table.isEmpty { out += "\n[\(table)]\n" }
            for key in ConfigurationKey.all where key.table == table { out += entry(key, values[key.name]) }
        }
        return out
    }

    private static func entry(_ key: ConfigurationKey, _ value: ConfigurationLiteral?) -> String {
        var out = "\n"
        for line in key.documentation.split(separator: "\n") { out += "# \(line)\n" }
        out += "# Value: \(key.kind)\(key.limit.map { "; " + $0 } ?? "").\n"
        if let value {
            if value != key.defaultValue { out += "# Default: \(key.defaultValue)\n" }
            return out + "\(key.lastName) = \(value)\n"
        }
        return out + "#\(key.lastName) = \(key.defaultValue)\n"
    }
}
