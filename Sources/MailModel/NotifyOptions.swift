// Of what a sender wants to be told about a recipient.

/// The value of NOTIFY (RFC 3461 §4.1): `NEVER`, or some of `SUCCESS,FAILURE,DELAY`.
package struct NotifyOptions: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue & 7 }

    package static let success = NotifyOptions(rawValue: 1)
    package static let failure = NotifyOptions(rawValue: 2)
    package static let delay = NotifyOptions(rawValue: 4)
    /// Nothing at all, not even of a failure.
    package static let never: NotifyOptions = []

    private static let names: [(name: String, option: NotifyOptions)] = [
        ("SUCCESS", .success), ("FAILURE", .failure), ("DELAY", .delay),
    ]

    /// Nil for an unknown or a repeated word, and for NEVER among others.
    package init?(parsing text: some Collection<UInt8>) {
        self.init()
        if text.equalsIgnoringASCIICase("NEVER") { return }
        for word in text.split(separator: UInt8(ascii: ","), maxSplits: 3, omittingEmptySubsequences: false) {
            guard let named = NotifyOptions.names.first(where: { word.equalsIgnoringASCIICase($0.name.utf8) }), insert(named.option).inserted
            else { return nil }
        }
    }

    package var text: String {
        isEmpty ? "NEVER" : NotifyOptions.names.filter { contains($0.option) }.map(\.name).joined(separator: ",")
    }
}
