// What one of our users may send: as whom, how much, and in what form (RFC 6409). Port 25 has none of these rules.

import Configuration
import Daemon
import Directory
import Kernel
import MailFormat
import MailModel
import SMTPProtocol
import Spool
import SpoolFormat

/// The rules of the submission service, as a session has them that begins now.
struct SubmissionRules: Sendable {
    /// From fields with more names than this are nobody's.
    private static let mostAuthors = 50

    private let settings: Configuration.Submission
    /// In octets, line end included.
    private let lineLength: Int
    private let directory: SenderDirectory
    private let counts: SendingCounts

    private init(_ configuration: Configuration, _ counts: SendingCounts) {
        settings = configuration.submission
        lineLength = Int(clamping: configuration.limits.lineLength.bytes)
        directory = SenderDirectory(configuration)
        self.counts = counts
    }

    /// The rules of a service that starts, with what it took within the last day; nil for port 25.
    static func begin(_ context: DaemonContext, _ logs: IntakeLogs) -> SubmissionRules? {
        guard context.service == .submission else { return nil }
        let counts = SendingCounts(context.configuration.submission)
        do { try counts.recall(logs.events.log) } catch { context.warn("limits begin with no history: \(error)") }
        return SubmissionRules(context.configuration, counts)
    }

    func renewed(_ configuration: Configuration) -> SubmissionRules {
        counts.limit(to: configuration.submission)
        return SubmissionRules(configuration, counts)
    }

    /// The answer to MAIL, if it is no.
    func refusal(of path: ReversePath, from client: Submitter) -> ServerAnswer.Sender? {
        if settings.checkFrom != .off, let sender = path.address {
            do throws(DirectoryUnavailable) {
                guard try directory.allows(sender, to: client.account) else { return .refused(.notYours(client.account, sender, in: "MAIL FROM")) }
            } catch { return .temporary(.directoryIsUnavailable) }
        }
        return counts.wait(recipients: 1, client).map { .temporary(.comeAgain($0)) }
    }

    /// The answer to one more RCPT after so many, if it is no.
    func refusal(ofRecipientAfter taken: Int, from client: Submitter) -> Reply? { counts.wait(recipients: taken + 1, client).map { .comeAgain($0) } }

    /// What is added to a message.
    func missing(_ content: ContentExamination) -> MissingFields { settings.addFields ? content.header?.missing ?? [] : [] }

    /// The answer at a message's end, if it is no; a message that is taken is counted.
    func refusal(of content: ContentExamination, _ envelope: Envelope, from client: Submitter) -> ServerAnswer.Message? {
        guard let header = content.header else { return nil }
        if let flaw = header.flaw(isUTF8: envelope.options.isUTF8) { return .refused(.flawed(flaw)) }
        guard content.longestLine <= lineLength else { return .refused(.lineTooLong(lineLength)) }
        if settings.checkFrom == .account {
            do throws(DirectoryUnavailable) {
                if let reply = try refusal(of: header, client.account) { return .refused(reply) }
            } catch { return .temporary(.directoryIsUnavailable) }
        }
        return counts.take(recipients: envelope.recipients.count, client).map { .temporary(.comeAgain($0)) }
    }

    /// RFC 5322 §3.6.2: every author is the account's own; of several authors one, if Sender says which account sends for all.
    private func refusal(of header: SubmittedHeader, _ account: EmailAddress) throws(DirectoryUnavailable) -> Reply? {
        guard let authors = header.from, !authors.isEmpty else { return .noAuthor(account) }
        guard authors.count <= SubmissionRules.mostAuthors else { return .tooManyAuthors }
        let senders = header.sender ?? []
        if let stranger = try strangers(senders.prefix(SubmissionRules.mostAuthors), account).first { return .notYours(account, stranger, in: "Sender") }
        let strangers = try strangers(authors[...], account)
        guard let stranger = strangers.first, strangers.count == authors.count || senders.isEmpty else { return nil }
        return .notYours(account, stranger, in: "From")
    }

    /// Those as whom the account may not send.
    private func strangers(_ mailboxes: ArraySlice<HeaderMailbox>, _ account: EmailAddress) throws(DirectoryUnavailable) -> [HeaderMailbox] {
        var strangers: [HeaderMailbox] = []
        for mailbox in mailboxes {
            guard let address = mailbox.address, try directory.allows(address, to: account) else {
                strangers.append(mailbox)
                continue
            }
        }
        return strangers
    }
}

/// Who submits.
struct Submitter {
    let account: EmailAddress
    /// The client's address as text.
    let peer: [UInt8]

    /// Nil without an account: who did not log in is refused before any rule is asked.
    init?(_ facts: AcceptFacts, peer: [UInt8]) {
        guard let account = facts.identity.flatMap({ EmailAddress(parsing: $0) }) else { return nil }
        self.account = account
        self.peer = peer
    }
}

/// Sendable: handed to the service's one loop when it is whole, and used on that loop only from then on.
private final class SenderDirectory: @unchecked Sendable {
    private let rights: SendingRights
    private let snapshot: AddressSnapshot

    init(_ configuration: Configuration) {
        rights = SendingRights(separators: configuration.routing.subaddressSeparator.map { [$0.byte] } ?? [])
        snapshot = AddressSnapshot(folder: configuration.paths.directory)
    }

    func allows(_ sender: EmailAddress, to account: EmailAddress) throws(DirectoryUnavailable) -> Bool {
        snapshot.refresh(at: .now())
        return try rights.allows(sender, to: account, in: snapshot)
    }
}
