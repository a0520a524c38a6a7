// What queued itself accepted, and of which failures who hears. No notice leads to a notice without end:
// mail → bounce → double bounce is the longest way (RFC 5321 §6.1).

import MailModel

/// The `kind` of a message that queued accepted itself.
enum MessageKind: String, Sendable {
    /// Of a failure, to the sender.
    case bounce
    /// Of a bounce that failed, to the postmaster.
    case doubleBounce = "double-bounce"
    /// Of what is no failure.
    case notice
    /// To another domain's postmaster, about our connections with it.
    case report
    /// A local submission.
    case drop
}

extension OpenMessage {
    /// The postmaster hears of a bounce of ours that failed: nobody else knows that mail was lost to its sender.
    var isForPostmaster: Bool { sender.isEmpty && kind == .bounce }

    /// Why nobody is told of a failure.
    var silence: String {
        if isDeleted { return "the administrator deleted it" }
        return switch kind {
        case .bounce: "the postmaster has had too many such notices today"
        case .doubleBounce: "it was the postmaster's notice"
        case .notice: "nobody is told of a lost notice"
        case .report: "nobody is told of a lost report"
        case .drop, nil: sender.isEmpty ? "the null sender is told nothing" : "the sender wants no notice"
        }
    }
}

/// How many double bounces the postmaster has had: who forges senders must not fill that mailbox.
struct DoubleBounceLimit {
    static let most = 100
    /// Seconds.
    static let span: Int64 = 86_400
    private var began: Int64 = 0
    private var count = 0

    /// Whether one more may be written at this time.
    mutating func take(at seconds: Int64) -> Bool {
        if !(began..<(began + DoubleBounceLimit.span)).contains(seconds) {
            began = seconds
            count = 0
        }
        count += 1
        return count <= DoubleBounceLimit.most
    }
}
