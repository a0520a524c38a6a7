// One batch of copies through the store: stage side by side, then rename, then sync the mailboxes side by side.

import Kernel
import Mailbox
import MailModel
import Spool
import SpoolFormat
import Synchronization

/// The store's side of a delivery. Everything it says is durable on the store when it returns.
struct Courier {
    private let delivery: Delivery
    private let crew: WorkCrew
    private let host: [UInt8]

    init(delivery: Delivery, crew: WorkCrew, host: [UInt8]) {
        self.delivery = delivery
        self.crew = crew
        self.host = host
    }

    /// A job with its content in memory.
    struct Loaded: Sendable {
        let job: Job
        let content: [UInt8]
    }

    /// The id of the store that was opened.
    var store: [UInt8] { delivery.stage.identity.id }

    func unique(_ job: Job) -> UniquePart {
        UniquePart(seconds: job.accepted, message: job.key.id, finalAddress: job.address, archive: job.isArchive ? job.key.original : nil, host: host)
    }

    func head(_ job: Job) -> [UInt8] {
        TraceHeader.lines(returnPath: job.sender, deliveredTo: job.address.wire, received: [])
    }

    /// Writes and syncs a file for each job, then the stage folder.
    func stage(_ loaded: [Loaded]) throws(StoreError) -> [Result<MessageName, StoreError>] {
        let results = StagingResults(count: loaded.count)
        let courier = self
        crew.forEach(loaded.count) { _, index in
            let result = courier.stageOne(loaded[index])
            results.each.withLock { $0[index] = result }
        }
        try delivery.stage.sync()
        return results.each.withLock { $0.map { $0 ?? .failure(.messageMissing) } }
    }

    private final class StagingResults: Sendable {
        let each: Mutex<[Result<MessageName, StoreError>?]>
        init(count: Int) { each = Mutex(Array(repeating: nil, count: count)) }
    }

    private func stageOne(_ loaded: Loaded) -> Result<MessageName, StoreError> {
        let head = head(loaded.job)
        return loaded.content.withUnsafeBytes { content in
            do throws(StoreError) {
                let file = try delivery.stage.write(unique(loaded.job), size: head.count + content.count, head: head, content: content)
                try file.sync()
                return .success(file.name)
            } catch {
                abandon(loaded.job, size: head.count + content.count)
                return .failure(error)
            }
        }
    }

    /// What did not come to be a staged copy goes at once: it may be on a full disk, and never be tried again. What cannot be
    /// removed now is removed when the store is opened again.
    private func abandon(_ job: Job, size: Int) {
        if let name = unique(job).name(size: size) { try? delivery.stage.discard(name) }
    }

    /// Stages content that is too long for memory, checking its sum on the way. The stage folder is synced by `stage`.
    func stageBig(_ job: Job, from file: borrowing Descriptor) throws -> MessageName {
        let head = head(job)
        do { return try copy(job, head, from: file) } catch {
            abandon(job, size: head.count + job.location.extent.length)
            throw error
        }
    }

    private func copy(_ job: Job, _ head: [UInt8], from file: borrowing Descriptor) throws -> MessageName {
        let length = job.location.extent.length
        let staged = try delivery.stage.write(unique(job), size: head.count + length, head: head, content: UnsafeRawBufferPointer(start: nil, count: 0))
        var checksum: UInt32 = 0
        var offset = 0
        while offset < length {
            let chunk = try file.read(min(1 << 20, length - offset), at: Int64(offset))
            guard !chunk.isEmpty else { break }
            checksum = CRC32C.checksum(chunk, continuing: checksum)
            var failure: StoreError?
            chunk.withUnsafeBytes { bytes in
                do throws(StoreError) { try staged.write(bytes) } catch { failure = error }
            }
            if let failure { throw failure }
            offset += chunk.count
        }
        guard checksum == job.location.extent.checksum, offset == length else { throw ContentError.corrupt(job.location) }
        try staged.sync()
        return staged.name
    }

    /// Moves a staged copy into its mailbox, making the Maildir where it is the first; not yet durable.
    func release(_ name: MessageName, to account: AccountFolder) throws(StoreError) -> Delivery.Release {
        do throws(StoreError) { return try delivery.release(name, to: account) } catch {
            guard error == .accountMissing else { throw error }
            _ = try delivery.createAccount(account)
            return try delivery.release(name, to: account)
        }
    }

    /// Makes the renames durable; the accounts for which that failed.
    func syncMailboxes() -> Set<AccountFolder> {
        let folders = delivery.takeUnsynced()
        let failed = SharedFailures()
        crew.forEach(folders.count) { _, index in
            do throws(StoreError) { try folders[index].sync() } catch {
                failed.accounts.withLock { _ = $0.insert(folders[index].place.account) }
            }
        }
        return failed.accounts.withLock { $0 }
    }

    private final class SharedFailures: Sendable {
        let accounts = Mutex<Set<AccountFolder>>([])
    }

    func find(_ uniques: Set<[UInt8]>, of account: AccountFolder) throws(StoreError) -> [[UInt8]: Whereabouts] {
        try delivery.find(uniques, of: account)
    }

    /// The rename that brought a copy where it was found may not be durable: the process may have died before its sync.
    func syncFound(_ found: [[UInt8]: Whereabouts], of account: AccountFolder) throws(StoreError) {
        var mailboxes: Set<MailboxName> = []
        for case .mailbox(let mailbox) in found.values { mailboxes.insert(mailbox) }
        for mailbox in mailboxes { try delivery.syncMailbox(mailbox, of: account) }
    }

    /// Removes what an attempt left that did not come to `staged`.
    func removeLeftovers(keeping staged: Set<[UInt8]>) throws(StoreError) {
        for name in try delivery.stage.list() where !staged.contains(Array(name.unique)) { try delivery.stage.discard(name) }
        try delivery.removeUnfinishedAccounts()
    }

    func verifyStore() throws(StoreError) { try delivery.stage.verify() }
}
