// What the `done` of a message says of its copies: `result=delivered:2,bounced:1`.

import MailModel

/// How many copies reached their goal, and how many did not.
package struct DoneResult: Hashable, Sendable {
    package let delivered: Int
    package let bounced: Int

    /// Nil for a `done` of a state block, which does not say.
    package init?(_ record: Record) {
        guard record.verb == .done, let text = record[.result] else { return nil }
        let parts = text.split(separator: UInt8(ascii: ","))
        guard parts.count == 2, let delivered = DoneResult.number(parts[0], "delivered:"), let bounced = DoneResult.number(parts[1], "bounced:")
        else { return nil }
        self.delivered = delivered
        self.bounced = bounced
    }

    private static func number(_ text: ArraySlice<UInt8>, _ name: String) -> Int? {
        text.starts(with: name.utf8) ? text.dropFirst(name.utf8.count).decimalValue : nil
    }
}
