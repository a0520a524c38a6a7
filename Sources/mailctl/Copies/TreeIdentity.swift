// What spool and store say of themselves and of each other: SPOOL-ID in the spool, STORE-ID on the store's stage.
// Each names the file that it stands in, so that a copy of it gives itself away, and the life that both are in.

import Crypto
import Kernel
import MailModel

/// Where an identity file lies: facts that a copy of it does not share.
struct IdentityPlace: Hashable, Sendable {
    let inode: UInt64
    /// When the file was made, nanoseconds since 1970; nil where the file system does not say.
    let born: Int64?
    /// A hash of the machine's id; empty where it has none.
    let machine: [UInt8]

    /// Whether this can be the place of which `written` speaks.
    ///
    /// The time of birth decides where there is one: inode numbers are given again, and some file systems invent them.
    func isSame(as written: IdentityPlace) -> Bool {
        if let born, let other = written.born { return born == other }
        return inode == written.inode && (machine.isEmpty || written.machine.isEmpty || machine == written.machine)
    }

    /// A hash, because the id itself is nobody else's business (machine-id(5)).
    static func currentMachine() -> [UInt8] {
        guard let id = try? DirectoryDescriptor(opening: "/etc").contents(of: "machine-id", limit: 256), id.count >= 32 else { return [] }
        return SHA256.hash(data: Array("martlet ".utf8) + id).prefix(8).flatMap { hexadecimal(UInt64($0), digits: 2) }
    }
}

/// The content of an identity file.
struct TreeIdentity: Hashable, Sendable {
    enum Kind: String, Sendable {
        case spool = "martlet-spool"
        case store = "martlet-store"
    }

    let kind: Kind
    /// 32 hexadecimal digits; stays over a copy.
    let id: [UInt8]
    var generation: UInt32 = 1
    /// One more with each start and each stop.
    var life: UInt64 = 0
    /// Of the store: the generation since which its mailboxes' UIDs count; 0 where it was never a copy.
    var numbering: UInt32 = 0
    /// Of the spool: the store's file of this life is being written.
    var isPending = false
    /// The other's id; nil in a file of an earlier version.
    var partner: [UInt8]?
    /// Where the file was written; nil in a file of an earlier version.
    var place: IdentityPlace?

    init(_ kind: Kind, id: [UInt8]) {
        self.kind = kind
        self.id = id
    }

    static func fresh(_ kind: Kind) throws(KernelError) -> TreeIdentity {
        TreeIdentity(kind, id: hexadecimal(try Randomness.uint64(), digits: 16) + hexadecimal(try Randomness.uint64(), digits: 16))
    }

    // MARK: As text

    /// Lines `key value` between the kind with its version and `end`, as all state files of the store have them.
    var text: [UInt8] {
        var lines = ["\(kind.rawValue) 1", "id \(id.display)", "generation \(generation)"]
        if numbering > 0 { lines.append("numbering \(numbering)") }
        lines.append("life \(life)")
        if isPending { lines.append("pending 1") }
        if let partner { lines.append("partner \(partner.display)") }
        if let place {
            lines.append("inode \(place.inode)")
            if let born = place.born { lines.append("born \(born)") }
            if !place.machine.isEmpty { lines.append("machine \(place.machine.display)") }
        }
        return Array((lines + ["end", ""]).joined(separator: "\n").utf8)
    }

    /// Nil unless the whole is there and of the version that we write; keys that we do not know say nothing.
    init?(_ kind: Kind, parsing text: [UInt8]) {
        let rows = text.split(separator: 0x0A, omittingEmptySubsequences: false)
        guard rows.count >= 3, rows[0].elementsEqual("\(kind.rawValue) 1".utf8), rows[rows.count - 1].isEmpty,
            rows[rows.count - 2].elementsEqual("end".utf8)
        else { return nil }
        var values: [String: ArraySlice<UInt8>] = [:]
        for row in rows[1..<(rows.count - 2)] {
            guard let space = row.firstIndex(of: 0x20) else { return nil }
            values[String(decoding: row[..<space], as: UTF8.self)] = row[(space + 1)...]
        }
        // A time of birth has more digits than `decimalValue` takes.
        func number(_ key: String) -> Int64? { values[key].flatMap { Int64(String(decoding: $0, as: UTF8.self)) } }
        guard let id = values["id"], id.count == 32, id.allSatisfy({ $0.hexValue != nil }),
            let generation = number("generation").flatMap(UInt32.init(exactly:)), generation > 0
        else { return nil }
        self.init(kind, id: Array(id))
        self.generation = generation
        life = number("life").flatMap(UInt64.init(exactly:)) ?? 0
        numbering = number("numbering").flatMap(UInt32.init(exactly:)) ?? 0
        isPending = values["pending"] != nil
        partner = values["partner"].map { Array($0) }
        guard let inode = number("inode").flatMap(UInt64.init(exactly:)) else { return }
        place = IdentityPlace(inode: inode, born: number("born"), machine: values["machine"].map { Array($0) } ?? [])
    }
}

/// An identity file as it was found.
struct FoundIdentity: Hashable, Sendable {
    let identity: TreeIdentity
    /// Where the file really lies.
    let place: IdentityPlace

    /// Whether it says that it was written elsewhere.
    var isMoved: Bool { identity.place.map { !place.isSame(as: $0) } ?? false }
}

private func hexadecimal(_ value: UInt64, digits: Int) -> [UInt8] {
    let text = String(value, radix: 16)
    return Array(String(repeating: "0", count: max(0, digits - text.count)).utf8) + Array(text.utf8)
}
