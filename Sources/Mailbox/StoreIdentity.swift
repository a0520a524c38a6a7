// Which store this is: a tree that is missing, swapped or restored is recognised before anything is concluded from it.

package import Kernel
import MailModel

/// The content of `.stage/STORE-ID`; the spool records the same.
///
///     martlet-store 1
///     id 5f0c3a…          128 random bits
///     generation 1        one more for each copy or restore
///     numbering 1         the generation since which UIDs count; absent where the store was never a copy
///     end
///
/// `mailctl run` adds lines by which it recognises a copy (docs/spool.md, "Copies"); they are none of the store's.
package struct StoreIdentity: Hashable, Sendable {
    /// 32 hexadecimal digits.
    package let id: [UInt8]
    package let generation: UInt32
    /// A mailbox whose state is of an older numbering takes a new UIDVALIDITY: what it gave since may be unknown here.
    package let numbering: UInt32

    package init?(id: [UInt8], generation: UInt32, numbering: UInt32 = 0) {
        guard id.count == 32, id.allSatisfy({ $0.hexValue != nil }), generation > 0 else { return nil }
        self.id = id
        self.generation = generation
        self.numbering = numbering
    }

    package init?(parsing text: [UInt8]) {
        guard let file = StateFile(kind: "martlet-store", parsing: text) else { return nil }
        func value(_ key: String) -> [UInt8]? { file.lines.first { $0.key.elementsEqual(key.utf8) }?.value }
        guard let id = value("id"), let digits = value("generation"),
            let generation = canonicalDecimal(digits, limit: UInt64(UInt32.max))
        else { return nil }
        let numbering = value("numbering").flatMap { canonicalDecimal($0, limit: UInt64(UInt32.max)) } ?? 0
        self.init(id: id, generation: UInt32(truncatingIfNeeded: generation), numbering: UInt32(truncatingIfNeeded: numbering))
    }

    package var text: [UInt8] {
        var file = StateFile(kind: "martlet-store")
        file.add("id", id)
        file.add("generation", decimal(generation))
        if numbering > 0 { file.add("numbering", decimal(numbering)) }
        return file.text
    }

    /// The same store after it was copied or restored.
    package var next: StoreIdentity? { StoreIdentity(id: id, generation: generation &+ 1, numbering: generation &+ 1) }

    /// Makes the stage folder of a new store, with an identity; durable when it returns. For `mailctl setup`.
    package static func create(store: Path, context: StoreContext) throws(StoreError) -> StoreIdentity {
        let digits = Array("0123456789abcdef".utf8)
        let random = try kernel { () throws(KernelError) in try Randomness.bytes(16) }
        let id = random.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        guard let identity = StoreIdentity(id: id, generation: 1) else { throw .damaged(path: id) }
        let root = try kernel { () throws(KernelError) in try DirectoryDescriptor(opening: store) }
        let stage = try root.existingDirectory(StoreNames.stage, mode: context.folderMode)
        let present = try ifPresent { () throws(KernelError) in try stage.status(of: StoreNames.storeID) }
        if present != nil { throw .folderExists }
        try write(identity, in: stage)
        return identity
    }

    /// Records a new generation, after a restore; durable when it returns.
    package static func replace(store: Path, with identity: StoreIdentity) throws(StoreError) {
        let stage = try kernel { () throws(KernelError) in try DirectoryDescriptor(opening: store / StoreNames.stage) }
        try write(identity, in: stage)
    }

    private static func write(_ identity: StoreIdentity, in stage: borrowing DirectoryDescriptor) throws(StoreError) {
        try kernel { () throws(KernelError) in try stage.replace(StoreNames.storeID, with: identity.text, mode: 0o444) }
    }

    /// The numbering of the store at this path; 0 where it says none.
    static func numbering(of store: Path) throws(StoreError) -> UInt32 {
        guard let stage = try ifPresent({ () throws(KernelError) in try DirectoryDescriptor(opening: store / StoreNames.stage) }),
            let text = try ifPresent({ () throws(KernelError) in try stage.contents(of: StoreNames.storeID, limit: 4096) })
        else { return 0 }
        guard let identity = StoreIdentity(parsing: text) else { throw .damaged(path: (stage.path / StoreNames.storeID).bytes) }
        return identity.numbering
    }

    /// Throws unless there is a store at this path; one without an identity is a folder on which nothing is mounted.
    package static func verifyPresence(store: Path) throws(StoreError) {
        guard let stage = try ifPresent({ () throws(KernelError) in
            try DirectoryDescriptor(opening: store / StoreNames.stage)
        }) else { throw .storeMissing(reason: (store / StoreNames.stage).bytes) }
        _ = try read(in: stage)
    }

    /// The identity of the store whose stage folder this is; `storeMissing` if it says none.
    static func read(in stage: borrowing DirectoryDescriptor) throws(StoreError) -> StoreIdentity {
        guard let text = try ifPresent({ () throws(KernelError) in
            try stage.contents(of: StoreNames.storeID, limit: 4096)
        }) else { throw .storeMissing(reason: stage.path.bytes + Array(" has no STORE-ID".utf8)) }
        guard let identity = StoreIdentity(parsing: text) else {
            throw .damaged(path: (stage.path / StoreNames.storeID).bytes)
        }
        return identity
    }
}
