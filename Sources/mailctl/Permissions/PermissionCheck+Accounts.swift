// Beneath the accounts: every folder, every state file, and the first messages of each folder. All messages of a store would take
// hours, and one that is not as it should be is seldom alone.

import Configuration
import Kernel

extension PermissionCheck {
    /// Messages of one folder that are looked at.
    private static let sample = 16
    /// <domain>/<user>/.Mailbox/martlet/deleted/.Mailbox/martlet/expunged.
    private static let depth = 9

    func lookAtAccounts(in store: borrowing DirectoryDescriptor) throws(Failure) {
        let owners: [Service] = [.imapd, .locald, .pop3d]
        var uids: [UInt32] = []
        for service in owners { if let uid = try ownership.uid(of: .service(service)) { uids.append(uid) } }
        let group = try ownership.gid(of: SpoolTree.account.group, owner: .root)
        let kinds = AccountKinds(
            folder: Wanted(owners: uids.isEmpty ? nil : uids, group: group, mode: SpoolTree.account.mode),
            message: Wanted(owners: uids.isEmpty ? nil : uids, group: group, mode: SpoolTree.message.mode),
            state: Wanted(owners: uids.isEmpty ? nil : uids, group: group, mode: SpoolTree.state.mode))
        descend(store, .top, kinds, depth: 0)
        if budget <= 0 { report.unknown.append("the rest of \(store.path): 200,000 folders and files were looked at") }
    }

    fileprivate struct AccountKinds {
        let folder: Wanted
        let message: Wanted
        let state: Wanted
    }

    /// What the entries of a folder are.
    fileprivate enum Content { case top, domain, mailbox, messages, state, deleted }

    private func descend(_ folder: borrowing DirectoryDescriptor, _ content: Content, _ kinds: AccountKinds, depth: Int) {
        guard depth <= PermissionCheck.depth, budget > 0 else { return }
        let entries: [DirectoryDescriptor.Entry]
        do throws(KernelError) { entries = try folder.list() } catch { return cannot(error, folder.path) }
        var messages = 0
        for entry in entries.sorted(by: { $0.name.lexicographicallyPrecedes($1.name) }) where budget > 0 {
            let name = Path(entry.name)
            switch (content, content.inner(entry.name)) {
            case (.messages, _):
                messages += 1
                if messages <= PermissionCheck.sample { lookAtFile(name, kinds.message, in: folder) }
            case (.state, nil): lookAtFile(name, kinds.state, in: folder)
            case (_, let inner?): enter(name, inner, folder, kinds, depth)
            // Other software keeps files of its own in a mailbox.
            case (_, nil): continue
            }
            budget -= 1
        }
    }

    private func enter(_ name: Path, _ content: Content, _ folder: borrowing DirectoryDescriptor, _ kinds: AccountKinds, _ depth: Int) {
        do throws(KernelError) {
            let opened = try folder.openDirectory(name)
            compare(try opened.status(), kinds.folder, at: opened.path) { wanted throws(KernelError) in
                try opened.descriptor.setOwner(uid: wanted.owners?.first, gid: wanted.group)
                try opened.setMode(wanted.mode)
            }
            descend(opened, content, kinds, depth: depth + 1)
        } catch { if !error.isMissing { cannot(error, folder.path / name) } }
    }
}

extension PermissionCheck.Content {
    /// What an entry of this name has in it, if it is a folder of ours.
    fileprivate func inner(_ name: [UInt8]) -> Self? {
        let isHidden = name.first == UInt8(ascii: ".")
        switch self {
        case .top: return isHidden ? nil : .domain
        case .domain: return isHidden ? nil : .mailbox
        case .mailbox, .deleted:
            if self == .mailbox, ["new", "cur", "tmp"].contains(where: { name.elementsEqual($0.utf8) }) { return .messages }
            if self == .mailbox, name.elementsEqual("martlet".utf8) { return .state }
            return isHidden || self == .deleted ? .mailbox : nil
        case .state:
            if name.elementsEqual("expunged".utf8) { return .messages }
            return name.elementsEqual("deleted".utf8) ? .deleted : nil
        case .messages: return nil
        }
    }
}
