// Guesses counted: who is slowed, who is not looked at any more, and who must never be kept out.

import MailTestKit
import Testing

@testable import SASLProtocol

struct GuessTableTests {
    private let second: Int64 = 1_000_000_000
    private let here = bytes("192.0.2.1"), there = bytes("192.0.2.2"), alice = bytes("a1"), bob = bytes("b2")

    private func table(_ perAddress: Int = 4, _ perAccount: Int = 6, capacity: Int = 1000) -> GuessTable {
        GuessTable(GuessLimits(perAddress: perAddress, perAccount: perAccount), capacity: capacity)
    }

    @Test func anAddressThatFailedTooOftenIsNotLookedAtForAnyAccount() {
        var table = table()
        for number in 0..<4 {
            #expect(!table.isBlocked(from: here, as: alice, at: 0), "\(number)")
            table.failed(from: here, as: bytes("n\(number)"), at: 0)
        }
        #expect(table.isBlocked(from: here, as: alice, at: 0) && table.isBlocked(from: here, as: bob, at: 0))
        #expect(!table.isBlocked(from: there, as: alice, at: 0))
        // One goes with each quarter of the hour.
        #expect(table.isBlocked(from: here, as: alice, at: 899 * second))
        #expect(!table.isBlocked(from: here, as: alice, at: 901 * second))
        // A name that was never said counts for the address too.
        table.failed(from: here, as: nil, at: 901 * second)
        #expect(table.isBlocked(from: here, as: alice, at: 902 * second))
        #expect(!table.isBlocked(from: here, as: alice, at: 3601 * 2 * second))
    }

    @Test func manyAddressesTogetherCloseAnAccountToThemselvesAlone() {
        var table = table()
        for number in 0..<6 { table.failed(from: bytes("198.51.100.\(number)"), as: alice, at: 0) }
        for number in 0..<6 {
            #expect(table.isBlocked(from: bytes("198.51.100.\(number)"), as: alice, at: second), "\(number)")
            #expect(!table.isBlocked(from: bytes("198.51.100.\(number)"), as: bob, at: second))
        }
        #expect(!table.isBlocked(from: here, as: alice, at: second))
        table.failed(from: here, as: bob, at: second)
        #expect(table.isBlocked(from: here, as: alice, at: second))
    }

    @Test func whoProvedTheAccountHasACountOfItsOwn() {
        var table = table()
        table.succeeded(from: here, as: alice, at: 0)
        for number in 0..<10 {
            table.failed(from: bytes("198.51.100.\(number)"), as: alice, at: 0)
            table.failed(from: here, as: bob, at: 0)
        }
        #expect(!table.isBlocked(from: here, as: alice, at: second) && table.isBlocked(from: here, as: bob, at: second))
        for _ in 0..<4 { table.failed(from: here, as: alice, at: second) }
        #expect(table.isBlocked(from: here, as: alice, at: second))
        #expect(!table.isBlocked(from: here, as: alice, at: 902 * second))
        // A success takes no failure back: a guesser may have an account of his own.
        table.succeeded(from: here, as: alice, at: 902 * second)
        table.failed(from: here, as: alice, at: 902 * second)
        #expect(table.isBlocked(from: here, as: alice, at: 902 * second))
    }

    @Test func theAnswerWaitsLongerWithEachQuarterOfALimit() {
        var table = table(8, 100)
        var waits: [Int] = []
        for _ in 0..<10 {
            table.failed(from: here, as: alice, at: 0)
            waits.append(table.patience(with: here, as: alice, at: 0))
        }
        #expect(waits == [1, 2, 2, 4, 4, 8, 8, 16, 16, 16])
        #expect(table.patience(with: there, as: nil, at: 0) == 1)
        #expect(table.patience(with: here, as: nil, at: 3600 * second) == 1)
    }

    @Test func memoryIsBoundedAndTheNewestStay() {
        var table = table(4, 6, capacity: 100)
        for number in 0..<10_000 {
            table.failed(from: bytes("h\(number)"), as: bytes("a\(number)"), at: Int64(number))
            table.succeeded(from: bytes("h\(number)"), as: bytes("a\(number)"), at: Int64(number))
        }
        #expect(table.count <= 300)
        for _ in 0..<4 { table.failed(from: bytes("h9999"), as: nil, at: 10_000) }
        #expect(table.isBlocked(from: bytes("h9999"), as: alice, at: 10_000))
    }

    @Test func extremesDoNoHarm() {
        for limit in [Int.min, 0, 1, Int.max] {
            var table = GuessTable(GuessLimits(perAddress: max(limit, 1), perAccount: max(limit, 1)), capacity: 0)
            for time in [Int64(0), 1, 1 << 60, 5] {
                table.failed(from: here, as: alice, at: time)
                table.succeeded(from: here, as: alice, at: time)
                _ = table.isBlocked(from: here, as: alice, at: time)
                #expect((1...16).contains(table.patience(with: here, as: alice, at: time)))
            }
        }
    }

    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"), ("2001:db8::1", "2001:db8:0:0::/64"), ("::1", "0:0:0:0::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"), ("2001:db8:1:2:3::", "2001:db8:1:2::/64"), ("::", "0:0:0:0::/64"), ("fe80::a:b:c:d", "fe80:0:0:0::/64"),
        ("::2:3:4:5:6:7:8", "0:2:3:4::/64"), ("", ""),
    ]) func aSubscriberOfIPv6IsOne(_ address: String, _ key: String) {
        #expect(String(decoding: guesserKey(bytes(address)), as: UTF8.self) == key)
    }
}
