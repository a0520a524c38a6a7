// Copies that the store lacks, and whose content a mail log still has, are delivered again: as drops, which queued adopts.
// A drop's name says which copy it is: made twice by a start that was killed, it is one drop.

import Configuration
import Kernel
import MailModel
import SpoolFormat

struct Redelivery: ~Copyable {
    private let folder: DirectoryDescriptor
    /// Whom a drop must belong to, so that its sender is believed; nil where everything belongs to the caller.
    private let owner: UInt32?

    init(_ paths: Configuration.Paths) throws(KernelError) {
        let opened = try DirectoryDescriptor(opening: paths.spool / "drop")
        owner = Identity.isRoot ? try opened.status().owner : nil
        folder = opened
    }

    /// Leaves a drop for each copy whose content is whole, and says so of each. Durable when it returns.
    func redeliver(_ copies: [MissingCopy], _ content: AcceptedContent) throws(KernelError) -> [RecordLine] {
        var said: [RecordLine] = []
        for copy in copies {
            let name = DropFile.prefix + Array(copy.isArchive ? "archive-".utf8 : "copy-".utf8) + copy.id.text + [UInt8(ascii: "-")] + copy.hashOfFinal
            guard try drop(copy, as: name, content) else { continue }
            var line = RecordLine(.recognised, copy.id).adding(.recipient, copy.recipient).adding(.final, copy.final).adding(.account, copy.account)
            if copy.isArchive { line.add(.kind, "archive") }
            said.append(line.adding(.drop, name))
        }
        try folder.sync()
        return said
    }

    /// False if there is nothing to deliver.
    private func drop(_ copy: MissingCopy, as name: [UInt8], _ content: AcceptedContent) throws(KernelError) -> Bool {
        guard let accept = content.accepts[copy.id] else { return false }
        if try present({ () throws(KernelError) in try folder.status(of: Path(name)) }) != nil { return true }
        let temporary = Path(Array("new-copy-".utf8) + copy.id.text)
        _ = try present { () throws(KernelError) in try folder.unlink(temporary) }
        let file = try folder.create(temporary, mode: 0o600, .write)
        let head = DropFile(sender: accept.sender, recipients: [copy.final], content: []).head(size: accept.location.extent.length)
        try file.write(head)
        guard try content.forEachPart(of: copy.id, { part throws(KernelError) in try file.write(part) }) else {
            try folder.unlink(temporary)
            return false
        }
        if let owner { try folder.setOwner(of: temporary, uid: owner, gid: nil) }
        try file.sync()
        try file.close()
        try folder.rename(temporary, to: Path(name))
        return true
    }
}

extension MissingCopy {
    /// The final address as a part of a file name.
    fileprivate var hashOfFinal: [UInt8] {
        Hex.text(UInt64(CRC32C.checksum(final)), digits: 8) + Hex.text(UInt64(CRC32C.checksum(final.reversed())), digits: 8)
    }
}
