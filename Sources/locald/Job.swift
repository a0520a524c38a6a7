// A copy that queued assigned to locald, and what locald holds of it between the stage and the mailbox.

import Mailbox
import MailModel
import Spool
import SpoolFormat

/// A copy that queued assigned.
struct Job: Sendable {
    let key: CopyKey
    let account: AccountFolder
    let address: EmailAddress
    let sender: [UInt8]
    /// When the message was accepted: every attempt gives the copy the same name.
    let accepted: Int64
    let location: ContentLocation
    /// It only keeps the message: nobody whom that names has it.
    let isArchive: Bool
    /// The position of the `assign` that a temporary answer must name.
    var answers: LogPosition

    /// Nil for a record that assigns nothing to locald.
    init?(_ placed: PlacedRecord) {
        let record = placed.record
        guard record.text(.agent) == "locald", let key = CopyKey(record), let address = EmailAddress(parsing: key.final),
            let account = record[.account].flatMap({ AccountFolder(parsing: $0) }), let sender = record[.from],
            let accepted = record.number(.accepted), let location = record[.location].flatMap({ ContentLocation(parsing: $0) })
        else { return nil }
        let answers = record[.answers].flatMap { LogPosition(parsing: $0) }
        self.key = key
        self.account = account
        self.address = address
        self.sender = sender
        self.accepted = Int64(accepted)
        self.location = location
        isArchive = record.text(.kind) == "archive"
        self.answers = answers ?? placed.position
    }
}

/// A copy on the stage, of which `staged` was said.
struct StagedCopy: HeldCopy {
    let name: MessageName
    let account: AccountFolder
    /// The id of its store: what another one lacks proves nothing. Nil in a record that does not say.
    let store: [UInt8]?

    init(name: MessageName, account: AccountFolder, store: [UInt8]?) {
        self.name = name
        self.account = account
        self.store = store
    }

    func isOf(_ store: [UInt8]) -> Bool { self.store.map { $0 == store } ?? true }

    init?(staged record: Record) {
        guard let name = record[.file].flatMap({ MessageName(parsing: $0) }), let account = record[.account].flatMap({ AccountFolder(parsing: $0) })
        else { return nil }
        self.init(name: name, account: account, store: record[.store])
    }

    func describe(in line: inout RecordLine) {
        line.add(.account, account.text)
        line.add(.file, name.bytes)
        line.add(.store, store)
    }

    var unique: [UInt8] { Array(name.unique) }
}
