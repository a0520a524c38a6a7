// What a session is told of its mailbox adds up to the mailbox, however little or much of it a refresh repeats.

@testable import Mailbox
import MailTestKit
import Testing

@testable import imapd

@Suite struct KnownMessagesTests {
    private static func message(_ uid: UInt32, _ flags: MessageFlags = []) throws -> StoredMessage {
        let name = try #require(MessageName(parsing: Array("1700000000.M\(uid).host,S=1,W=1".utf8)))
        return StoredMessage(uid: MessageUID(uid), flags: flags, modSequence: ModSequence(1), name: name)
    }

    private static func changes(
        added: [StoredMessage] = [], changed: [StoredMessage] = [], vanished: [UInt32] = [], isComplete: Bool = false
    ) -> FolderChanges {
        FolderChanges(
            generation: .beginning, added: added, changed: changed, vanished: vanished.map { MessageUID($0) }, isComplete: isComplete)
    }

    @Test func whatWasToldIsNotToldAgain() throws {
        var known = KnownMessages([try Self.message(1), try Self.message(4)])
        let again = known.learn(Self.changes(added: [try Self.message(4)], changed: [try Self.message(1)], vanished: [2]))
        #expect(again.arrived.isEmpty && again.changed.isEmpty && again.vanished.isEmpty)
    }

    @Test func aUIDBelowThoseToldIsLeftOut() throws {
        var known = KnownMessages([try Self.message(4)])
        #expect(known.learn(Self.changes(added: [try Self.message(3), try Self.message(5)])).arrived.map(\.uid.rawValue) == [5])
        #expect(known.uids == [4, 5])
    }

    @Test func aCompleteListTellsWhatVanished() throws {
        var known = KnownMessages([try Self.message(1), try Self.message(2), try Self.message(7)])
        let news = known.learn(Self.changes(added: [try Self.message(2, .seen), try Self.message(9)], isComplete: true))
        #expect(news.vanished.map(\.rawValue) == [1, 7])
        #expect(news.changed.map(\.uid.rawValue) == [2])
        #expect(news.arrived.map(\.uid.rawValue) == [9])
    }

    /// Random histories, refreshes in parts and as a whole, with repetitions: the client's list is the folder's each time.
    @Test(arguments: 0..<40 as Range<UInt64>) func theNewsAddUpToTheFolder(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var folder: [UInt32: MessageFlags] = [:]
        var client: [UInt32: MessageFlags] = [:]
        var known = KnownMessages([])
        var next: UInt32 = 1
        for _ in 0..<60 {
            let before = folder
            for _ in 0..<Int.random(in: 0...6, using: &random) {
                switch Int.random(in: 0...3, using: &random) {
                case 0: folder[folder.keys.sorted().randomElement(using: &random) ?? 0] = nil
                case 1: if let uid = folder.keys.sorted().randomElement(using: &random) { folder[uid]?.formSymmetricDifference(.seen) }
                default:
                    folder[next] = []
                    next += 1
                }
            }
            let isComplete = Bool.random(using: &random)
            let repeats = Bool.random(using: &random)
            let present = try folder.sorted { $0.key < $1.key }.map { try Self.message($0.key, $0.value) }
            let changed = present.filter { message in
                guard let old = before[message.uid.rawValue] else { return false }
                return repeats || old != message.flags
            }
            let found = Self.changes(
                added: present.filter { isComplete || before[$0.uid.rawValue] == nil }, changed: isComplete ? [] : changed,
                vanished: isComplete ? [] : before.keys.filter { folder[$0] == nil }.sorted(), isComplete: isComplete)
            let news = known.learn(found)
            for uid in news.vanished { #expect(client.removeValue(forKey: uid.rawValue) != nil, "seed \(seed)") }
            for message in news.changed { #expect(client.updateValue(message.flags, forKey: message.uid.rawValue) != nil, "seed \(seed)") }
            for message in news.arrived { #expect(client.updateValue(message.flags, forKey: message.uid.rawValue) == nil, "seed \(seed)") }
            #expect(client == folder, "seed \(seed)")
            #expect(known.uids == folder.keys.sorted(), "seed \(seed)")
        }
    }
}
