// What our own users send, counted by account and by address.

import MailModel
import MailTestKit
import Testing

@testable import MailPolicy

@Suite struct SendingTableTests {
    private let second: Int64 = 1_000_000_000
    private let alice = SendingKey.account(Array("alice@x".utf8)), bob = SendingKey.account(Array("bob@x".utf8))
    private let office = SendingKey(client: .four(192, 0, 2, 1))

    @Test func messagesAndRecipientsOfAnHourAndADay() {
        var table = SendingTable(
            account: SendingLimits(messagesPerHour: 4, messagesPerDay: 6, recipientsPerHour: 10), address: SendingLimits())
        for _ in 0..<4 {
            #expect(table.wait(recipients: 2, of: [alice, office], at: 0) == nil)
            table.count(recipients: 2, of: [alice, office], at: 0)
        }
        #expect(table.wait(recipients: 2, of: [alice, office], at: 0) == SendingDelay(isOfAccount: true, isOfMessages: true, seconds: 900))
        #expect(table.wait(recipients: 9, of: [bob, office], at: 0) == nil)
        // The longest wait is the one that is told.
        #expect(table.wait(recipients: 5, of: [alice], at: 0) == SendingDelay(isOfAccount: true, isOfMessages: false, seconds: 1080))
        #expect(table.wait(recipients: 11, of: [bob], at: 0) == SendingDelay(isOfAccount: true, isOfMessages: false, seconds: 3600))
        for hour in 1...2 {
            table.count(recipients: 1, of: [alice], at: Int64(hour) * 3600 * second)
        }
        // Six of a day are gone: the next comes when a sixth of the day has passed since the first.
        let found = table.wait(recipients: 1, of: [alice], at: 7200 * second)
        #expect(found == SendingDelay(isOfAccount: true, isOfMessages: true, seconds: 7200))
        #expect(table.wait(recipients: 1, of: [alice], at: 14_400 * second) == nil)
    }

    @Test func anAddressCountsAllAccountsAndNoLimitIsNone() {
        var table = SendingTable(account: SendingLimits(), address: SendingLimits(messagesPerHour: 2))
        table.count(recipients: 1, of: [alice, office], at: 0)
        table.count(recipients: 1, of: [bob, office], at: 0)
        #expect(table.wait(recipients: 1, of: [alice, office], at: 0) == SendingDelay(isOfAccount: false, isOfMessages: true, seconds: 1800))
        #expect(table.wait(recipients: 100_000, of: [alice], at: 0) == nil)
        #expect(SendingKey(client: .four(192, 0, 2, 1)) == office && SendingKey(client: .four(192, 0, 2, 2)) != office)
    }

    @Test func memoryIsBounded() {
        var table = SendingTable(account: SendingLimits(messagesPerHour: 2), address: SendingLimits(), capacity: 50)
        for number in 0..<5000 { table.count(recipients: 1, of: [.account(Array("\(number)".utf8))], at: Int64(number)) }
        #expect(table.count == 50)
    }
}
