// What goes wrong with the store is never told as the absence of something.

import IMAPProtocol
import Mailbox
import Testing

@testable import imapd

@Suite struct RefusalTests {
    @Test func troubleIsTemporaryAndTheRestIsTheClientsAffair() {
        let trouble: [StoreError] = [.storeMissing(reason: []), .accountMissing, .damaged(path: [])]
        for error in trouble {
            #expect(error.refusal == .unavailable)
            #expect(error.isTrouble)
        }
        let table: [(StoreError, Refusal)] = [
            (.folderMissing, .nonexistent), (.folderExists, .alreadyExists), (.nameRefused, .cannot),
            (.messageMissing, .expungeIssued), (.keywordsFull, .limit),
        ]
        for (error, refusal) in table {
            #expect(error.refusal == refusal)
            #expect(!error.isTrouble)
        }
    }
}
