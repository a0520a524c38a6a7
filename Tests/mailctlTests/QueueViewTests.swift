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

    @Test func anArchiveIsNoRecipientOfAnExport() throws {
        let message = try #require(view(QueueViewTests.accept + """
            route ID recipient=keep@a.example final=keep@a.example agent=remoted kind=archive
            route ID recipient=b@example.org final=x@example.org agent=locald account=example.org/x
            """).sorted.first)
        #expect(message.openRecipients.map(\.display) == ["c@example.org", "x@example.org"])
        #expect(message.copies.map(\.isArchive) == [false, true, false])
        #expect(message.copies.map(\.isLocal) == [false, false, true])
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

    static let waiting = QueueViewTests.accept + """
        route ID recipient=b@example.org final=b@far.example agent=remoted
        assign ID recipient=b@example.org final=b@far.example agent=remoted attempt=1
        deferred ID recipient=b@example.org final=b@far.example agent=remoted until=1300.500 attempt=1 status=4.4.1 reason=no%20Answer

        """

    @Test func anOrderIsShownUntilItIsReleased() throws {
        let held = try #require(view(QueueViewTests.waiting + "ordered ID command=hold reason=strange uid=0").sorted.first)
        #expect(held.copies.map { held.shown($0) } == [.held, .held])
        #expect(held.orderReason.display == "strange")
        let released = try #require(view(QueueViewTests.waiting + "ordered ID command=hold uid=0\nordered ID command=release uid=0").sorted.first)
        #expect(released.order == nil)
        #expect(Set(released.copies.map { released.shown($0) }) == [.unrouted, .waiting])
    }

    @Test func aBlockSaysAnOrderAgain() throws {
        var view = QueueView()
        _ = view.loadBlock(records("""
            state - at=1.000
            open ID from=a@example.net location=s/00000001:10+5:00000000 at=1000.000 upto=00000001:10 command=hold reason=strange
            pending ID recipient=b@example.org final=b@far.example agent=remoted attempt=1 until=1300.500 status=4.4.1 reason=no
            state-end -
            """))
        let message = try #require(view.sorted.first)
        #expect(message.isHeld)
        #expect(message.copies.map { message.shown($0) } == [.held])
    }

    @Test(arguments: [
        ("from:a@example.net", true), ("from:A@example.net", true), ("from:@example.net", true), ("from:@net", false), ("from:b@example.net", false),
        ("to:b@example.org", true), ("to:b@far.example", true), ("to:c@example.org", true), ("to:d@example.org", false),
        ("domain:far.example", true), ("domain:example.org", true), ("domain:example.net", false),
        ("reason:no answer", true), ("reason:4.4.1", true), ("reason:other", false), ("state:waiting", true), ("state:unrouted", true), ("state:held", false),
        ("older:100", true), ("older:10000", false), ("newer:10000", true), ("newer:100", false),
    ]) func aCriterionMatches(_ criterion: String, _ expected: Bool) throws {
        let message = try #require(view(QueueViewTests.waiting).sorted.first)
        let parts = criterion.split(separator: ":", maxSplits: 1).map(String.init)
        var criteria = QueueCriteria()
        let address: QueueCriteria.Pattern = parts[1].first == "@" ? .domain(Array(parts[1].dropFirst().utf8)) : .address(Array(parts[1].lowercased().utf8))
        switch parts[0] {
        case "from": criteria.from = address
        case "to": criteria.to = address
        case "domain": criteria.domain = Array(parts[1].utf8)
        case "reason": criteria.reason = Array(parts[1].utf8)
        case "state": criteria.state = QueueView.State(rawValue: parts[1])
        case "older": criteria.olderThan = Int64(parts[1])
        default: criteria.newerThan = Int64(parts[1])
        }
        #expect(criteria.match(message, now: WallTime(seconds: 2000)) == expected)
    }

    /// What is said of copies must be true of one copy.
    @Test func criteriaOfCopiesMeetInOneCopy() throws {
        let message = try #require(view(QueueViewTests.waiting).sorted.first)
        var criteria = QueueCriteria()
        criteria.domain = Array("far.example".utf8)
        criteria.state = .waiting
        #expect(criteria.match(message, now: WallTime(seconds: 2000)))
        criteria.state = .unrouted
        #expect(!criteria.match(message, now: WallTime(seconds: 2000)))
    }

    @Test(arguments: [("90min", 5400), ("12 h", 43_200), ("3d", 259_200), ("45s", 45), ("0s", 0)]) func agesAreRead(_ text: String, _ seconds: Int64) throws {
        let read = try QueueSelection.seconds(text)
        #expect(read == seconds)
    }

    @Test(arguments: ["", "h", "3", "3 weeks", "-1h", "99999999999999999999s", "1.5h"]) func whatIsNoAgeIsRefused(_ text: String) {
        #expect(throws: Failure.self) { _ = try QueueSelection.seconds(text) }
    }

    @Test func anExportIsReadBack() throws {
        let file = ExportFile(id: QueueViewTests.id, sender: [], recipients: [Array("b@far.example".utf8), Array("\"a b\"@far.example".utf8)], size: 12)
        let lines = file.head.split(separator: 0x0A, omittingEmptySubsequences: false)
        #expect(lines.suffix(2).map(\.count) == [0, 0])
        #expect(ExportFile(lines: Array(lines.dropLast(2))) == file)
        for missing in 0..<(lines.count - 2) where missing != 3 && missing != 4 {
            var fewer = Array(lines.dropLast(2))
            fewer.remove(at: missing)
            #expect(ExportFile(lines: fewer) == nil, "without line \(missing)")
        }
        #expect(ExportFile(lines: Array(lines.dropLast(2)) + [Array("else=x".utf8)[...]]) == nil)
    }
}
