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

/// Who hears of a failure.
enum Listener: CaseIterable { case sender, postmaster, nobody }

extension OpenMessage {
    /// Of a deleted message nobody hears, whatever it is; of an archive's copy and of a bounce of ours the postmaster alone.
    func listener(to copy: Copy) -> Listener {
        if isDeleted { return .nobody }
        if isForPostmaster || isArchive(copy) { return .postmaster }
        return wants(.failure, about: copy, fallback: true) ? .sender : .nobody
    }

    /// The postmaster hears of a bounce of ours that failed: nobody else knows that mail was lost to its sender.
    var isForPostmaster: Bool { sender.isEmpty && kind == .bounce }

    /// Why nobody is told of the failure of a copy.
    func silence(about copy: Copy) -> String {
        if isDeleted { return "the administrator deleted it" }
        if isArchive(copy) { return "the postmaster has had too many such notices today" }
        return switch kind {
        case .bounce: "the postmaster has had too many such notices today"
        case .doubleBounce: "it was the postmaster's notice"
        case .notice: "nobody is told of a lost notice"
        case .report: "nobody is told of a lost report"
        case .drop, nil: sender.isEmpty ? "the null sender is told nothing" : "the sender wants no notice"
        }
    }
}

/// How many double bounces, or notices about archives, the postmaster has had: who forges senders must not fill that mailbox.
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
