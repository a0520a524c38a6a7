// How much each account and each address has sent: counted in memory, and remembered across a start by the event log.

import Configuration
import Kernel
import MailModel
import MailPolicy
import Spool
import SpoolFormat
import Synchronization

/// Counts of all sessions.
final class SendingCounts: Sendable {
    /// A start reads so many segments of events at most.
    private static let segments = 4
    private static let day: Int64 = 86_400_000_000_000

    private let table: Mutex<SendingTable>

    init(_ settings: Configuration.Submission) { table = Mutex(SendingCounts.table(settings)) }

    /// Other limits begin with no counts.
    func limit(to settings: Configuration.Submission) {
        let new = SendingCounts.table(settings)
        table.withLock { if $0.account != new.account || $0.address != new.address { $0 = new } }
    }

    private static func table(_ settings: Configuration.Submission) -> SendingTable {
        SendingTable(account: SendingLimits(settings.account), address: SendingLimits(settings.address))
    }

    /// A clock that does not jump, and has room for a day before the machine's start.
    private static func now() -> Int64 { MonotonicTime.now().nanoseconds + 2 * day }

    /// The limit that a message to so many recipients meets, if any.
    func wait(recipients: Int, _ client: Submitter) -> SendingDelay? {
        let keys = SendingCounts.keys(client.account.canonical, client.peer)
        return table.withLock { $0.wait(recipients: recipients, of: keys, at: SendingCounts.now()) }
    }

    /// The same, and the message is counted if there is none.
    func take(recipients: Int, _ client: Submitter) -> SendingDelay? {
        let keys = SendingCounts.keys(client.account.canonical, client.peer)
        return table.withLock { table in
            let now = SendingCounts.now()
            if let delay = table.wait(recipients: recipients, of: keys, at: now) { return delay }
            table.count(recipients: recipients, of: keys, at: now)
            return nil
        }
    }

    private static func keys(_ account: [UInt8], _ peer: [UInt8]) -> [SendingKey] {
        [.account(account)] + (IPAddress(parsing: peer).map { [SendingKey(client: $0)] } ?? [])
    }

    /// Counts what the newest segments say was accepted within the last day.
    func recall(_ log: LogWriter) throws {
        var seen: Set<QueueID> = []
        let wall = WallTime.now().nanoseconds
        for number in try log.segments().suffix(SendingCounts.segments) {
            guard let file = try? log.open(number) else { continue }
            _ = try file.scan(sealed: nil) { placed in
                let record = placed.record
                guard record.verb == .accept, let id = record.id, let account = record[.auth].flatMap({ EmailAddress(parsing: $0) }),
                    let at = record[.at].flatMap(Timestamp.time), wall - at.nanoseconds < SendingCounts.day, seen.insert(id).inserted
                else { return }
                let keys = SendingCounts.keys(account.canonical, record[.peer] ?? [])
                let then = SendingCounts.now() - max(wall - at.nanoseconds, 0)
                self.table.withLock { $0.count(recipients: record.all(.to).count, of: keys, at: then) }
            }
        }
    }
}

extension SendingLimits {
    init(_ settings: Configuration.Submission.SendingLimits) {
        self.init(
            messagesPerHour: settings.messagesPerHour, messagesPerDay: settings.messagesPerDay, recipientsPerHour: settings.recipientsPerHour,
            recipientsPerDay: settings.recipientsPerDay)
    }
}
