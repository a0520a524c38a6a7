// What a session leaves in the event log: who did what to which message. No content, no subject, never a password.

import Connection
import Daemon
import Directory
import IMAPProtocol
import Mailbox
import MailModel
import SpoolFormat

/// The event log in the hands of one session.
struct SessionTrace: Sendable {
    private let journal: EventJournal
    private let account: [UInt8]
    private let peer: [UInt8]

    init(_ journal: EventJournal, account: EmailAddress, peer: SocketName) {
        self.journal = journal
        self.account = account.wire
        self.peer = peer.address
    }

    func login(service: [UInt8], _ tls: TLSFacts?) {
        var line = event(.login).adding(.protocolName, service)
        line.add(.tls, tls?.summary)
        journal.note(line)
    }

    func logout() { journal.note(event(.logout).adding(.protocolName, "imap")) }

    func disconnect(_ ending: Ending) {
        var line = event(.disconnect)
        if !ending.complaint.isEmpty { line.add(.reason, ending.complaint) }
        journal.note(line)
    }

    func problem(_ reason: String) { journal.note(event(.problem).adding(.reason, reason)) }

    /// What was done to one message, which has or had this name.
    ///
    /// `target`: the mailbox that it went to; `origin`: the message of which it is a copy.
    func message(
        _ verb: Verb, _ name: MessageName, _ uid: MessageUID, in mailbox: Mailbox.MailboxName,
        to target: Mailbox.MailboxName? = nil, from origin: MessageName? = nil
    ) {
        var line = RecordLine(verb).adding(.account, account).adding(.protocolName, "imap").adding(.mailbox, mailbox.bytes)
            .adding(.uid, uid.rawValue).adding(.file, name.unique)
        line.add(.target, target?.bytes)
        line.add(.origin, origin?.unique)
        journal.note(line)
    }

    private func event(_ verb: Verb) -> RecordLine { RecordLine(verb).adding(.account, account).adding(.peer, peer) }
}
