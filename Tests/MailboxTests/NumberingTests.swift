// A store that was copied or restored: what UIDs were given since cannot be known, so none of the old ones counts.

import Kernel
import Testing

@testable import Mailbox

@Suite struct NumberingTests {
    @Test func eachMailboxTakesANewUIDValidityOnceInACopy() throws {
        let store = try TemporaryStore()
        let before = try store.account().open(.inbox)
        _ = try before.append(bytes("one"), flags: .seen, seconds: 1)
        let uids = before.uids
        let identity = try #require(StoreIdentity(id: bytes("0123456789abcdef0123456789abcdef"), generation: 1)?.next)
        try StoreIdentity.replace(store: store.root, with: identity)
        let copy = try store.account().open(.inbox)
        #expect(copy.validity > before.validity && copy.count == uids.count)
        #expect(copy.highestModSequence > before.highestModSequence)
        #expect(try copy.open(copy.uids[0]).contents() == bytes("one"))
        let again = try store.account().open(.inbox)
        #expect(again.validity == copy.validity && again.uids == copy.uids)
    }

    @Test func aMailboxThatIsMadeInACopyKeepsItsNumbers() throws {
        let store = try TemporaryStore()
        let identity = try #require(StoreIdentity(id: bytes("0123456789abcdef0123456789abcdef"), generation: 1)?.next)
        try StoreIdentity.replace(store: store.root, with: identity)
        try store.account().create(mailbox("Work"))
        let work = try store.account().open(mailbox("Work"))
        #expect(try store.account().open(mailbox("Work")).validity == work.validity)
    }
}
