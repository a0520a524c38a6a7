import Kernel
import MailModel
import Testing

@testable import Mailbox

@Suite struct EnvelopeIndexTests {
    let store: TemporaryStore
    let inbox: Folder
    let path: Path

    init() throws {
        store = try TemporaryStore()
        inbox = try store.account().open(.inbox)
        path = store.root / "index.db"
        for index in 0..<3 { _ = try inbox.append(bytes("\(index)"), flags: [], seconds: 1) }
    }

    private func envelope(_ message: StoredMessage) -> IndexedEnvelope {
        IndexedEnvelope(uid: message.uid, unique: Array(message.name.unique), content: bytes("e\(message.uid)"))
    }

    @Test func keepsWhatItIsGiven() throws {
        let index = try EnvelopeIndex(at: path)
        #expect(index.envelopes(of: inbox.messages, in: inbox.validity).isEmpty)
        #expect(index.put(inbox.messages.map(envelope), in: inbox.validity))
        let found = try EnvelopeIndex(at: path).envelopes(of: Array(inbox.messages[1...]), in: inbox.validity)
        #expect(found == [2: bytes("e2"), 3: bytes("e3")])
        #expect(index.forget(UIDRanges([2]), in: inbox.validity))
        #expect(Set(index.envelopes(of: inbox.messages, in: inbox.validity).keys) == [1, 3])
        #expect(index.envelopes(of: inbox.messages, in: UIDValidity(.max)).isEmpty)
    }

    @Test func anotherMessageOfTheSameNumberIsNotKnown() throws {
        let index = try EnvelopeIndex(at: path)
        var other = envelope(inbox.messages[0])
        other = IndexedEnvelope(uid: other.uid, unique: bytes("another"), content: other.content)
        #expect(index.put([other], in: inbox.validity))
        #expect(index.envelopes(of: inbox.messages, in: inbox.validity).isEmpty)
    }

    @Test(arguments: ["", "no database at all, but long enough to look like one", "SQLite format 3\0"])
    func aDamagedFileIsBegunAnew(_ content: String) throws {
        try DirectoryDescriptor(opening: store.root).create("index.db", mode: 0o600).write(bytes(content))
        let index = try EnvelopeIndex(at: path)
        #expect(index.put(inbox.messages.map(envelope), in: inbox.validity))
        #expect(index.envelopes(of: inbox.messages, in: inbox.validity).count == 3)
    }
}
