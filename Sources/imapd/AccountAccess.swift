// The store in the hands of one session: blocking calls for worker threads. Whatever fails becomes a refusal.

import Connection
import IMAPProtocol
import Kernel
import Mailbox

/// An account, the mailbox that is selected, and what is open of them at the moment. All of it can be opened again.
struct AccountAccess: Sendable {
    /// The mailbox that the session has selected.
    struct Selected: Sendable {
        let name: Mailbox.MailboxName
        let validity: Mailbox.UIDValidity
        let isReadOnly: Bool
        /// nil while it rests.
        var folder: Folder?
        /// Up to which `folder` has been asked for changes.
        var generation: Generation
        var known: KnownMessages
        var watch: WatchToken?
    }

    let shared: SharedParts
    private let place: [UInt8]
    let trace: SessionTrace
    var selected: Selected?
    /// The message that was read last.
    var message: (uid: MessageUID, file: MessageFile)?
    var incoming: IncomingAppend?
    private var opened: Account?
    /// The mailbox that a command named last, besides the one selected: clients fill one mailbox at a time.
    private var other: Folder?

    /// `place`: what the directory says of the account's folder.
    init(_ shared: SharedParts, _ place: [UInt8], _ trace: SessionTrace) {
        self.shared = shared
        self.place = place
        self.trace = trace
    }

    mutating func answer(_ question: Session.Question) -> Session.Answer {
        defer { noteFlags() }
        do throws(StoreError) { return try respond(to: question) } catch {
            if error.isTrouble { trace.problem("\(error)") }
            return .refused(error.refusal)
        }
    }

    private mutating func respond(to question: Session.Question) throws(StoreError) -> Session.Answer {
        switch question {
        case .list: try list()
        case .select(let name, let readOnly): try select(name, readOnly: readOnly)
        case .unselect: unselect()
        case .refresh: try refresh()
        case .create(let name): try create(name)
        case .delete(let name): try delete(name)
        case .rename(let old, let new): try rename(old, to: new)
        case .subscribe(let name): try setSubscribed(true, name)
        case .unsubscribe(let name): try setSubscribed(false, name)
        case .status(let name, _): try status(of: name)
        case .beginAppend(let command, let size): try beginAppend(command, size: size)
        case .appendContent(let bytes): try appendContent(bytes)
        case .finishAppend: try finishAppend()
        case .abandonAppend: abandonAppend()
        case .describe(let uid, let needs): try describe(MessageUID(uid.value), needs)
        case .read(let uid, let range): try read(MessageUID(uid.value), range)
        case .store(let uids, let operation): try store(uids, operation)
        case .copy(let uids, let target): try transfer(uids, to: target, isMove: false)
        case .move(let uids, let target): try transfer(uids, to: target, isMove: true)
        case .expunge(let among): try expunge(among)
        case .match(let uids, let keys): try match(uids, keys)
        }
    }

    // MARK: what is open

    mutating func account() throws(StoreError) -> Account {
        if let opened { return opened }
        // A name that the directory should never have given: trouble, and no account without mail.
        guard let folder = Mailbox.AccountFolder(parsing: place) else { throw .damaged(path: place) }
        let account = try shared.store.open(folder)
        opened = account
        return account
    }

    /// The selected mailbox's folder; `folderMissing` if it is no longer the mailbox that was selected.
    mutating func selectedFolder() throws(StoreError) -> Folder {
        guard let selected else { throw .folderMissing }
        if let folder = selected.folder { return folder }
        let folder = try account().open(selected.name)
        guard folder.validity == selected.validity else { throw .folderMissing }
        self.selected?.folder = folder
        self.selected?.generation = .beginning
        return folder
    }

    /// The folder of a mailbox that a command names, as it is on the disk now.
    mutating func folder(_ name: IMAPProtocol.MailboxName) throws(StoreError) -> Folder {
        guard let name = Mailbox.MailboxName(name.utf8) else { throw .folderMissing }
        if selected?.name == name { return try selectedFolder() }
        if let other, other.name == name, try isCurrent(other) { return other }
        noteFlags()
        other = nil
        let folder = try account().open(name)
        other = folder
        return folder
    }

    private func isCurrent(_ folder: Folder) throws(StoreError) -> Bool {
        do throws(StoreError) { _ = try folder.refresh(since: folder.generation) } catch {
            guard case .folderMissing = error else { throw error }
            return false
        }
        return true
    }

    /// Another mailbox may have the name from here on.
    mutating func forgetOther() {
        noteFlags()
        other = nil
    }

    /// Hands on what is not on the disk yet; also the last thing to do with an access.
    func noteFlags() {
        if let folder = selected?.folder { shared.flagSync.note(folder) }
        if let other { shared.flagSync.note(other) }
    }

    // MARK: rest

    /// A listing up to this many messages costs less to make again than to keep for each of thousands of idle sessions.
    private static let keptListing = 1000

    /// Closes descriptors and drops what can be had again; an upload keeps its file.
    mutating func rest() {
        guard incoming == nil else { return }
        forgetOther()
        message = nil
        guard let folder = selected?.folder else { return opened = nil }
        folder.rest()
        guard folder.count <= AccountAccess.keptListing else { return }
        selected?.folder = nil
        opened = nil
    }

    /// Has `listener` woken by changes of the selected mailbox.
    mutating func watch(for listener: ReplyAddress<StoreNews>) {
        guard let selected, selected.watch == nil else { return }
        let paths: [Path]
        do throws(StoreError) { paths = try selectedFolder().watchPaths } catch {
            // What is wrong with it the refresh finds out, which comes next.
            return
        }
        self.selected?.watch = shared.watch.watch(paths, for: listener)
    }
}
