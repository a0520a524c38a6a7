// What every part of the store is told once, at the start of a program.

import Kernel

/// The surroundings of the store: facts of this machine and the modes of what we create.
package struct StoreContext: Sendable {
    /// The name that ends the names of messages made here.
    package var host: [UInt8]
    /// The boot of the machine; empty where it is unknown, and then no unsynced file is believed.
    package var bootID: [UInt8]
    /// The set-group-ID bit comes from the folder above; to ask for it takes a right that systemd's units refuse.
    package var folderMode: UInt32 = 0o775
    package var fileMode: UInt32 = 0o440
    package var stateMode: UInt32 = 0o660
    /// Shared by all copies: what one session takes up, another may be the first to be told of.
    let recent = RecentMessages()

    package init(host: [UInt8], bootID: [UInt8]) {
        self.host = host
        self.bootID = bootID
    }

    /// The boot id of Linux. Ask before the sandbox is entered: it may not show `/proc`.
    package static func currentBootID() -> [UInt8] {
        do throws(KernelError) {
            let folder = try DirectoryDescriptor(opening: "/proc/sys/kernel/random")
            let text = try folder.open("boot_id").read(64, at: 0)
            return text.filter { $0 > 0x20 && $0 < 0x7F }
        } catch {
            return []
        }
    }
}

/// The names that the store uses on disk.
enum StoreNames {
    static let cur: Path = "cur"
    static let new: Path = "new"
    static let tmp: Path = "tmp"
    static let stateFolder: Path = "martlet"
    static let state: Path = "state"
    static let account: Path = "account"
    static let changes: Path = "changes"
    static let lock: Path = "lock"
    static let expunged: Path = "expunged"
    static let deleted: Path = "deleted"
    static let uidl: Path = "uidl"
    static let dovecotKeywords: Path = "dovecot-keywords"
    static let marker: Path = "maildirfolder"
    static let stage: Path = ".stage"
    static let storeID: Path = "STORE-ID"
    /// State files are small; one above this is not ours.
    static let stateLimit = 16 << 20
}
