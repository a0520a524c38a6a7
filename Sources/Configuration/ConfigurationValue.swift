// The types that a key can have: each reads itself from the file, prints itself back, and says what it is.

package import MailModel

/// A type of configuration value; `init` after `literal` is identity.
package protocol ConfigurationValue: Hashable, Sendable {
    /// What to write, with its article: it completes "… is not".
    static var kind: String { get }
    init?(_ literal: ConfigurationLiteral)
    var literal: ConfigurationLiteral { get }
}

extension Bool: ConfigurationValue {
    package static let kind = "true or false"

    package init?(_ literal: ConfigurationLiteral) {
        guard case .boolean(let value) = literal else { return nil }
        self = value
    }

    package var literal: ConfigurationLiteral { .boolean(self) }
}

extension Int: ConfigurationValue {
    package static let kind = "a whole number"

    package init?(_ literal: ConfigurationLiteral) {
        guard case .integer(let value) = literal else { return nil }
        self = value
    }

    package var literal: ConfigurationLiteral { .integer(self) }
}

extension String: ConfigurationValue {
    package static let kind = "a text in quotes"

    /// Control characters are in no text of ours, and a NUL would cut it short on its way to C.
    package init?(_ literal: ConfigurationLiteral) {
        guard case .text(let value) = literal, value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else { return nil }
        self = value
    }

    package var literal: ConfigurationLiteral { .text(self) }
}

extension Array: ConfigurationValue where Element: ConfigurationValue {
    package static var kind: String { "a list, each entry \(Element.kind)" }

    package init?(_ literal: ConfigurationLiteral) {
        guard case .list(let literals) = literal else { return nil }
        var values: [Element] = []
        for literal in literals {
            guard let value = Element(literal) else { return nil }
            values.append(value)
        }
        self = values
    }

    package var literal: ConfigurationLiteral { .list(map(\.literal)) }
}

extension Optional: ConfigurationValue where Wrapped: ConfigurationValue {
    package static var kind: String { "\(Wrapped.kind), or \"\" for none" }

    package init?(_ literal: ConfigurationLiteral) {
        if literal == .text("") {
            self = .none
        } else {
            guard let value = Wrapped(literal) else { return nil }
            self = .some(value)
        }
    }

    package var literal: ConfigurationLiteral { self?.literal ?? .text("") }
}

extension Domain: ConfigurationValue {
    package static let kind = "a domain name such as \"mail.example.org\""

    package init?(_ literal: ConfigurationLiteral) {
        guard case .text(let text) = literal else { return nil }
        self.init(text)
    }

    package var literal: ConfigurationLiteral { .text(description) }
}

extension EmailAddress: ConfigurationValue {
    package static let kind = "an address such as \"postmaster@example.org\""

    package init?(_ literal: ConfigurationLiteral) {
        guard case .text(let text) = literal else { return nil }
        self.init(text)
    }

    package var literal: ConfigurationLiteral { .text(description) }
}

/// A value that is one of a few words.
package protocol ConfigurationWord: ConfigurationValue, RawRepresentable<String>, CaseIterable {}

extension ConfigurationWord {
    package static var kind: String {
        "one of " + allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
    }

    package init?(_ literal: ConfigurationLiteral) {
        guard case .text(let text) = literal else { return nil }
        self.init(rawValue: text)
    }

    package var literal: ConfigurationLiteral { .text(rawValue) }
}
