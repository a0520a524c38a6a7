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
            try StoreIdentity.verifyPresence(store: path)
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
        /// Of the content, without what the reply adds to its last line.
        let size: Int
    }

    private static let pieceSize = 65_536

    let messages: [Session.Message]
    /// Files of other software that we may not read: none of the session's messages, so that the others can be had.
    let unreadable: Int
    private let maildrop: Maildrop?
    /// The places of the session's messages in the maildrop.
    private let places: [Int]
    private let lock: MaildropLock

    init(_ maildrop: Maildrop, lock: MaildropLock) throws(StoreError) {
        self.maildrop = maildrop
        self.lock = lock
        var messages: [Session.Message] = []
        var places: [Int] = []
        messages.reserveCapacity(maildrop.messages.count)
        for place in maildrop.messages.indices {
            guard let size = try OpenMaildrop.size(of: place, in: maildrop) else { continue }
            messages.append(Session.Message(size: size, uniqueID: maildrop.uidls[place]))
            places.append(place)
        }
        unreadable = maildrop.messages.count - places.count
        self.messages = messages
        self.places = places
    }

    init(emptyWith lock: MaildropLock) {
        messages = []
        unreadable = 0
        places = []
        maildrop = nil
        self.lock = lock
    }

    /// As sent (RFC 1939 §11): `W=` of the name is believed, else the file is measured. 0 for one that went since the listing.
    private static func size(of place: Int, in maildrop: Maildrop) throws(StoreError) -> Int? {
        if let size = maildrop.messages[place].wireSize { return size }
        do throws(StoreError) { return try maildrop.open(place).maildropSize() } catch {
            switch error {
            case .messageMissing: return 0
            case .damaged: return nil
            case .kernel(let reason) where reason.permissionDenied: return nil
            case .kernel, .storeMissing, .accountMissing, .folderMissing, .folderExists, .nameRefused, .keywordsFull,
                .numbersExhausted:
                throw error
            }
        }
    }

    /// A piece from `offset` on; `message` is the one that was read last.
    func read(_ index: Int, from offset: Int, _ message: Message?) throws(StoreError) -> (Message, [UInt8]) {
        let message = if let message, message.index == index { message } else { try open(index) }
        return (message, try message.file.read(offset..<(offset + OpenMaildrop.pieceSize)))
    }

    private func open(_ index: Int) throws(StoreError) -> Message {
        guard let maildrop, places.indices.contains(index) else { throw .messageMissing }
        let file = try maildrop.open(places[index])
        return Message(index: index, file: file, size: try file.wireSize())
    }

    /// Moves messages to the hidden folder, durably. Those that had gone before count as removed.
    func delete(_ indexes: [Int]) throws(StoreError) {
        _ = try maildrop?.delete(indexes.filter(places.indices.contains).map { places[$0] }, at: .now())
    }

    /// The session is over: the next one may begin before the last worker has let go of this.
    func close() { lock.release() }

    /// For events: the file's unique part, which it keeps for life.
    func uniquePart(of index: Int) -> [UInt8] {
        guard let maildrop, places.indices.contains(index) else { return [] }
        return Array(maildrop.messages[places[index]].unique)
    }
}
