// One row of the table of keys: everything that is known of a key, once. The sample file, `config check`,
// `config get` and every error message are made from these rows.

/// A key: its name, type, default, limits and documentation, and its place in `Configuration`.
package struct ConfigurationKey: Sendable {
    /// `limits.message_size`: the table, a dot, the key; or the key alone at the top of the file.
    package let name: String
    /// What its value is: `a size such as "50 MiB"`.
    package let kind: String
    /// What is allowed beyond the type, or nil: `64 KiB to 1 GiB`.
    package let limit: String?
    /// Plain text in lines of at most 100 characters.
    package let documentation: String
    package let defaultValue: ConfigurationLiteral
    /// What it takes for a change to hold.
    package let reload: Reload

    let setDefault: @Sendable (inout Configuration) -> Void
    let set: @Sendable (inout Configuration, ConfigurationLiteral) -> Refusal?
    private let get: @Sendable (Configuration) -> ConfigurationLiteral

    /// Why a literal is not this key's value.
    enum Refusal { case type, limit }

    init<Value: ConfigurationValue>(
        _ name: String, _ place: any WritableKeyPath<Configuration, Value> & Sendable, default standard: Value,
        within rule: Rule<Value> = .any, reload: Reload, _ documentation: String
    ) {
        self.name = name
        self.reload = reload
        self.documentation = documentation
        kind = Value.kind
        limit = rule.text
        defaultValue = standard.literal
        setDefault = { $0[keyPath: place] = standard }
        get = { $0[keyPath: place].literal }
        set = { configuration, literal in
            guard let value = Value(literal) else { return .type }
            guard rule.holds(value) else { return .limit }
            configuration[keyPath: place] = value
            return nil
        }
    }

    /// The value in force, as the file would write it.
    package func value(in configuration: Configuration) -> ConfigurationLiteral { get(configuration) }

    /// The table that the key stands in; empty at the top.
    package var table: String { name.firstIndex(of: ".").map { String(name[..<$0]) } ?? "" }
    package var lastName: String { name.firstIndex(of: ".").map { String(name[name.index(after: $0)...]) } ?? name }
}

/// A limit on a value beyond its type, and how to say it.
struct Rule<Value: Sendable>: Sendable {
    let text: String?
    let holds: @Sendable (Value) -> Bool

    static var any: Rule { Rule(text: nil) { _ in true } }
}

extension Rule where Value: ConfigurationValue & Comparable {
    /// Between two values, both allowed.
    static func range(_ range: ClosedRange<Value>) -> Rule {
        Rule(text: "\(range.lowerBound.literal.plain) to \(range.upperBound.literal.plain)") { range.contains($0) }
    }
}

extension Rule where Value: Collection {
    static var notEmpty: Rule { Rule(text: "at least one entry") { !$0.isEmpty } }
}

extension Rule where Value == [Endpoint] {
    /// A socket is bound to a number: a name could mean another host tomorrow.
    static var numericAddresses: Rule {
        Rule(text: "numeric addresses; an empty list listens nowhere") { $0.allSatisfy(\.isNumeric) }
    }
}

extension Rule where Value == String {
    /// The start of a system user's name: useradd(8).
    static var userPrefix: Rule {
        Rule(text: "1 to 20 of a-z, 0-9, - and _, a letter first") { text in
            (1...20).contains(text.utf8.count) && text.utf8.first.map { $0 >= 0x61 && $0 <= 0x7A } == true
                && text.utf8.allSatisfy { ($0 >= 0x61 && $0 <= 0x7A) || ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x2D || $0 == 0x5F }
        }
    }
}
