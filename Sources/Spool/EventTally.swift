// Facts counted as they are written: the numbers are those of the log, since the process started.

import MailModel
import SpoolFormat

/// Counts of the facts of one program.
struct EventTally {
    private var counts: [Verb: Int] = [:]
    private var logins: [String: Int] = ["ok": 0, "failed": 0]
    private var acceptedBytes = 0

    mutating func count(_ line: RecordLine) {
        counts[line.verb, default: 0] += 1
        switch line.verb {
        case .authenticate: logins[line.value(of: .result)?.elementsEqual("ok".utf8) == true ? "ok" : "failed", default: 0] += 1
        case .accept: acceptedBytes &+= line.value(of: .size)?.decimalValue ?? 0
        default: break
        }
    }

    private static let plain: [(Verb, Metric)] = [
        (.accept, .accepted), (.refuse, .refused), (.connect, .connects), (.login, .sessions), (.delivered, .delivered), (.sent, .sent),
        (.deferred, .deferred), (.bounced, .bounced), (.done, .done), (.problem, .problems), (.corrupt, .corruptions),
    ]
    private static let acts: [Verb] = [.fetch, .append, .delete, .copy, .move]

    /// What each program counts, so that a number is there before the first fact is.
    private static func verbs(of owner: SpoolOwner) -> Set<Verb> {
        let common: Set<Verb> = [.problem, .corrupt]
        switch owner {
        case .smtpd: return common.union([.accept, .refuse, .connect])
        case .submission: return common.union([.accept, .refuse, .connect, .authenticate])
        // What queued accepts stands in its mail log alone.
        case .queued: return common.union([.deferred, .bounced, .done])
        case .locald: return common.union([.delivered, .temporary])
        case .remoted: return common.union([.sent, .temporary, .failed])
        case .pop3d, .imapd: return common.union([.connect, .authenticate, .login] + acts)
        case .mailctl, .supervisor: return common
        }
    }

    func add(to page: inout MetricsPage, _ owner: SpoolOwner) {
        let verbs = EventTally.verbs(of: owner)
        for (verb, metric) in EventTally.plain where verbs.contains(verb) { page.add(metric, counts[verb] ?? 0) }
        if verbs.contains(.accept) { page.add(.acceptedBytes, acceptedBytes) }
        if verbs.contains(.connect) { page.add(.connections, max(0, (counts[.connect] ?? 0) - (counts[.disconnect] ?? 0))) }
        if verbs.contains(.authenticate) { for result in ["ok", "failed"] { page.add(.logins, logins[result] ?? 0, ["result": result]) } }
        if verbs.contains(.temporary) { page.add(.failedAttempts, counts[.temporary] ?? 0, ["result": "temporary"]) }
        if verbs.contains(.failed) { page.add(.failedAttempts, counts[.failed] ?? 0, ["result": "permanent"]) }
        for act in EventTally.acts where verbs.contains(act) { page.add(.mailboxActs, counts[act] ?? 0, ["act": act.rawValue]) }
    }
}

extension RecordLine {
    /// The first value of a key, as it is written.
    fileprivate func value(of key: Key) -> ArraySlice<UInt8>? {
        let mark = Array(" \(key.rawValue)=".utf8)
        guard bytes.count >= mark.count else { return nil }
        for start in 0...(bytes.count - mark.count) where bytes[start] == 0x20 && bytes[start...].starts(with: mark) {
            return bytes[(start + mark.count)...].prefix { $0 != 0x20 }
        }
        return nil
    }
}
