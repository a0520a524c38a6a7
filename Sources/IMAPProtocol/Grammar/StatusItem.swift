// What STATUS tells of a mailbox without selecting it (RFC 3501 §6.3.10).

/// `status-att`.
package enum StatusItem: Hashable, Sendable, CaseIterable {
    case messages, recent, uidNext, uidValidity, unseen

    var name: StaticString {
        switch self {
        case .messages: "MESSAGES"
        case .recent: "RECENT"
        case .uidNext: "UIDNEXT"
        case .uidValidity: "UIDVALIDITY"
        case .unseen: "UNSEEN"
        }
    }
}
