// STORE, COPY, MOVE, EXPUNGE: the store does them under its own lock, durably where the protocol says OK.

import IMAPProtocol
import Kernel
import Mailbox
import SpoolFormat

extension AccountAccess {
    mutating func store(_ uids: [UID], _ operation: StoreOperation) throws(StoreError) -> Session.Answer {
        let folder = try selectedFolder()
        let flags = try FlagTranslation.stored(operation.flags, in: folder, creating: operation.mode != .remove)
        let result = try folder.store(operation.mode.change, flags, on: uids.map { MessageUID($0.value) })
        for message in result.messages { selected?.known.take(message) }
        let translation = FlagTranslation(folder)
        return .stored(result.messages.map { FlagUpdate($0, translation) })
    }

    mutating func transfer(_ uids: [UID], to target: IMAPProtocol.MailboxName, isMove: Bool) throws(StoreError) -> Session.Answer {
        let destination = try folder(target)
        let source = try selectedFolder()
        let uids = uids.map { MessageUID($0.value) }
        let messages = source.messages(uids)
        let result = isMove ? try source.move(uids, to: destination) : try source.copy(uids, to: destination)
        if isMove { selected?.known.remove(result.source) }
        let pairs = zip(result.source, result.destination)
        let names = Dictionary(messages.map { ($0.uid, $0.name) }) { first, _ in first }
        for (old, new) in pairs {
            guard let name = names[old] else { continue }
            if isMove {
                trace.message(.move, name, old, in: source.name, to: destination.name)
            } else if let copy = destination.message(new)?.name {
                trace.message(.copy, copy, old, in: source.name, to: destination.name, from: name)
            }
        }
        return .copied(
            UIDMapping(
                uidValidity: IMAPProtocol.UIDValidity(result.validity.rawValue),
                pairs: pairs.map { .init(old: UID($0.rawValue), new: UID($1.rawValue)) }))
    }

    mutating func expunge(_ among: NumberSet?) throws(StoreError) -> Session.Answer {
        let folder = try selectedFolder()
        // Flags that another session took away since the client looked save a message.
        _ = try folder.refresh(since: folder.generation)
        let messages = folder.messages.filter { $0.flags.contains(.deleted) && among?.contains($0.uid.rawValue) != false }
        let gone = try folder.expunge(messages.map(\.uid), at: .now())
        selected?.known.remove(gone)
        let went = Set(gone)
        for message in messages where went.contains(message.uid) {
            trace.message(.delete, message.name, message.uid, in: folder.name)
        }
        return .expunged(gone.map { UID($0.rawValue) })
    }
}

extension StoreOperation.Mode {
    fileprivate var change: FlagChange {
        switch self {
        case .replace: .replace
        case .add: .add
        case .remove: .remove
        }
    }
}
