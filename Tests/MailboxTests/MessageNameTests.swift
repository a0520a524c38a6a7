import MailModel
import MailTestKit
import Testing

@testable import Mailbox

@Suite struct MessageNameTests {
    private func name(_ text: String) throws -> MessageName { try #require(MessageName(parsing: bytes(text))) }

    @Test(arguments: [
        // name, unique, S, W, UID under validity 9, flags
        ("1.a.h,S=10,W=12,M=7.9:2,FS", "1.a.h", 10, 12, 7, "FS"),
        ("1.a.h:2,", "1.a.h", nil, nil, nil, ""),
        ("1.a.h", "1.a.h", nil, nil, nil, ""),
        ("1.a.h,U=3,S=5:2,Sab", "1.a.h", 5, nil, nil, "Sab"),
        ("1.a.h,M=7.8:2,S", "1.a.h", nil, nil, nil, "S"),
        ("1.a.h,M=7.9,M=8.9:2,S", "1.a.h", nil, nil, nil, "S"),
        ("1.a.h,M=7.9,M=7.9:2,S", "1.a.h", nil, nil, nil, "S"),
        ("1.a.h,M=07.9:2,S", "1.a.h", nil, nil, nil, "S"),
        ("1.a.h,M=0.9:2,S", "1.a.h", nil, nil, nil, "S"),
        ("1.a.h,M=4294967296.9:2,S", "1.a.h", nil, nil, nil, "S"),
        ("1.a.h,M=4294967295.9:2,S", "1.a.h", nil, nil, 4_294_967_295, "S"),
        ("1.a.h,M=7.9.1:2,S", "1.a.h", nil, nil, nil, "S"),
        ("1.a.h,M=-7.9:2,S", "1.a.h", nil, nil, nil, "S"),
        ("1.a.h,S=-1,S=2:2,S", "1.a.h", nil, nil, nil, "S"),
        ("1.a.h,M=7.9:1,x", "1.a.h", nil, nil, 7, ""),
        ("1.a.h:2,SZ?a", "1.a.h", nil, nil, nil, "Sa"),
        (",,,:2,S", ",,,", nil, nil, nil, "S"),
    ] as [(String, String, Int?, Int?, UInt32?, String)])
    func parses(_ text: String, unique: String, size: Int?, wire: Int?, uid: UInt32?, flags: String) throws {
        let name = try name(text)
        #expect(name.bytes == bytes(text))
        #expect(Array(name.unique) == bytes(unique))
        #expect(name.fileSize == size)
        #expect(name.wireSize == wire)
        #expect(name.uid(in: UIDValidity(9))?.rawValue == uid)
        #expect(name.flags.letters == bytes(flags))
    }

    @Test(arguments: ["", ".", "..", ".hidden", "a/b", "a\0b", String(repeating: "x", count: 256)])
    func isNoMessage(_ text: String) { #expect(MessageName(parsing: bytes(text)) == nil) }

    @Test func foreignFlagsAndFieldsStay() throws {
        let name = try name("1.a.h,U=3,X-Q=1,M=1.2:2,?SZ")
        #expect(name.with(flags: [.flagged]).description == "1.a.h,U=3,X-Q=1,M=1.2:2,?FZ")
        let tagged = try #require(name.with(tag: .init(uid: 7, validity: UIDValidity(9))))
        #expect(tagged.description == "1.a.h,U=3,X-Q=1,M=7.9:2,?SZ")
        #expect(tagged.with(tag: nil)?.description == "1.a.h,U=3,X-Q=1:2,?SZ")
        let hidden = try #require(tagged.with(expunged: .init(seconds: 100, modSequence: ModSequence(5))))
        #expect(hidden.description == "1.a.h,U=3,X-Q=1,M=7.9,X=100.5:2,?SZ")
        #expect(hidden.expunged == .init(seconds: 100, modSequence: ModSequence(5)))
        #expect(hidden.with(tag: nil)?.description == "1.a.h,U=3,X-Q=1:2,?SZ")
    }

    @Test func aNameWithoutRoomGetsNoTag() throws {
        let long = try name(String(repeating: "x", count: 250))
        #expect(long.with(tag: .init(uid: 7, validity: UIDValidity(9))) == nil)
    }

    @Test func flagsPrintAsTheyParse() {
        var random = SeededGenerator(seed: 20_261)
        for _ in 0..<500 {
            let flags = MessageFlags(rawValue: UInt32.random(in: 0...UInt32.max, using: &random))
            #expect(MessageFlags(letters: flags.letters) == flags)
            #expect(flags.letters == flags.letters.sorted())
        }
    }

    @Test func aDeliveryIsNamedTheSameEachTime() throws {
        let id = QueueID(origin: .smtpd, epoch: 77, sequence: 3)
        let ann = try #require(EmailAddress("Ann@Example.org"))
        let same = try #require(EmailAddress("ann@example.ORG"))
        let bob = try #require(EmailAddress("bob@example.org"))
        let host = bytes("mail,server:one/two.example.org.with.a.long.name")
        let unique = UniquePart(seconds: 1_763_683_200, message: id, finalAddress: ann, host: host)
        #expect(unique == UniquePart(seconds: 1_763_683_200, message: id, finalAddress: same, host: host))
        #expect(unique != UniquePart(seconds: 1_763_683_200, message: id, finalAddress: ann, archive: ann.wire, host: host))
        #expect(unique != UniquePart(seconds: 1_763_683_200, message: id, finalAddress: bob, host: host))
        #expect(unique.bytes.count <= 70)
        let name = try #require(unique.name(size: 12))
        #expect(Array(name.unique) == unique.bytes)
        #expect(name.queueID == id)
        #expect(name.arrivalSeconds == 1_763_683_200)
        #expect(name.uidl == unique.bytes)
        #expect(name.fileSize == 12 && name.wireSize == 12)
    }

    @Test func otherSoftwareDoesNotSayWhenAMessageCame() throws {
        #expect(try name("1763683200.M1P2.host,S=3:2,S").arrivalSeconds == nil)
        let own = UniquePart(seconds: 5, random: Array(1...12), host: [])
        #expect(try #require(own.name(size: 1)).arrivalSeconds == 5)
        #expect(try #require(own.name(size: 1)).queueID == nil)
    }

    @Test func aUIDLIsPrintableAndShort() throws {
        let long = try name(String(repeating: "x", count: 100))
        let odd = MessageName(parsing: [0x31, 0x20, 0xFF]).map { $0.uidl }
        for uidl in [long.uidl, try #require(odd)] {
            #expect(uidl.count <= 70 && uidl.allSatisfy { $0 > 0x20 && $0 < 0x7F })
        }
    }
}
