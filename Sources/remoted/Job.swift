// Copies of one message for one destination: they go in one transaction.

import Kernel
import MailModel
import MailPolicy
import SMTPProtocol
import Spool
import SpoolFormat

/// One recipient of a transaction.
struct RemoteCopy: Sendable {
    let key: CopyKey
    let address: EmailAddress
    /// The position of the `assign` that a temporary answer must name.
    let answers: LogPosition
    /// What was asked for its recipient.
    let options: RecipientOptions
}

/// A message for one destination.
struct Job: Sendable {
    let id: QueueID
    let sender: ReversePath
    let domain: Domain
    /// `HOST:PORT` of a configured route; nil for the domain's MX.
    let route: [UInt8]?
    let location: ContentLocation
    /// What was asked for the message; BY counts from `accepted`.
    let options: MessageOptions
    /// Seconds since 1970.
    let accepted: Int64
    var copies: [RemoteCopy]

    /// Nil for a record that assigns nothing to remoted.
    init?(_ placed: PlacedRecord) {
        let record = placed.record
        guard record.text(.agent) == "remoted", let key = CopyKey(record), let address = EmailAddress(parsing: key.final),
            let from = record[.from], let location = record[.location].flatMap({ ContentLocation(parsing: $0) }),
            let options = MessageOptions(record), let recipient = EmailAddress(parsing: key.original),
            let asked = RecipientOptions.all(in: record, of: [recipient])
        else { return nil }
        if from.isEmpty { sender = .null } else {
            guard let parsed = EmailAddress(parsing: from) else { return nil }
            sender = .address(parsed)
        }
        id = key.id
        domain = address.domain
        route = record[.host]
        self.location = location
        self.options = options
        accepted = Int64(record.number(.accepted) ?? 0)
        let answers = record[.answers].flatMap { LogPosition(parsing: $0) } ?? placed.position
        copies = [RemoteCopy(key: key, address: address, answers: answers, options: asked[recipient] ?? RecipientOptions())]
    }
}

extension Job {
    /// Whether its sender wants it back by now (RFC 2852 §4.1): queued, which counts the time too, returns it.
    func isTooLate(at now: WallTime) -> Bool {
        guard let by = options.deliverBy, by.mode == .return else { return false }
        return now.seconds - accepted >= Int64(by.seconds)
    }

    /// The message as a server is to be offered it at this time.
    func message(_ content: OutgoingContent, now: WallTime) -> OutgoingMessage {
        var options = options
        // RFC 2852 §4.1: the time that is left.
        options.deliverBy = options.deliverBy.flatMap {
            DeliverBy(seconds: $0.seconds - Int(clamping: max(0, now.seconds - accepted)), mode: $0.mode, isTraced: $0.isTraced)
        }
        var message = OutgoingMessage(
            sender: sender, recipients: copies.map(\.address), size: content.length, body: content.isEightBit ? .eightBitMIME : .sevenBit,
            options: options, recipientOptions: Dictionary(copies.map { ($0.address, $0.options) }, uniquingKeysWith: { first, _ in first }))
        message.isLines = content.isLines
        message.hasASCIIHeader = options.isUTF8 && content.hasASCIIHeader
        return message
    }
}

/// How one copy fared, for the log.
struct RemoteResult: Sendable {
    let copy: RemoteCopy
    var outcome: DeliveryOutcome
    /// The server, or the domain if none was reached.
    var host: [UInt8] = []
    var tls: [UInt8]?
    /// The server's last word to a delivered copy.
    var reply: [UInt8] = []
    /// The server sends no notices: the sender is to hear that it was passed on (RFC 3461 §5.2.2).
    var isRelayed = false
    /// No server of the destination would begin a session, which is no fault of this message.
    var isUnreached = false
    /// The policy that kept the mail here.
    var keptBy: TransportPolicy.Source?
    /// The server did not take our password: the administrator is to hear of it.
    var isLoginRefused = false

    static func same(_ outcome: DeliveryOutcome, for job: Job) -> [RemoteResult] {
        job.copies.map { RemoteResult(copy: $0, outcome: outcome, host: job.domain.bytes) }
    }

    /// Of a job that `isTooLate`.
    static func late(_ job: Job) -> [RemoteResult] {
        same(.temporary(EnhancedStatus(.temporary, 4, 7), reason: Array("the time that its sender allowed is over".utf8)), for: job)
    }
}

/// A job's end: a result for each copy, or none where it was given up before its message went out.
struct JobReport: Sendable {
    let job: Job
    let results: [RemoteResult]

    /// What it says of the destination: a host that has an address was spoken to.
    var reach: Reach {
        if results.contains(where: \.isUnreached) { return .unreached }
        return results.contains { $0.host.contains(UInt8(ascii: "[")) } ? .reached : .unknown
    }
}

extension RemoteResult {
    /// The same for the copies of a job that need not ask any more.
    func alike(for job: Job) -> [RemoteResult] {
        job.copies.map { RemoteResult(copy: $0, outcome: outcome, host: host, tls: tls, isUnreached: true) }
    }
}
