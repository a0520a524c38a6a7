import MailTestKit
import Testing

@testable import Mailbox

@Suite struct StateFormatTests {
    @Test func folderStatePrintsAsItParses() throws {
        var state = FolderState(validity: UIDValidity(77))
        state.reservedUID = 1 << 32
        state.reservedModSequence = 123_456_789_012
        state.forgotten = 7
        _ = state.keywords.add(bytes("$Forwarded"), inUse: [])
        _ = state.keywords.add(bytes("Junk"), inUse: [])
        state.record(expunged: UIDRanges([3, 4, 5, 12]), at: 17)
        #expect(FolderState(parsing: state.text) == state)
        #expect(String(decoding: state.text, as: UTF8.self).contains("expunged 17 3:5,12\n"))
    }

    @Test func unknownKeysStay() throws {
        let text = bytes("martlet-folder 1\nuidvalidity 1\nuidnext 5\nmodseq 6\nforgotten 0\nacl anyone lr\nend\n")
        #expect(try #require(FolderState(parsing: text)).text == text)
    }

    @Test(arguments: [
        "", "martlet-folder 1\n", "martlet-folder 1\nuidvalidity 1\nuidnext 5\nmodseq 6\n",
        "martlet-folder 2\nuidvalidity 1\nend\n", "martlet-folder 1\nuidvalidity 0\nend\n",
        "martlet-folder 1\nuidvalidity 1\nuidnext x\nend\n", "martlet-folder 1\nuidvalidity 1\nkeyword A x\nend\n",
        "martlet-folder 1\nuidvalidity 1\nexpunged 1 4:3\nend\n", "martlet-folder 1\nnokey\nend\n",
        "martlet-folder 1\nuidvalidity 1\nend", "martlet-account 1\nuidvalidity 1\nend\n",
    ])
    func damagedFolderState(_ text: String) { #expect(FolderState(parsing: bytes(text)) == nil) }

    @Test func everyPrefixOfAStateIsDamaged() {
        let text = FolderState(validity: UIDValidity(5)).text
        for length in 0..<text.count { #expect(FolderState(parsing: Array(text[..<length])) == nil) }
    }

    @Test func accountStatePrintsAsItParses() throws {
        var state = AccountState()
        state.subscriptions = [.inbox, mailbox("Entwürfe"), mailbox("a b")]
        #expect(state.takeValidity(at: 100) == UIDValidity(100))
        #expect(state.takeValidity(at: 100) == UIDValidity(101))
        #expect(state.takeValidity(at: 50) == UIDValidity(102))
        #expect(AccountState(parsing: state.text) == state)
        state.lastValidity = .max
        #expect(state.takeValidity(at: 100) == nil)
    }

    @Test func expungesAreMergedAndNeverForgotten() {
        var state = FolderState(validity: UIDValidity(1))
        for uid in 1...2000 { state.record(expunged: UIDRanges([MessageUID(UInt32(uid * 2))]), at: UInt64(uid)) }
        #expect(state.expunged.count <= FolderState.expungeLines)
        #expect((1...2000).allSatisfy { state.isExpunged(MessageUID(UInt32($0 * 2))) })
        #expect(!state.isExpunged(3))
        #expect(state.forgotten > 0 && state.forgotten < 2000)
    }

    @Test(arguments: [("3:7,12", 6), ("1", 1), ("4294967295", 1)])
    func ranges(_ text: String, count: Int) throws {
        let ranges = try #require(UIDRanges(parsing: bytes(text)))
        #expect(ranges.text == bytes(text) && ranges.count == count)
    }

    @Test(arguments: ["", "0", "3:", "7:3", "1,1", "5,3", "1,,2", "4294967296", "x", "1:2:3"])
    func noRanges(_ text: String) { #expect(UIDRanges(parsing: bytes(text)) == nil) }

    @Test func rangesAreSets() {
        var random = SeededGenerator(seed: 4)
        for _ in 0..<200 {
            let a = (0..<20).map { _ in MessageUID(UInt32.random(in: 1...60, using: &random)) }
            let b = (0..<20).map { _ in MessageUID(UInt32.random(in: 1...60, using: &random)) }
            var union = UIDRanges(a)
            union.formUnion(UIDRanges(b))
            #expect(union.uids == Set(a + b).sorted(), "seed 4")
            #expect(UIDRanges(parsing: union.text) == union)
            let rest = UIDRanges.complement(of: union.uids, below: 61)
            #expect(Set(rest.uids).isDisjoint(with: a) && rest.count + union.count == 60)
        }
    }

    @Test(arguments: [
        ChangeRecord.numbers(nextUID: 1 << 32, modSequence: 9), .message(17, modSequence: 4711, [.seen, .flagged]),
        .message(1, modSequence: 1, []), .expunged(UIDRanges([3, 4, 9]), modSequence: 12),
    ])
    func changeRecords(_ record: ChangeRecord) throws {
        #expect(ChangeRecord(parsing: record.line.dropLast()) == record)
        let text = record.line + record.line
        for cut in 0..<record.line.count {
            let found = try #require(ChangeLog.records(text[..<(record.line.count + cut)]))
            #expect(found.records == [record] && found.consumed == record.line.count)
        }
    }

    @Test(arguments: ["", "n 1", "n 1 2 3", "m 0 1 ", "m 1 1", "m 1 1 !", "x 3:1 4", "q 1 2", "n 01 2", "m 4294967296 1 "])
    func noChangeRecords(_ line: String) { #expect(ChangeRecord(parsing: bytes(line)[...]) == nil) }

    @Test func keywordsKeepTheirLetters() {
        var table = KeywordTable()
        #expect(table.add(bytes("Junk"), inUse: []) == 0)
        #expect(table.add(bytes("JUNK"), inUse: []) == 0)
        #expect(table.add(bytes("b c"), inUse: []) == nil)
        #expect(table.keyword(at: 1) == bytes("x-maildir-b"))
        #expect(table.index(of: bytes("X-Maildir-B")) == 1)
        for index in 1..<26 { #expect(table.add(bytes("k\(index)"), inUse: .keyword(0)) == index) }
        let all = (0..<26).reduce(into: MessageFlags()) { $0.insert(.keyword($1)) }
        #expect(table.add(bytes("more"), inUse: all) == nil)
        #expect(table.add(bytes("more"), inUse: all.subtracting(.keyword(5))) == 5)
        table.adopt(dovecot: bytes("0 $Forwarded\n1 NonJunk\n99 x\nrubbish\n"))
        #expect(table.keyword(at: 0) == bytes("$Forwarded") && table.keyword(at: 1) == bytes("NonJunk"))
    }

    @Test func storeIdentityPrintsAsItParses() throws {
        let identity = try #require(StoreIdentity(id: bytes("0123456789abcdef0123456789abcdef"), generation: 3))
        #expect(StoreIdentity(parsing: identity.text) == identity)
        #expect(identity.next?.generation == 4)
        #expect(StoreIdentity(parsing: bytes("martlet-store 1\nid xyz\ngeneration 1\nend\n")) == nil)
    }

    @Test func wireFormIsTheSameForAnySplit() {
        let text = bytes("a\nb\r\nc\r\n\n\rd\r\r\n\n")
        var whole: [UInt8] = []
        var form = WireForm()
        text.withUnsafeBytes { form.convert($0, into: &whole) }
        #expect(whole == bytes("a\r\nb\r\nc\r\n\r\n\rd\r\r\n\r\n"))
        for cut in 0...text.count {
            var parts: [UInt8] = []
            var form = WireForm()
            var counter = WireForm()
            var count = 0
            for part in [text[..<cut], text[cut...]] {
                part.withUnsafeBytes {
                    form.convert($0, into: &parts)
                    count += counter.count($0)
                }
            }
            #expect(parts == whole && count == whole.count)
        }
    }
}
