// Mail that local programs left in spool/drop: adopted once, whoever its owner is, and never believed beyond that.

import Crypto
import Kernel
import MailFormat
import MailModel
import Spool
import SpoolFormat

/// The folder in which `sendmail` leaves messages.
final class DropFolder {
    let folder: DirectoryDescriptor
    let host: Domain
    let users: UserNames
    var sizeLimit: Int64
    /// Drops that are adopted with one commit.
    static let portion = 256
    /// Seconds after which what its writer left unfinished is no drop any more.
    static let abandoned: Int64 = 36 * 3600

    init(spool: borrowing DirectoryDescriptor, host: Domain, users: UserNames, sizeLimit: Int64) throws(KernelError) {
        folder = try spool.openDirectory("drop")
        self.users = users
        self.host = host
        self.sizeLimit = sizeLimit
    }
}

/// What came of looking at the folder.
struct AdoptedDrops {
    var names: [Path] = []
    var ids: [QueueID] = []
    /// Files that are no drops, by name and reason: told once, left alone.
    var strange: [(name: Path, reason: String)] = []
    /// Some wait for a process that knows their owner.
    var needNewUsers = false
}

extension DropFolder {
    /// Puts every finished drop into queued's mail log. The caller commits the log, then calls `remove`.
    ///
    /// Without room for new ones those that are known are named all the same: a drop must be gone before its message is forgotten.
    func adopt(
        into log: MailLog, hasRoom: Bool, knows: (QueueID) -> Bool, except strange: Set<Path>, now: WallTime
    ) throws(KernelError) -> AdoptedDrops {
        var adopted = AdoptedDrops()
        for entry in try folder.list() where entry.name.starts(with: DropFile.prefix) {
            let name = Path(entry.name)
            if strange.contains(name) { continue }
            do throws(DropProblem) {
                let drop = try read(name)
                if !knows(drop.id) {
                    guard hasRoom else { continue }
                    guard isKnown(drop.owner) else {
                        adopted.needNewUsers = true
                        continue
                    }
                    try append(drop, to: log, now: now)
                }
                adopted.names.append(name)
                adopted.ids.append(drop.id)
            } catch {
                switch error {
                case .unfinished: continue
                case .strange(let reason): adopted.strange.append((name, reason))
                case .kernel(let reason): throw reason
                }
            }
            if adopted.names.count >= DropFolder.portion { break }
        }
        return adopted
    }

    /// After the adoption is durable. The folder is synced before anything is said about the new messages, so that
    /// no drop can come back once its message may be forgotten.
    func remove(_ drops: AdoptedDrops) throws(KernelError) {
        guard !drops.names.isEmpty else { return }
        for name in drops.names {
            do throws(KernelError) { try folder.unlink(name) } catch { if !error.isMissing { throw error } }
        }
        try folder.sync()
    }

    /// Removes what writers that were killed left unfinished.
    func removeAbandoned(now: WallTime) throws(KernelError) {
        let limit = now.adding(seconds: -DropFolder.abandoned)
        for entry in try folder.list() where entry.name.starts(with: DropFile.unfinishedPrefix) {
            let name = Path(entry.name)
            guard let status = try? folder.status(of: name), status.kind == .file, status.modified < limit.nanoseconds else { continue }
            try? folder.unlink(name)
        }
    }

    private enum DropProblem: Error {
        /// Its writer holds it until it is durable, and may take it back.
        case unfinished
        case strange(String)
        case kernel(KernelError)
    }

    private struct Drop {
        let id: QueueID
        let file: DropFile
        let owner: UInt32
    }

    private func read(_ name: Path) throws(DropProblem) -> Drop {
        let file = try openDrop(name)
        let status: FileStatus
        do throws(KernelError) { status = try file.status() } catch { throw .kernel(error) }
        guard status.kind == .file, status.links == 1 else { throw .strange("not a regular file with one name") }
        do throws(KernelError) { if try !file.tryLock() { throw KernelError(.lock, code: 11, object: name.bytes) } } catch { throw .unfinished }
        guard status.size <= sizeLimit + Int64(DropFile.maximumHead) else { throw .strange("larger than limits.message_size") }
        let bytes: [UInt8]
        do throws(KernelError) { bytes = try file.read(Int(status.size), at: 0) } catch { throw .kernel(error) }
        guard let parsed = DropFile(parsing: bytes) else { throw .strange("not a whole drop file") }
        let digest = SHA256.hash(data: Array("drop ".utf8) + name.bytes + Array(" \(status.inode)".utf8))
        return Drop(id: QueueID(origin: .queued, digest: Array(digest)), file: parsed, owner: status.owner)
    }

    private func openDrop(_ name: Path) throws(DropProblem) -> Descriptor {
        do throws(KernelError) { return try folder.open(name) } catch {
            // A link, a socket, a file that may not be read: its owner's affair. Only what we lack ourselves is our trouble.
            throw error.isExhaustion ? .kernel(error) : .strange("\(error)")
        }
    }

    /// The sender is the file's owner; what the file says counts for a privileged owner only.
    private func sender(of drop: Drop) -> [UInt8] {
        if drop.owner == 0 || drop.owner == Identity.userID { return drop.file.sender ?? ownerAddress(drop.owner) }
        guard let claimed = drop.file.sender, claimed.isEmpty else { return ownerAddress(drop.owner) }
        return claimed
    }

    /// False only for an owner who may have come since the users were listed.
    private func isKnown(_ owner: UInt32) -> Bool { users.name(of: owner) != nil || !users.isOutdated }

    private func ownerAddress(_ owner: UInt32) -> [UInt8] {
        let name = users.name(of: owner) ?? Identity.userName(of: owner) ?? Array("uid\(owner)".utf8)
        return EmailAddress(localPart: name, domain: host)?.wire ?? Array("postmaster@".utf8) + host.bytes
    }

    private func append(_ drop: Drop, to log: MailLog, now: WallTime) throws(DropProblem) {
        var header = HeaderWriter()
        ReceivedField(by: host, with: Array("local".utf8), id: drop.id, date: MailDate(secondsSince1970: now.seconds)).write(to: &header)
        var line = RecordLine(.accept, drop.id)
        line.add(.at, Timestamp.text(now))
        line.add(.kind, "drop")
        line.add(.uid, drop.owner)
        let sender = sender(of: drop)
        line.add(.from, sender)
        for recipient in drop.file.recipients { line.add(.to, recipient) }
        // Who writes to such an address asks for what it takes to get there (RFC 6531).
        if ([sender] + drop.file.recipients).contains(where: { $0.contains { $0 >= 0x80 } }) { line.add(.charset, "utf-8") }
        let parts = [header.bytes, drop.file.content]
        let length = header.bytes.count + drop.file.content.count
        guard length > MailLog.inlineLimit else {
            _ = log.append(line, id: drop.id, content: parts)
            return
        }
        do throws(KernelError) {
            log.discardBig(drop.id)
            let file = try log.createBig(drop.id)
            for part in parts { try file.write(part) }
            try file.sync()
            try file.close()
        } catch { throw .kernel(error) }
        let checksum = CRC32C.checksum(drop.file.content, continuing: CRC32C.checksum(header.bytes))
        _ = log.append(line, id: drop.id, big: ContentExtent(length: length, checksum: checksum))
    }
}
