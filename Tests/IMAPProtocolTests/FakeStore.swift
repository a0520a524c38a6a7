// A mail store in memory that answers a session's questions as the real one must: the model for the transcripts.

import IMAPProtocol
import MailFormat

/// One account's mailboxes, shared by all connections of a test.
final class FakeStore {
    struct Message {
        let uid: UID
        var flags: Flags
        let date: InternalDate
        let bytes: [UInt8]
        var isRecent = true
    }

    struct Mailbox {
        var uidValidity: UIDValidity
        var uidNext: UInt32 = 1
        var messages: [Message] = []
        var isSubscribed = false
        var specialUse: SpecialUse?
        var exists = true
    }

    var mailboxes: [MailboxName: Mailbox] = [:]
    /// Every question is answered with this.
    var refusal: Refusal?
    /// What an APPEND may have; nil is no limit.
    var quota: Int?
    /// UIDs whose file is gone although they are listed.
    var lost: Set<UInt32> = []
    /// Counts changes, so that other sessions are told that there are some.
    var generation = 0
    private var nextValidity: UInt32 = 1

    init() { create(.inbox) }

    func create(_ name: MailboxName, specialUse: SpecialUse? = nil) {
        var mailbox = Mailbox(uidValidity: UIDValidity(nextValidity))
        mailbox.specialUse = specialUse
        mailbox.isSubscribed = mailboxes[name]?.isSubscribed ?? false
        mailboxes[name] = mailbox
        nextValidity += 1
    }

    @discardableResult
    func add(
        _ bytes: [UInt8], to name: MailboxName, flags: Flags = Flags(), date: InternalDate = FakeStore.defaultDate
    ) -> UID? {
        guard let number = mailboxes[name]?.uidNext else { return nil }
        mailboxes[name]?.messages.append(Message(uid: UID(number), flags: flags, date: date, bytes: bytes))
        mailboxes[name]?.uidNext += 1
        generation += 1
        return UID(number)
    }

    /// 2026-01-02 03:04:05 UTC
    static let defaultDate = InternalDate(seconds: 1_767_323_045)
}

/// What one session's store side remembers: which mailbox it selected, and what it has reported of it.
struct FakeAccess {
    let store: FakeStore
    var selected: MailboxName?
    private var reported: [UID: Flags] = [:]
    private var upload: (command: AppendCommand, bytes: [UInt8])?

    init(_ store: FakeStore) { self.store = store }

    mutating func answer(_ question: Session.Question) -> Session.Answer {
        if let refusal = store.refusal { return .refused(refusal) }
        switch question {
        case .list:
            return .mailboxes(
                store.mailboxes.map { name, mailbox in
                    MailboxEntry(
                        name, exists: mailbox.exists, isSubscribed: mailbox.isSubscribed, specialUse: mailbox.specialUse)
                })
        case .select(let name, _): return select(name)
        case .unselect:
            selected = nil
            return .done
        case .refresh: return refresh()
        case .create, .delete, .rename, .subscribe, .unsubscribe: return change(question)
        case .status(let name, _): return status(name)
        case .beginAppend, .appendContent, .finishAppend, .abandonAppend: return append(question)
        case .describe(let uid, let needs): return describe(uid, needs)
        case .read(let uid, let range): return .content(Array(message(uid)?.bytes[range] ?? []))
        case .store(let uids, let operation): return setFlags(uids, operation)
        case .copy(let uids, let target): return copy(uids, to: target, isMove: false)
        case .move(let uids, let target): return copy(uids, to: target, isMove: true)
        case .expunge(let among): return expunge(among)
        case .match(let uids, let keys): return match(uids, keys)
        }
    }

    private var mailbox: FakeStore.Mailbox? { selected.flatMap { store.mailboxes[$0] } }

    private func message(_ uid: UID) -> FakeStore.Message? {
        store.lost.contains(uid.value) ? nil : mailbox?.messages.first { $0.uid == uid }
    }

    /// A Maildir has a letter for it, so that it can be in every mailbox (RFC 3501 §7.2.6).
    private var forwarded: [Keyword] { Keyword("$Forwarded".utf8).map { [$0] } ?? [] }

