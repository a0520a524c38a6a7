// A maildrop in use, as blocking calls for worker threads. Whatever fails is a value: each has one answer in the protocol.

import Kernel
import Mailbox
import POP3Protocol

/// Where the accounts are.
struct MailStore: Sendable {
    let path: Path
    let context: StoreContext

    /// Opens an INBOX. An account without a Maildir has had no mail; a store that is not there says nothing of the kind.
    func open(_ folder: AccountFolder, lock: MaildropLock) throws(StoreError) -> OpenMaildrop {
        do throws(StoreError) {
            return try OpenMaildrop(Maildrop(Account(store: path, folder: folder, context: context)), lock: lock)
        } catch {
            guard case .accountMissing = error else { throw error }
            _ = try Stage(store: path, expecting: nil, context: context)
            return OpenMaildrop(emptyWith: lock)
        }
    }
}

/// The messages of one session.
final class OpenMaildrop: Sendable {
    /// A message being read; its content never changes.
    struct Message: Sendable {
        let index: Int
        let file: MessageFile
        let size: Int
    }

    private static let pieceSize = 65_536

    let messages: [Session.Message]
    private let maildrop: Maildrop?
    private let lock: MaildropLock

    init(_ maildrop: Maildrop, lock: MaildropLock) throws(StoreError) {
        self.maildrop = maildrop
        self.lock = lock
        var messages: [Session.Message] = []
        messages.reserveCapacity(maildrop.messages.count)
        for index in maildrop.messages.indices {
            messages.append(Session.Message(size: try OpenMaildrop.size(of: index, in: maildrop), uniqueID: maildrop.uidls[index]))
        }
        self.messages = messages
    }

    init(emptyWith lock: MaildropLock) {
        messages = []
        maildrop = nil
        self.lock = lock
    }

    /// As sent (RFC 1939 §11): the name says it, or the file is measured. 0 for one that went between listing and here.
    private static func size(of index: Int, in maildrop: Maildrop) throws(StoreError) -> Int {
        if let size = maildrop.messages[index].wireSize { return size }
        do throws(StoreError) { return try maildrop.open(index).wireSize() } catch {
            guard case .messageMissing = error else { throw error }
            return 0
        }
    }

    /// A piece from `offset` on; `message` is the one that was read last.
    func read(_ index: Int, from offset: Int, _ message: Message?) throws(StoreError) -> (Message, [UInt8]) {
        let message = if let message, message.index == index { message } else { try open(index) }
        return (message, try message.file.read(offset..<(offset + OpenMaildrop.pieceSize)))
    }

    private func open(_ index: Int) throws(StoreError) -> Message {
        guard let maildrop else { throw .messageMissing }
        let file = try maildrop.open(index)
        return Message(index: index, file: file, size: try file.wireSize())
    }

    /// Moves messages to the hidden folder, durably. Those that had gone before count as removed.
    func delete(_ indexes: [Int]) throws(StoreError) { _ = try maildrop?.delete(indexes, at: .now()) }

    /// The session is over: the next one may begin before the last worker has let go of this.
    func close() { lock.release() }

    /// For events: the file's unique part, which it keeps for life.
    func uniquePart(of index: Int) -> [UInt8] {
        guard let maildrop, maildrop.messages.indices.contains(index) else { return [] }
        return Array(maildrop.messages[index].unique)
    }
}
