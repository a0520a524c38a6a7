// Copies of one message for one destination: they go in one transaction.

import MailModel
import Spool
import SpoolFormat

/// One recipient of a transaction.
struct RemoteCopy: Sendable {
    let key: CopyKey
    let address: EmailAddress
    /// The position of the `assign` that a temporary answer must name.
    let answers: LogPosition
}

/// A message for one destination.
struct Job: Sendable {
    let id: QueueID
    let sender: ReversePath
    let domain: Domain
    /// `HOST:PORT` of a configured route; nil for the domain's MX.
    let route: [UInt8]?
    let location: ContentLocation
    var copies: [RemoteCopy]

    /// Nil for a record that assigns nothing to remoted.
    init?(_ placed: PlacedRecord) {
        let record = placed.record
        guard record.text(.agent) == "remoted", let key = CopyKey(record), let address = EmailAddress(parsing: key.final),
            let from = record[.from], let location = record[.location].flatMap({ ContentLocation(parsing: $0) })
        else { return nil }
        if from.isEmpty { sender = .null } else {
            guard let parsed = EmailAddress(parsing: from) else { return nil }
            sender = .address(parsed)
        }
        id = key.id
        domain = address.domain
        route = record[.host]
        self.location = location
        let answers = record[.answers].flatMap { LogPosition(parsing: $0) } ?? placed.position
        copies = [RemoteCopy(key: key, address: address, answers: answers)]
    }
}

/// How one copy fared, for the log.
struct RemoteResult: Sendable {
    let copy: RemoteCopy
    let outcome: DeliveryOutcome
    /// The server, or the domain if none was reached.
    var host: [UInt8] = []
    var tls: [UInt8]?
    /// The server's last word to a delivered copy.
    var reply: [UInt8] = []

    static func same(_ outcome: DeliveryOutcome, for job: Job) -> [RemoteResult] {
        job.copies.map { RemoteResult(copy: $0, outcome: outcome, host: job.domain.bytes) }
    }
}

/// A job's end: a result for each copy, or none where it was given up before its message went out.
struct JobReport: Sendable {
    let job: Job
    let results: [RemoteResult]
}
