// The values of a tree for development: unprivileged ports on loopback, plain-text login there, few refusals.

extension ConfigurationSample {
    /// What `mailctl init --dev` sets: each listener at `basePort` and its standard port, on both loopback addresses.
    ///
    /// Nil if the highest of these ports is above 65535.
    package static func development(basePort: Int) -> [String: ConfigurationLiteral]? {
        var values: [String: ConfigurationLiteral] = [
            "development": .boolean(true),
            "limits.connections_per_address": .integer(1000),
            "auth.allow_plaintext": AllowPlaintext.loopback.literal,
            "auth.failure_delay": Duration.seconds(1).literal,
            "auth.failures_per_address": .integer(1_000_000),
            "auth.failures_per_account": .integer(1_000_000),
            "submission.check_from": CheckFrom.off.literal,
        ]
        for key in ConfigurationKey.all where key.name.hasPrefix("submission.") && key.name.contains("_per_") { values[key.name] = .integer(0) }
        for name in ListenerName.allCases {
            guard let port = UInt16(exactly: basePort + Int(name.standardPort)), port > 0 else { return nil }
            let endpoints = ["127.0.0.1", "::1"].compactMap { Endpoint(host: $0, port: port) }
            values["listen.\(name.rawValue)"] = endpoints.literal
        }
        return values
    }

    /// The base of development ports unless another is asked for: SMTP on 2025, IMAP on 2143.
    package static let developmentBasePort = 2000

    /// The first line of a development file.
    package static let developmentPurpose = "These are the values of a tree for development, as `mailctl init --dev` sets them."
}
