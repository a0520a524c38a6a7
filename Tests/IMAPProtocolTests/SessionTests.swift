// What transcripts cannot see: how much the session holds, when it asks, and what it does when things end.

import MailTestKit
import Testing

@testable import IMAPProtocol

@Suite struct SessionTests {
    private func session(_ input: String = "") -> Session {
        Session(
            settings: .init(maximumMessageSize: 10_000_000),
            handOver: HandOver(identity: [], completion: Array("a OK\r\n".utf8), unread: Array(input.utf8), isTLS: true))
    }

    /// A session with `count` messages selected, all output taken.
    private func selected(_ count: Int, size: UInt32? = 100) -> Session {
        var session = session("b SELECT INBOX\r\n")
        while let action = session.next() {
            guard case .ask = action else { continue }
            let messages = (1...max(1, count)).prefix(count).map { MessageState(uid: UID(UInt32($0) * 2), flags: Flags(), size: size) }
            session.answered(.selected(Selection(uidValidity: UIDValidity(1), uidNext: UID(.max), messages: messages)))
        }
        return session
    }

    private func text(_ action: Session.Action?) -> String? {
        guard case .send(let bytes) = action else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func largeMessageIsReadInPiecesAndOnlyWhenSent() throws {
        var session = selected(1)
        session.received(Array("c FETCH 1 BODY.PEEK[]\r\n".utf8))
        let size = 300_000
        var sent = 0
        var largest = 0
        while let action = session.next() {
            switch action {
            case .send(let bytes):
                sent += bytes.count
                largest = max(largest, bytes.count)
            case .ask(.describe(_, let needs)):
                #expect(needs == .content)
                session.answered(.described(MessageDescription(size: size)))
            case .ask(.read(let uid, let range)):
                #expect(uid == UID(2))
                #expect(range.count <= FetchRun.chunk)
                // What was read before is gone before more is read.
                #expect(sent >= range.lowerBound)
                session.answered(.content([UInt8](repeating: 0x78, count: range.count)))
            default: Issue.record("\(action)")
            }
        }
        #expect(largest <= FetchRun.chunk + Session.outputChunk)
        #expect(sent == "* 1 FETCH (BODY[] {300000}\r\n)\r\nc OK FETCH completed\r\n".utf8.count + size)
    }

    @Test func messageThatShrinksEndsTheConnection() {
        var session = selected(1)
        session.received(Array("c FETCH 1 BODY.PEEK[]\r\n".utf8))
        #expect(session.next() == .ask(.describe(UID(2), .content)))
        session.answered(.described(MessageDescription(size: 100_000)))
        #expect(session.next() == .ask(.read(UID(2), 0..<65_536)))
        session.answered(.content([]))
        #expect(text(session.next()) == "* 1 FETCH (BODY[] {100000}\r\n")
        #expect(session.next() == .close)
        #expect(session.next() == nil)
    }

    @Test func nothingIsSaidInTheMiddleOfAResponse() {
        var session = selected(1)
        session.received(Array("c FETCH 1 BODY.PEEK[]\r\n".utf8))
        _ = session.next()
        session.answered(.described(MessageDescription(size: 100_000)))
        _ = session.next()
        session.deadlinePassed()
        #expect(text(session.next()) == "* 1 FETCH (BODY[] {100000}\r\n")
        #expect(session.next() == .close)
    }

    @Test func shutdownWaitsForTheCommand() {
        var session = selected(1)
        session.received(Array("c STATUS INBOX (MESSAGES)\r\nd NOOP\r\n".utf8))
        #expect(session.next() == .ask(.status(.inbox, [.messages])))
        session.shutdownRequested()
        #expect(session.next() == nil)
        session.answered(.status(MailboxStatus(messages: 1)))
        #expect(text(session.next())?.hasSuffix("c OK STATUS completed\r\n* BYE Server is shutting down\r\n") == true)
        #expect(session.next() == .close)
    }

    @Test func longSearchesPauseAndAskInPortions() throws {
        var session = selected(100_000)
        session.received(Array("c SEARCH UNSEEN TEXT x UID 1:100\r\n".utf8))
        var pauses = 0
        var asked = 0
        var output = ""
        while let action = session.next() {
            switch action {
            case .pause: pauses += 1
            case .send(let bytes): output += String(decoding: bytes, as: UTF8.self)
            case .ask(.match(let uids, let keys)):
                asked += uids.count
                #expect(uids.count <= SearchRun.portion)
                #expect(keys == [.text(Array("x".utf8))])
                session.answered(.matches(uids.map { [$0.value % 4 == 0] }))
            default: Issue.record("\(action)")
            }
        }
        #expect(pauses > 1)
        #expect(asked == 50)
        let expected = stride(from: 2, through: 50, by: 2).map(String.init).joined(separator: " ")
        #expect(output == "* SEARCH \(expected)\r\nc OK SEARCH completed\r\n")
    }

    @Test func sizesThatAreUnknownAreAsked() {
        var session = selected(1, size: nil)
        session.received(Array("c SEARCH LARGER 50\r\nd FETCH 1 RFC822.SIZE\r\n".utf8))
        #expect(session.next() == .ask(.match([UID(2)], [.larger(50)])))
        session.answered(.matches([[true]]))
        #expect(session.next() == .ask(.describe(UID(2), .size)))
        session.answered(.described(MessageDescription(size: 77)))
        #expect(text(session.next()) == "* SEARCH 1\r\nc OK SEARCH completed\r\n* 1 FETCH (RFC822.SIZE 77)\r\nd OK FETCH completed\r\n")
    }

    @Test func storesGoInPortions() {
        var session = selected(1200)
        session.received(Array("c STORE 1:* +FLAGS.SILENT (\\Seen)\r\n".utf8))
        var portions: [Int] = []
        while let action = session.next() {
            guard case .ask(.store(let uids, let operation)) = action else { continue }
            portions.append(uids.count)
            session.answered(.stored(uids.map { FlagUpdate($0, operation.flags) }))
        }
        #expect(portions == [500, 500, 200])
    }

    @Test func setOfManyRangesIsLinear() {
        var session = selected(20_000)
        let set = (1...9_000).map { String($0 * 2) }.joined(separator: ",")
        session.received(Array("c FETCH \(set) UID\r\n".utf8))
        var output = ""
        while let action = session.next() { output += text(action) ?? "" }
        #expect(output.split(separator: "\r\n").count == 9_001)
    }

    @Test func inputIsBoundedWhileTheStoreThinks() {
        var session = session("b LIST \"\" *\r\n")
        while let action = session.next() { if case .ask = action { break } }
        #expect(session.wantsInput)
        #expect(session.wait == .answer)
        var given = 0
        while session.wantsInput {
            session.received([UInt8](repeating: 0x78, count: 1000))
            given += 1000
        }
        #expect(given <= 2 * CommandFramer.Limits.afterLogin.line + 1000)
    }

    @Test func answersThatDoNotFitAreOurFault() {
        var session = session("b STATUS INBOX (MESSAGES)\r\n")
        while let action = session.next() { if case .ask = action { session.answered(.copied(UIDMapping(uidValidity: UIDValidity(1), pairs: []))) } }
        session.received(Array("c CREATE x\r\n".utf8))
        #expect(session.next() == .ask(.create(MailboxName(utf8: [0x78]) ?? .inbox)))
        session.answered(.expunged([]))
        #expect(text(session.next()) == "c NO [SERVERBUG] Internal error\r\n")
        session.answered(.done)
        #expect(session.next() == nil)
    }

    @Test func everyRefusalIsToldWithItsCode() {
        for refusal in Refusal.allCases {
            var session = session()
            _ = session.next()
            session.received(Array("c DELETE x\r\n".utf8))
            _ = session.next()
            session.answered(.refused(refusal))
            #expect(text(session.next())?.hasPrefix("c NO [") == true)
        }
    }

    @Test func deletedMailboxEndsTheSession() {
        var session = selected(1)
        session.received(Array("c NOOP\r\n".utf8))
        #expect(session.next() == .ask(.refresh))
        session.answered(.refused(.nonexistent))
        #expect(text(session.next()) == "* BYE The selected mailbox no longer exists\r\n")
        #expect(session.next() == .close)
    }

    @Test func idleTellsWhatCameBeforeIt() {
        var session = selected(1)
        session.mailboxChanged()
        session.received(Array("c IDLE\r\n".utf8))
        #expect(session.next() == .ask(.refresh))
        session.answered(.changes(MailboxChanges(vanished: [UID(2)])))
        #expect(text(session.next()) == "+ idling\r\n* 1 EXPUNGE\r\n")
        #expect(session.isIdling)
        #expect(session.wait == .idle)
        session.keepAlive()
        #expect(text(session.next()) == "* OK Still here\r\n")
    }

    @Test func sessionIsAValue() {
        var session = selected(1)
        let copy = session
        session.received(Array("c UNSELECT\r\n".utf8))
        _ = session.next()
        #expect(session.selectedMailbox == nil)
        #expect(copy.selectedMailbox == .inbox)
    }
}
