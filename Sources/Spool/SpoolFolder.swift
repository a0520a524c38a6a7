// Which log lies where, and whose word it is. Trust comes from the folder, not from the record.

package import Kernel
package import MailModel
package import SpoolFormat

/// A program that owns a folder below the spool.
package enum SpoolOwner: String, CaseIterable, Sendable {
    case smtpd, submission, queued, locald, remoted, pop3d, imapd, mailctl, supervisor

    /// The letter of the messages it takes responsibility for, if it does.
    package var origin: QueueOrigin? {
        switch self {
        case .smtpd: .smtpd
        case .submission: .submission
        case .queued: .queued
        case .locald, .remoted, .pop3d, .imapd, .mailctl, .supervisor: nil
        }
    }
}

extension QueueOrigin {
    package var owner: SpoolOwner {
        switch self {
        case .smtpd: .smtpd
        case .submission: .submission
        case .queued: .queued
        }
    }
}

/// A log below the spool, such as `smtpd/mail`.
package struct LogName: Hashable, Sendable {
    package enum Kind: String, Sendable { case mail, events, released }
    package let owner: SpoolOwner
    package let kind: Kind

    package init(_ owner: SpoolOwner, _ kind: Kind) {
        self.owner = owner
        self.kind = kind
    }

    package init?(parsing text: [UInt8]) {
        let parts = text.split(separator: UInt8(ascii: "/")).map { String(decoding: $0, as: UTF8.self) }
        guard parts.count == 2, let owner = SpoolOwner(rawValue: parts[0]), let kind = Kind(rawValue: parts[1]) else { return nil }
        self.init(owner, kind)
    }

    /// Whose its files must be: the owner of the program's folder, as the administrator gave it to the program.
    func user(in spool: borrowing DirectoryDescriptor) throws(KernelError) -> UInt32 {
        try spool.status(of: Path(Array(owner.rawValue.utf8))).owner
    }

    package var text: [UInt8] { Array("\(owner.rawValue)/\(kind.rawValue)".utf8) }
    package var path: Path { Path(text) }
}

/// The checksum of every record and content.
package let spoolChecksum = Checksum { CRC32C.checksum($0, continuing: $1) }

/// Why a log could not do what was asked. None of them ever means that something was done.
package enum LogError: Error, Sendable {
    /// Another process writes this log.
    case locked(LogName)
    /// The disk is full: nothing was written, the log goes on as soon as there is space.
    case noSpace(KernelError)
    /// The disk failed: what was appended since the last commit does not count, and a new segment says so durably.
    case failed(KernelError)
    /// Not even that could be written: nobody may be told anything.
    case broken(KernelError)
}

extension LogError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .locked(let log): "cannot lock spool/\(log.text.display): another process writes it"
        case .noSpace(let error): "no space: \(error)"
        case .failed(let error): "write failed, the segment is sealed: \(error)"
        case .broken(let error): "log broken: \(error)"
        }
    }
}
