// What a record of port 25's event log says to the policy: the log is the only book that it keeps.

private import MailModel
package import SpoolFormat

/// A fact that is remembered across starts.
package enum PolicyRecord: Hashable, Sendable {
    case greylist(GreylistKey, GreylistEntry)
    /// Recipients of a client; `time` in seconds since 1970.
    case recipients(Int, RecipientFate, client: IPAddress, time: Int)

    /// The newest so many segments of the log are read, of 16 MiB each: what is older is forgotten.
    package static let segments = 16

    /// Nil for a record that says nothing to the policy.
    package init?(_ record: Record) {
        switch record.verb {
        case .greylist:
            var values: [String: [UInt8]] = [:]
            for field in record.fields { values[field.key.display] = field.value }
            guard let (key, entry) = GreylistEntry.entry(values) else { return nil }
            self = .greylist(key, entry)
        case .accept: self.init(record, record.all(.to).count, .accepted)
        case .refuse:
            if record.text(.reason) == "unknown" { self.init(record, 1, .unknown) } else {
                guard record[.policy] != nil, record[.status]?.first == UInt8(ascii: "5") else { return nil }
                self.init(record, 1, .refused)
            }
        default: return nil
        }
    }

    private init?(_ record: Record, _ count: Int, _ fate: RecipientFate) {
        guard let client = record[.peer].flatMap({ IPAddress(parsing: $0) }),
            let time = record[.at].flatMap({ $0.prefix { $0 != UInt8(ascii: ".") }.decimalValue })
        else { return nil }
        self = .recipients(count, fate, client: client, time: time)
    }
}

extension GreylistEntry {
    /// The line of the log; its writer adds the time.
    package func record(_ key: GreylistKey) -> RecordLine {
        var line = RecordLine(.greylist)
        line.add(.peer, key.network.text)
        line.add(.from, key.sender)
        line.add(.recipient, key.recipient)
        line.add(.since, "\(max(firstSeen, 0)).000")
        line.add(.count, max(passes, 0))
        return line
    }
}
