// What the services that check passwords tell each other of failures: each follows the event logs of the others, and hears its
// own of before its start. A log that cannot be read leaves its service's failures uncounted, and nobody is kept out for it.

package import Kernel
package import Spool
import SpoolFormat

/// How an attempt to log in ended somewhere.
package struct LoginFact: Sendable {
    package let peer: [UInt8]
    /// What stands for the name, as `who=`.
    package let mark: [UInt8]?
    package let isSuccess: Bool
    /// By this machine's clock that does not jump.
    package let at: MonotonicTime
}

/// Follows the logins of other services on a thread of its own.
package final class NeighbourLogins: Sendable {
    /// The services that check passwords.
    private static let services: [SpoolOwner] = [.submission, .pop3d, .imapd]
    private static let window: Int64 = 3600 * 1_000_000_000
    /// Each life of a service begins a segment: so many of them are read beside the newest, or a restart would be forgiveness.
    private static let olderSegments = 3

    /// Sendable: used by `init`, which ends before the thread begins, and by the thread.
    private struct Owned: @unchecked Sendable {
        var others: [LogFollower] = []
        var own: LogFollower?
    }

    private let owned: Owned
    /// What could not be opened, as sentences.
    package let problems: [String]

    /// Opens the logs; makes no thread.
    package init(spool: borrowing DirectoryDescriptor, own: SpoolOwner) {
        var (found, problems) = (Owned(), [String]())
        for service in NeighbourLogins.services {
            let name = LogName(service, .events)
            do throws(KernelError) {
                let follower = try LogFollower(spool: spool, name, from: try LogFollower.newestSegment(spool: spool, name, withOlder: NeighbourLogins.olderSegments))
                if service == own { found.own = follower } else { found.others.append(follower) }
            } catch {
                if !error.isMissing { problems.append("failed logins of \(service.rawValue) are not counted here: \(error)") }
            }
        }
        owned = found
        self.problems = problems
    }

    /// Reads what was before, then begins the thread; call once, after confinement and before the first client.
    package func start(heard: @escaping @Sendable (LoginFact) -> Void) {
        let begun = WallTime.now()
        // What this process itself says from now on is counted where it happens.
        if let own = owned.own { NeighbourLogins.read(own, upTo: begun, heard) }
        for other in owned.others { NeighbourLogins.read(other, upTo: nil, heard) }
        guard !owned.others.isEmpty else { return }
        startThread {
            while true {
                pause(milliseconds: 500)
                for other in self.owned.others { NeighbourLogins.read(other, upTo: nil, heard) }
            }
        }
    }

    /// Everything that is committed; an error of the disk ends it for this time.
    private static func read(_ follower: LogFollower, upTo end: WallTime?, _ heard: (LoginFact) -> Void) {
        while let records = try? follower.poll(), !records.isEmpty {
            for placed in records {
                guard let fact = fact(placed.record, end) else { continue }
                heard(fact)
            }
        }
        follower.damage = []
    }

    /// A success, or a failure that counts: neither one that was not looked at nor a message that was none of the mechanism.
    private static func fact(_ record: Record, _ end: WallTime?) -> LoginFact? {
        guard record.verb == .authenticate, let peer = record[.peer], record[.reason] == nil, let at = record[.at].flatMap(Timestamp.time) else { return nil }
        let now = WallTime.now()
        if let end, at > end { return nil }
        let age = max(now.nanoseconds - at.nanoseconds, 0)
        guard age < window else { return nil }
        let isSuccess = record[.result]?.elementsEqual("ok".utf8) == true
        return LoginFact(
            peer: peer, mark: record[.who], isSuccess: isSuccess, at: MonotonicTime(nanoseconds: MonotonicTime.now().nanoseconds - age))
    }
}
