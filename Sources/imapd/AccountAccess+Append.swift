// APPEND: the message goes into a file as it comes, and into the mailbox when it is whole and on the disk.

import IMAPProtocol
import Kernel
import Mailbox
import SpoolFormat

/// A message that a client is sending.
struct IncomingAppend: Sendable {
    let folder: Folder
    let file: IncomingMessage
    let flags: Flags
    /// A client that ends its lines with LF gets the CRLF form that all our files have.
    var form = WireForm()
}

extension AccountAccess {
    mutating func beginAppend(_ command: AppendCommand, size: Int) throws(StoreError) -> Session.Answer {
        incoming = nil
        guard size <= shared.maximumMessageSize else { return .refused(.tooBig) }
        let folder = try folder(command.mailbox)
        let file = try folder.beginAppend(seconds: command.date?.seconds ?? WallTime.now().seconds)
        incoming = IncomingAppend(folder: folder, file: file, flags: command.flags)
        return .done
    }

    /// After an error nothing more comes of this message, not even a word that it is abandoned.
    mutating func appendContent(_ bytes: [UInt8]) throws(StoreError) -> Session.Answer {
        guard var append = incoming else { return .refused(.serverBug) }
        incoming = nil
        var wire: [UInt8] = []
        wire.reserveCapacity(bytes.count)
        bytes.withUnsafeBytes { append.form.convert($0, into: &wire) }
        try append.file.write(wire)
        incoming = append
        return .done
    }

    mutating func finishAppend() throws(StoreError) -> Session.Answer {
        guard let append = incoming else { return .refused(.serverBug) }
        incoming = nil
        let flags = try FlagTranslation.storedAsFits(append.flags, in: append.folder)
        guard let uid = try append.folder.commit([(append.file, flags)]).first else { return .refused(.serverBug) }
        if let name = append.folder.message(uid)?.name { trace.message(.append, name, uid, in: append.folder.name) }
        return .appended(IMAPProtocol.UIDValidity(append.folder.validity.rawValue), UID(uid.rawValue))
    }

    mutating func abandonAppend() -> Session.Answer {
        incoming = nil
        return .done
    }
}
