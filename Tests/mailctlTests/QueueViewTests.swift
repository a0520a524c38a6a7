// The queue as records tell it.

import Kernel
import MailModel
import SpoolFormat
import Testing
@testable import mailctl

@Suite struct QueueViewTests {
    static let id = QueueID(origin: .smtpd, epoch: 7, sequence: 1)

    private func records(_ text: String) -> [Record] {
        text.split(separator: "\n").compactMap { line in
            RecordParser.fields(Array(line.replacing("ID", with: QueueViewTests.id.description).utf8)[...])
        }
    }

    private func view(_ text: String) -> QueueView {
        var view = QueueView()
        for record in records(text) where record.verb == .accept { view.accept(record) }
        for record in records(text) { view.apply(record) }
        return view
    }

    static let accept = "accept ID from=a@example.net to=b@example.org to=c@example.org at=1000.000 content=512:00000000\n"

    @Test func anAcceptedMessageWaitsForItsRoute() throws {
        let message = try #require(view(QueueViewTests.accept).sorted.first)
        #expect(message.size == 512)
        #expect(message.copies.map(\.state) == [.unrouted, .unrouted])
    }

    @Test func aRouteReplacesTheRecipientByItsDestinations() throws {
        let message = try #require(view(QueueViewTests.accept + """
            route ID recipient=b@example.org final=x@example.org agent=locald account=example.org/x
            route ID recipient=b@example.org final=y@example.org agent=locald account=example.org/y
            route ID recipient=c@example.org status=5.1.1 reason=nobody
            """).sorted.first)
        #expect(message.copies.map { $0.final.display } == ["x@example.org", "y@example.org", ""])
        #expect(message.copies.map(\.state) == [.waiting, .waiting, .failed])
        #expect(message.copies.last?.reason.display == "nobody")
    }

    @Test func aDeferralTellsWhenAndWhy() throws {
        let message = try #require(view(QueueViewTests.accept + """
            route ID recipient=b@example.org final=b@example.org agent=remoted
            assign ID recipient=b@example.org final=b@example.org agent=remoted attempt=3
            deferred ID recipient=b@example.org final=b@example.org agent=remoted until=1300.500 attempt=3 status=4.4.1 reason=no%20answer
            """).sorted.first)
        let copy = try #require(message.copies.first { $0.original.display == "b@example.org" })
        #expect(copy.state == .waiting)
        #expect(copy.attempts == 3)
        #expect(copy.until?.seconds == 1300)
        #expect(copy.reason.display == "no answer")
    }

    @Test func aDoneMessageIsGone() {
        #expect(view(QueueViewTests.accept + "done ID result=delivered:2").sorted.isEmpty)
    }

    @Test func theStateBlockIsReadWhole() throws {
        var view = QueueView()
        let (cursors, tail) = view.loadBlock(records("""
            spawn - pid=1
            state -
            cursor - log=smtpd/mail upto=00000002:77
            open ID from=a@example.net location=smtpd:00000001:10:512:00000000 at=1000.000 to=z@example.org
            pending ID recipient=b@example.org final=b@example.org agent=remoted attempt=1 until=1300.000 status=4.0.0 reason=later
            pending ID recipient=c@example.org final=c@example.org agent=locald attempt=2 answers=00000001:99
            pending ID recipient=d@example.org final=d@example.org agent=locald attempt=1 result=delivered
            pending ID recipient=e@example.org attempt=0 status=5.1.1 reason=nobody
            state-end -
            assign ID recipient=b@example.org final=b@example.org agent=remoted attempt=2
            """))
        #expect(cursors == [Array("smtpd/mail".utf8): LogPosition(segment: 2, offset: 77)])
        #expect(tail.map(\.verb) == [.assign])
        for record in tail { view.apply(record) }
        let message = try #require(view.sorted.first)
        #expect(message.copies.map(\.state) == [.unrouted, .assigned, .assigned, .delivered, .failed])
        #expect(message.copies[1].attempts == 2)
    }

    @Test func factsAboutUnknownMessagesChangeNothing() {
        var view = QueueView()
        for record in records("assign ID recipient=a@b final=a@b\ndone ID\nbounced ID recipient=a@b\nroute ID recipient=a@b") { view.apply(record) }
        #expect(view.sorted.isEmpty)
    }

    @Test func whatAPeerWroteDoesNotSteerTheTerminal() {
        #expect(Array("a\u{1B}[2Jb\r\u{202E}c".utf8).visible == "a\u{FFFD}[2Jb\u{FFFD}\u{FFFD}c")
    }
}