    private mutating func select(_ name: MailboxName) -> Session.Answer {
        selected = nil
        guard let mailbox = store.mailboxes[name], mailbox.exists else { return .refused(.nonexistent) }
        selected = name
        reported = [:]
        let states = mailbox.messages.map { state($0) }
        for index in mailbox.messages.indices { store.mailboxes[name]?.messages[index].isRecent = false }
        return .selected(
            Selection(
                uidValidity: mailbox.uidValidity, uidNext: UID(mailbox.uidNext), messages: states,
                keywords: forwarded
                    + Set(mailbox.messages.flatMap(\.flags.keywords)).subtracting(forwarded)
                    .sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }))
    }

    private mutating func state(_ message: FakeStore.Message) -> MessageState {
        reported[message.uid] = message.flags
        var flags = message.flags
        if message.isRecent { flags.system.insert(.recent) }
        return MessageState(uid: message.uid, flags: flags, size: UInt32(message.bytes.count))
    }

    private mutating func refresh() -> Session.Answer {
        guard let name = selected, let mailbox, mailbox.exists else { return .refused(.nonexistent) }
        var changes = MailboxChanges()
        let present = Set(mailbox.messages.map(\.uid))
        changes.vanished = reported.keys.filter { !present.contains($0) }
        for uid in changes.vanished { reported[uid] = nil }
        for (index, message) in mailbox.messages.enumerated() {
            if let old = reported[message.uid] {
                if old != message.flags { changes.flags.append(FlagUpdate(message.uid, message.flags)) }
                reported[message.uid] = message.flags
            } else {
                changes.arrived.append(state(message))
                store.mailboxes[name]?.messages[index].isRecent = false
            }
        }
        return .changes(changes)
    }

    private func change(_ question: Session.Question) -> Session.Answer {
        switch question {
        case .create(let name):
            guard store.mailboxes[name]?.exists != true else { return .refused(.alreadyExists) }
            store.create(name)
        case .delete(let name):
            guard store.mailboxes[name]?.exists == true else { return .refused(.nonexistent) }
            store.mailboxes[name] = nil
        case .rename(let old, let new):
            guard let mailbox = store.mailboxes[old] else { return .refused(.nonexistent) }
            guard store.mailboxes[new] == nil else { return .refused(.alreadyExists) }
            store.mailboxes[new] = mailbox
            store.mailboxes[old] = nil
        case .subscribe(let name):
            if store.mailboxes[name] == nil { return .refused(.nonexistent) }
            store.mailboxes[name]?.isSubscribed = true
        case .unsubscribe(let name): store.mailboxes[name]?.isSubscribed = false
        default: return .refused(.serverBug)
        }
        store.generation += 1
        return .done
    }

    private func status(_ name: MailboxName) -> Session.Answer {
        guard let mailbox = store.mailboxes[name] else { return .refused(.nonexistent) }
        return .status(
            MailboxStatus(
                messages: mailbox.messages.count, recent: mailbox.messages.count { $0.isRecent },
                uidNext: UID(mailbox.uidNext), uidValidity: mailbox.uidValidity,
                unseen: mailbox.messages.count { !$0.flags.system.contains(.seen) }))
    }

    private mutating func append(_ question: Session.Question) -> Session.Answer {
        switch question {
        case .beginAppend(let command, let size):
            guard store.mailboxes[command.mailbox] != nil else { return .refused(.nonexistent) }
            if let quota = store.quota, size > quota { return .refused(.overQuota) }
            upload = (command, [])
        case .appendContent(let bytes): upload?.bytes += bytes
        case .abandonAppend: upload = nil
        default:
            guard let (command, bytes) = upload, let mailbox = store.mailboxes[command.mailbox] else { return .refused(.serverBug) }
            upload = nil
            let date = command.date ?? FakeStore.defaultDate
            guard let uid = store.add(bytes, to: command.mailbox, flags: command.flags, date: date) else { return .done }
            return .appended(mailbox.uidValidity, uid)
        }
        return .done
    }

    private func describe(_ uid: UID, _ needs: MessageNeeds) -> Session.Answer {
        guard let message = message(uid) else { return .described(nil) }
        var description = MessageDescription(size: message.bytes.count)
        if needs.contains(.internalDate) { description.internalDate = message.date }
        if needs.contains(.header) {
            let header = HeaderSection(of: message.bytes)
            description.headerLength = header.bodyStart
            description.header = Array(message.bytes[..<header.bodyStart].prefix(MessageDescription.headerLimit))
        }
        if needs.contains(.structure) { description.structure = MIMEStructure(of: message.bytes) }
        if needs.contains(.content), message.bytes.count <= MessageDescription.inlineLimit { description.content = message.bytes }
        return .described(description)
    }

    private mutating func setFlags(_ uids: [UID], _ operation: StoreOperation) -> Session.Answer {
        guard let name = selected else { return .refused(.serverBug) }
        var updates: [FlagUpdate] = []
        for uid in uids {
            guard let index = mailbox?.messages.firstIndex(where: { $0.uid == uid }), let old = mailbox?.messages[index].flags
            else { continue }
            let new = operation.applied(to: old)
            store.mailboxes[name]?.messages[index].flags = new
            if new != old { store.generation += 1 }
            reported[uid] = new
            updates.append(FlagUpdate(uid, new))
        }
        return .stored(updates)
    }

    private mutating func copy(_ uids: [UID], to target: MailboxName, isMove: Bool) -> Session.Answer {
        guard let name = selected, let mailbox = store.mailboxes[target] else { return .refused(.nonexistent) }
        var pairs: [UIDMapping.Pair] = []
        for uid in uids {
            guard let message = message(uid) else { continue }
            guard let new = store.add(message.bytes, to: target, flags: message.flags, date: message.date) else { continue }
            pairs.append(.init(old: uid, new: new))
            guard isMove else { continue }
            store.mailboxes[name]?.messages.removeAll { $0.uid == uid }
            reported[uid] = nil
        }
        return .copied(UIDMapping(uidValidity: mailbox.uidValidity, pairs: pairs))
    }

    private mutating func expunge(_ among: NumberSet?) -> Session.Answer {
        guard let name = selected, let mailbox else { return .refused(.nonexistent) }
        let gone = mailbox.messages.filter { message in
            message.flags.system.contains(.deleted) && among?.contains(message.uid.value) != false
        }.map(\.uid)
        store.mailboxes[name]?.messages.removeAll { gone.contains($0.uid) }
        for uid in gone { reported[uid] = nil }
        if !gone.isEmpty { store.generation += 1 }
        return .expunged(gone)
    }

    private func match(_ uids: [UID], _ keys: [ContentKey]) -> Session.Answer {
        let matcher = ContentMatcher(keys)
        return .matches(
            uids.map { uid in
                message(uid).map { matcher.matches(size: $0.bytes.count, internalDate: $0.date, bytes: $0.bytes) } ?? []
            })
    }
}
