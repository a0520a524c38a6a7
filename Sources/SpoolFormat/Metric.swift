// Every number that is published for Prometheus: name, kind and meaning, once for all programs.

/// A family of metrics. Its samples bear the label `service`, some one more; never an address or a name of a person.
package enum Metric: String, CaseIterable, Sendable {
    case accepted = "martlet_messages_accepted_total"
    case acceptedBytes = "martlet_messages_accepted_bytes_total"
    case refused = "martlet_recipients_refused_total"
    case connects = "martlet_connections_total"
    case connections = "martlet_connections"
    case logins = "martlet_logins_total"
    case sessions = "martlet_sessions_total"
    case delivered = "martlet_copies_delivered_total"
    case sent = "martlet_copies_sent_total"
    case failedAttempts = "martlet_attempts_failed_total"
    case deferred = "martlet_copies_deferred_total"
    case bounced = "martlet_copies_bounced_total"
    case done = "martlet_messages_done_total"
    case mailboxActs = "martlet_mailbox_acts_total"
    case problems = "martlet_problems_total"
    case corruptions = "martlet_corruptions_total"
    case queued = "martlet_queue_messages"
    case oldest = "martlet_queue_oldest_seconds"
    case copies = "martlet_queue_copies"
    case batch = "martlet_log_batch_records"
    case sync = "martlet_log_sync_seconds"
    case logBytes = "martlet_log_written_bytes_total"
    case logSize = "martlet_log_size_bytes"
    case start = "martlet_start_time_seconds"
    case uptime = "martlet_uptime_seconds"
    case confined = "martlet_sandbox_confined"
    case confinementGaps = "martlet_sandbox_gaps"
    case up = "martlet_service_up"
    case restarts = "martlet_service_restarts_total"
}

extension Metric {
    package enum Kind: String, Sendable { case counter, gauge, histogram }

    package var kind: Kind {
        if rawValue.hasSuffix("_total") { return .counter }
        return self == .batch || self == .sync ? .histogram : .gauge
    }

    package var help: String {
        switch self {
        case .accepted: "Messages for which responsibility was taken since the process started."
        case .acceptedBytes: "Their size, before our trace lines."
        case .refused: "Recipients refused by SMTP."
        case .connects: "Connections that came."
        case .connections: "Connections now."
        case .logins: "Attempts to log in, by result."
        case .sessions: "Sessions that began after a login."
        case .delivered: "Copies brought into a Maildir."
        case .sent: "Copies that another host took."
        case .failedAttempts: "Attempts to deliver that failed, by whether another may do better."
        case .deferred: "Times that a copy was put off to a later attempt."
        case .bounced: "Copies that failed for good and were returned or dropped."
        case .done: "Messages all of whose copies are final."
        case .mailboxActs: "Messages read, stored, removed, copied or moved in mailboxes."
        case .problems: "Problems that the program survived and the operator should know."
        case .corruptions: "Places in logs or content that are not what was written."
        case .queued: "Messages that are not done."
        case .oldest: "Age of the oldest message that is not done; 0 without one."
        case .copies: "Copies of messages that are not done, by state."
        case .batch: "Records that shared one sync of a log."
        case .sync: "Time that the sync of a log took."
        case .logBytes: "Bytes committed to a log."
        case .logSize: "Bytes that the segments of a log take on the disk."
        case .start: "When the process started, since 1970."
        case .uptime: "How long the process has run."
        case .confined: "1 once the process has given up all that its job does not need."
        case .confinementGaps: "What the kernel could not enforce of the confinement."
        case .up: "1 while the service runs."
        case .restarts: "Times that the supervisor started the service again."
        }
    }
}
