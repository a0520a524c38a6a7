// What another session did to a folder is seen though the folder's time stamp was taken over after a change of our own.

import Kernel
import Testing

@testable import Mailbox

@Suite struct OtherSessionTests {
    let store: TemporaryStore
    let account: Account

    init() throws {
        store = try TemporaryStore()
        account = try store.account()
    }

    @Test func aMoveDoesNotHideWhatAnotherSessionAppended() throws {
        try account.create(mailbox("Work"))
        let work = try account.open(mailbox("Work"))
        let one = try account.open(.inbox)
        let first = try one.append(bytes("x\r\n"), flags: [], seconds: 1)
        let two = try account.open(.inbox)
        let second = try two.append(bytes("y\r\n"), flags: [], seconds: 1)
        _ = try one.move([first], to: work)
        _ = try one.refresh()
        #expect(one.uids == [second])
    }

    @Test func whatAnotherSessionDidInTheSameTickIsSeen() throws {
        let one = try account.open(.inbox)
        let two = try account.open(.inbox)
        for _ in 0..<50 {
            _ = try one.append(bytes("x\r\n"), flags: [], seconds: 1)
            let uid = try two.append(bytes("y\r\n"), flags: [], seconds: 1)
            _ = try one.refresh()
            #expect(one.uids == two.uids)
            _ = try two.store(.add, .flagged, on: [uid])
            _ = try one.store(.add, .seen, on: [uid])
            _ = try two.refresh()
            #expect(two.message(uid)?.flags == [.flagged, .seen])
        }
    }
}
