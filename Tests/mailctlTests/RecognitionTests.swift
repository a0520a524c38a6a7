// Whether a tree is the one that was here last: every way of copying, and every crash that is none.

import Kernel
import MailTestKit
import Testing

@testable import mailctl

@Suite struct RecognitionTests {
    private let tree: CopyTree

    init() throws { tree = try CopyTree() }

    @Test func aTreeOfAnEarlierVersionIsNamedQuietly() throws {
        #expect(try tree.find() == .unnamed)
        #expect(try tree.recognise().notes == [])
        for _ in 0..<3 {
            #expect(try tree.find() == .same)
            #expect(try tree.recognise().notes == [])
        }
        #expect(String(decoding: tree.files.read(CopyTree.spoolID), as: UTF8.self).contains("life 4\n"))
    }

    @Test func aCopyOfTheWholeTree() throws {
        try tree.advance()
        let copy = try CopyTree()
        copy.restore(tree.files.read(CopyTree.spoolID), CopyTree.spoolID)
        copy.restore(tree.files.read(CopyTree.storeID), CopyTree.storeID)
        #expect(try copy.find() == .copied([.spoolCopied, .storeCopied]))
        #expect(try tree.find() == .same)
        #expect(try copy.recognise().notes.last?.contains("copy") == true)
        #expect(try copy.find() == .same)
    }

    /// Put back in the life in which it was copied, and later; onto nothing, and over the file itself.
    @Test(arguments: [CopyTree.spoolID, CopyTree.storeID], [(0, false), (0, true), (1, false), (1, true), (3, true)])
    func anOlderOnePutBack(_ name: String, _ way: (lives: Int, inPlace: Bool)) throws {
        try tree.advance()
        let old = tree.files.read(name)
        for _ in 0..<way.lives { try tree.advance() }
        // Over itself within one life nothing has changed, and nothing was done meanwhile that a start could have told.
        if way.lives == 0, way.inPlace { return }
        if way.inPlace { tree.files.write(old, name) } else { tree.restore(old, name) }
        let isSpool = name == CopyTree.spoolID
        var reasons: CopyReasons = isSpool ? .spoolCopied : .storeCopied
        if way.lives > 0 { reasons.insert(isSpool ? .spoolOlder : .storeOlder) }
        #expect(try tree.find() == .copied(reasons))
    }

    @Test func anotherStore() throws {
        try tree.advance()
        let other = try CopyTree()
        tree.restore(other.files.read(CopyTree.storeID), CopyTree.storeID)
        #expect(try tree.find() == .otherStore)
        let before = tree.files.read(CopyTree.spoolID)
        #expect(try tree.recognise().notes.count == 1)
        #expect(tree.files.read(CopyTree.spoolID) == before)
        // It is meant: the spool is to forget the old one.
        tree.files.delete(CopyTree.spoolID)
        #expect(try tree.find() == .unnamed)
    }

    @Test func aStoreThatIsNotThereSaysNothing() throws {
        try tree.advance()
        tree.files.delete(CopyTree.storeID)
        let before = tree.files.read(CopyTree.spoolID)
        #expect(try tree.find() == nil)
        #expect(try tree.recognise().notes == [])
        #expect(tree.files.read(CopyTree.spoolID) == before)
    }

    @Test func aSpoolThatLostItsName() throws {
        try tree.advance()
        tree.files.delete(CopyTree.spoolID)
        #expect(try tree.find() == .copied(.spoolOlder))
        try tree.advance()
        tree.files.write(Array("martlet-spool 1\nid".utf8), CopyTree.spoolID)
        #expect(try tree.find() == .copied(.spoolOlder))
    }

    /// Each system call of a start fails, and those after it, as if the process had died: the next start sees no copy.
    @Test(arguments: [false, true]) func aCrashBetweenTheTwoIsNoCopy(_ isFirst: Bool) throws {
        if !isFirst { try tree.advance() }
        var number = 1
        while true {
            let script = try #require(FaultScript("EIO@\(number)+"))
            let failed = FaultInjection.running(script) { (try? tree.advance()) == nil }
            let found = try tree.find()
            #expect(found == .same || isFirst && found == .unnamed, "after call \(number)")
            if !failed { break }
            number += 1
        }
        #expect(number > 10)
        #expect(try tree.find() == .same)
    }

    /// A snapshot of one file system, rolled back: the files lie where they say, and the lives differ.
    @Test(arguments: [
        (5, false, 5, Recognition.same), (5, true, 5, .same), (6, true, 5, .same), (6, false, 5, .copied(.storeOlder)),
        (7, true, 5, .copied(.storeOlder)), (5, false, 6, .copied(.spoolOlder)), (5, true, 6, .copied(.spoolOlder)),
    ])
    func livesThatDiffer(_ spoolLife: UInt64, _ isPending: Bool, _ storeLife: UInt64, _ expected: Recognition) {
        let place = IdentityPlace(inode: 7, born: 1_795_237_813_343_759_646, machine: [])
        var spool = TreeIdentity(.spool, id: Array(repeating: 0x61, count: 32))
        var store = TreeIdentity(.store, id: Array(repeating: 0x62, count: 32))
        (spool.partner, store.partner) = (store.id, spool.id)
        (spool.place, store.place) = (place, place)
        (spool.life, spool.isPending, store.life) = (spoolLife, isPending, storeLife)
        #expect(TreeIdentity(.spool, parsing: spool.text) == spool && TreeIdentity(.store, parsing: store.text) == store)
        #expect(
            Recognition(spool: FoundIdentity(identity: spool, place: place), store: FoundIdentity(identity: store, place: place)) == expected)
    }

    @Test func aPlaceIsKnownByItsBirthOrElseByNumberAndMachine() {
        let machine = Array("m1".utf8)
        let written = IdentityPlace(inode: 7, born: 8, machine: machine)
        #expect(IdentityPlace(inode: 9, born: 8, machine: []).isSame(as: written))
        #expect(!IdentityPlace(inode: 7, born: 9, machine: machine).isSame(as: written))
        #expect(IdentityPlace(inode: 7, born: nil, machine: machine).isSame(as: written))
        #expect(!IdentityPlace(inode: 7, born: nil, machine: Array("m2".utf8)).isSame(as: written))
        #expect(!IdentityPlace(inode: 8, born: nil, machine: machine).isSame(as: written))
    }

    @Test func everyPrefixOfAnIdentityIsNone() throws {
        try tree.advance()
        let text = tree.files.read(CopyTree.spoolID)
        #expect(TreeIdentity(.spool, parsing: text) != nil && TreeIdentity(.store, parsing: text) == nil)
        for length in text.indices { #expect(TreeIdentity(.spool, parsing: Array(text[..<length])) == nil) }
    }
}
