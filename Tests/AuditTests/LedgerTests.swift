// The books: mail that is in order balances, however its facts are ordered; each thing that is taken away or added is named.

import MailModel
import MailTestKit
import SpoolFormat
import Testing

@testable import Audit

/// A log book of a small system, one line a fact: `log line`.
struct Book {
    var lines: [(log: AuditedLog, text: String)] = []

    static func id(_ number: UInt32, _ origin: QueueOrigin = .smtpd, segment: UInt32 = 1) -> String {
        QueueID(origin: origin, epoch: SegmentHeader.epoch(number: segment, random: 7), sequence: number).description
    }

    mutating func say(_ log: AuditedLog, _ text: String) { lines.append((log, text)) }

    /// A message for a mailbox, a mailbox behind an alias that has its copy already, a host elsewhere and nobody.
    mutating func sayOrder(_ id: String, notice: String) {
        say(.mail(.smtpd), "accept \(id) at=1.000 from=x@y to=a@d to=all@d to=r@far to=no@d content=3:00000000")
        say(.accepts(.smtpd), "accept \(id) from=x@y to=a@d to=all@d to=r@far to=no@d at=1.000")
        say(.queue, "route \(id) recipient=a@d final=a@d agent=locald account=d/a at=2.000")
        say(.queue, "route \(id) recipient=all@d result=duplicate at=2.000")
        say(.queue, "route \(id) recipient=r@far final=r@far agent=remoted at=2.000")
        say(.queue, "route \(id) recipient=no@d status=5.1.1 reason=none at=2.000")
        say(.queue, "assign \(id) recipient=a@d final=a@d agent=locald account=d/a attempt=1 at=2.000")
        say(.local, "delivered \(id) recipient=a@d final=a@d account=d/a file=1.\(id)R.mx,S=1 at=3.000")
        say(.remote, "sent \(id) recipient=r@far final=r@far host=h at=3.000")
        say(.mail(.queued), "accept \(notice) at=3.000 kind=bounce parent=\(id) from= to=x@y covers=no@d final= content=3:00000000")
        say(.queue, "bounced \(id) recipient=no@d final= status=5.1.1 reason=none target=\(notice) at=3.000")
        say(.queue, "done \(id) result=delivered:2,bounced:1 at=4.000")
        say(.queue, "route \(notice) recipient=x@y final=x@y agent=remoted at=4.000")
        say(.remote, "sent \(notice) recipient=x@y final=x@y host=h at=5.000")
        say(.queue, "done \(notice) result=delivered:1,bounced:0 at=6.000")
    }

    mutating func sayOrder() { sayOrder(Book.id(1), notice: Book.id(9, .queued)) }

    func without(_ words: String...) -> Book {
        var book = self
        book.lines.removeAll { line in words.allSatisfy { line.text.contains($0) } }
        return book
    }

    /// The lines of a log in their order, each at a place of its own.
    func ledger(cuts: Ledger.Cuts = [:], only: Set<QueueID>? = nil, order: [AuditedLog]? = nil) throws -> Ledger {
        var ledger = Ledger(cuts: cuts, only: only)
        var offset: Int64 = 100
        var sorted = lines
        if let order { sorted = order.flatMap { log in lines.filter { $0.log == log } } }
        for line in sorted {
            let record = try #require(RecordParser.fields(Array(line.text.utf8)[...]), "\(line.text)")
            ledger.hear(record, at: LogPosition(segment: (cuts[line.log]?.segment ?? 0) + 1, offset: offset), from: line.log)
            offset += 1
        }
        return ledger
    }

    /// What two readings find.
    func judgement(cuts: Ledger.Cuts = [:], order: [AuditedLog]? = nil) throws -> Judgement {
        let first = try ledger(cuts: cuts, order: order)
        let open = first.judge()
        let second = try ledger(cuts: cuts, only: open.suspects, order: order)
        var judgement = second.judge(suspectsOf: open, claimedBy: first)
        second.judgeSums(&judgement)
        return judgement
    }
}

struct LedgerTests {
    private let order: Book = {
        var book = Book()
        book.sayOrder()
        return book
    }()

    /// What was said of a recipient before the first record of his routing was an earlier one, cut short (O4a).
    @Test func aHalfRoutingIsVoidOnceAnotherBegins() throws {
        var book = Book()
        let id = Book.id(1)
        book.say(.mail(.smtpd), "accept \(id) at=1.000 from=x@y to=all@d content=3:00000000")
        book.say(.accepts(.smtpd), "accept \(id) from=x@y to=all@d at=1.000")
        book.say(.queue, "route \(id) recipient=all@d final=a@far agent=remoted count=3 at=2.000")
        book.say(.queue, "route \(id) recipient=all@d final=b@far agent=remoted at=2.000")
        book.say(.queue, "route \(id) recipient=all@d final=a@far agent=remoted count=2 at=3.000")
        book.say(.queue, "route \(id) recipient=all@d final=c@far agent=remoted at=3.000")
        for final in ["a@far", "c@far"] {
            book.say(.queue, "assign \(id) recipient=all@d final=\(final) agent=remoted attempt=1 at=4.000")
            book.say(.remote, "sent \(id) recipient=all@d final=\(final) host=h at=5.000")
        }
        book.say(.queue, "done \(id) result=delivered:2,bounced:0 at=6.000")
        #expect(try book.judgement().imbalances.isEmpty)
        // Without the mark that another began, somebody never got his copy.
        for index in book.lines.indices { book.lines[index].text = book.lines[index].text.replacing(" count=2", with: "") }
        #expect(try !book.judgement().imbalances.isEmpty)
    }

    /// An archive is no recipient: its copies make up for nobody's, and may lie in the mailbox of somebody who has his own.
    @Test(arguments: ["final=a@d agent=locald account=d/a", "result=duplicate"]) func anArchiveStandsForNoRecipient(_ archive: String) throws {
        var book = Book()
        let id = Book.id(1), isCopy = archive.hasPrefix("final")
        book.say(.mail(.smtpd), "accept \(id) at=1.000 from=x@y to=a@d to=b@far content=3:00000000")
        book.say(.accepts(.smtpd), "accept \(id) from=x@y to=a@d to=b@far at=1.000")
        book.say(.queue, "route \(id) recipient=keep@d \(archive) count=1 kind=archive at=2.000")
        book.say(.queue, "route \(id) recipient=a@d final=a@d agent=locald account=d/a count=1 at=2.000")
        book.say(.queue, "route \(id) recipient=b@far final=b@far agent=remoted count=1 at=2.000")
        if isCopy { book.say(.local, "delivered \(id) recipient=keep@d final=a@d account=d/a file=1.\(id)RK.mx,S=1 at=3.000") }
        book.say(.local, "delivered \(id) recipient=a@d final=a@d account=d/a file=1.\(id)R.mx,S=1 at=3.000")
        book.say(.remote, "sent \(id) recipient=b@far final=b@far host=h at=3.000")
        book.say(.queue, "done \(id) result=delivered:\(isCopy ? 3 : 2),bounced:0 at=4.000")
        #expect(try book.judgement().imbalances.isEmpty)
        // b was never routed.
        var without = book.without("b@far host").without("recipient=b@far")
        let done = without.lines.count - 1
        without.lines[done].text = without.lines[done].text.replacing("delivered:\(isCopy ? 3 : 2)", with: "delivered:\(isCopy ? 2 : 1)")
        #expect(try without.judgement().imbalances.map(\.kind) == [.unrouted])
    }

    @Test func whoIsNamedTwiceHasOneCopy() throws {
        for repeated in ["", "route \(Book.id(1)) recipient=a@d result=duplicate count=1 at=2.000"] {
            var book = Book()
            let id = Book.id(1)
            book.say(.mail(.smtpd), "accept \(id) at=1.000 from=x@y to=a@d to=a@d content=3:00000000")
            book.say(.accepts(.smtpd), "accept \(id) from=x@y to=a@d to=a@d at=1.000")
            book.say(.queue, "route \(id) recipient=a@d final=a@far agent=remoted count=1 at=2.000")
            if !repeated.isEmpty { book.say(.queue, repeated) }
            book.say(.queue, "assign \(id) recipient=a@d final=a@far agent=remoted attempt=1 at=4.000")
            book.say(.remote, "sent \(id) recipient=a@d final=a@far host=h at=5.000")
            book.say(.queue, "done \(id) result=delivered:1,bounced:0 at=6.000")
            #expect(try book.judgement().imbalances.isEmpty, "\(repeated)")
        }
    }

    @Test func whatIsInOrderBalances() throws {
        let judgement = try order.judgement()
        #expect(judgement.imbalances.isEmpty)
        #expect(judgement.suspects.isEmpty)
        let sums = judgement.sums
        #expect((sums.smtpd, sums.notices, sums.drops) == (1, 1, 0))
        #expect((sums.copies, sums.delivered, sums.sent, sums.bounced, sums.merged) == (4, 1, 2, 1, 1))
        #expect((sums.recipients, sums.queued, sums.missing) == (5, 0, 0))
    }

    @Test func closedAccountsAreForgotten() throws {
        var ledger = Ledger()
        for number in 1...200 as ClosedRange<UInt32> {
            var book = Book()
            book.sayOrder(Book.id(number), notice: Book.id(number, .queued))
            for (index, line) in book.lines.enumerated() {
                let record = try #require(RecordParser.fields(Array(line.text.utf8)[...]))
                ledger.hear(record, at: LogPosition(segment: 1, offset: Int64(number) * 100 + Int64(index)), from: line.log)
            }
            #expect(ledger.openCount == 0)
        }
        #expect(ledger.judge().sums.smtpd == 200)
    }

    @Test(arguments: [
        [AuditedLog.mail(.smtpd), .mail(.queued), .accepts(.smtpd), .queue, .local, .remote],
        [.remote, .local, .queue, .accepts(.smtpd), .mail(.queued), .mail(.smtpd)],
        [.queue, .remote, .mail(.queued), .mail(.smtpd), .local, .accepts(.smtpd)],
    ])
    func theOrderOfTheLogsDoesNotMatter(_ logs: [AuditedLog]) throws {
        let judgement = try order.judgement(order: logs)
        #expect(judgement.imbalances.isEmpty)
        #expect(judgement.sums == (try order.judgement().sums))
    }

    @Test(arguments: [
        ("delivered ", "recipient=a@d", Imbalance.Kind.unanswered, "a@d"), ("sent ", "recipient=r@far", .unanswered, "r@far"),
        ("bounced ", "recipient=no@d", .unanswered, "no@d"), ("duplicate", "all@d", .unrouted, "all@d"),
    ])
    func aRecordThatIsMissing(_ verb: String, _ rest: String, _ kind: Imbalance.Kind, _ recipient: String) throws {
        let judgement = try order.without(verb, rest).judgement()
        #expect(judgement.imbalances.map(\.kind) == [kind], "\(judgement.imbalances)")
        #expect(judgement.imbalances.first?.id?.description == Book.id(1))
        #expect(judgement.imbalances.first?.recipient == Array(recipient.utf8))
    }

    @Test func aMessageThatIsGone() throws {
        var book = Book()
        book.say(.accepts(.smtpd), "accept \(Book.id(1)) from=x@y to=a@d to=b@d at=1.000")
        let judgement = try book.judgement()
        #expect(judgement.imbalances.map(\.kind) == [.lost, .lost])
        #expect(judgement.imbalances.map(\.recipient) == [Array("a@d".utf8), Array("b@d".utf8)])
        #expect(judgement.imbalances.first?.place == "smtpd/events 00000001:100")
        #expect(judgement.sums.missing == 2)
        book.say(.mail(.smtpd), "accept \(Book.id(1)) at=1.000 from=x@y to=a@d to=b@d content=3:00000000")
        let queued = try book.judgement()
        #expect(queued.imbalances.isEmpty)
        #expect((queued.sums.queued, queued.sums.open) == (2, 1))
    }

    @Test func aNoticeThatIsGone() throws {
        var book = Book()
        book.sayOrder()
        let notice = Book.id(9, .queued)
        book.lines.removeAll { $0.text.contains(" \(notice) ") }
        let judgement = try book.judgement()
        #expect(judgement.imbalances.map(\.kind) == [.lost])
        #expect(judgement.imbalances.first?.id?.description == notice)
    }

    @Test(arguments: [
        ("delivered \(Book.id(1)) recipient=a@d final=a@d account=d/a file=1.other,S=1 at=8.000", Imbalance.Kind.twice),
        ("delivered \(Book.id(1)) recipient=all@d final=a@d account=d/a file=1.other,S=1 at=8.000", .twice),
        ("delivered \(Book.id(2)) recipient=a@d final=a@d account=d/a file=1.x,S=1 at=8.000", .unaccepted),
        ("delivered \(Book.id(1)) recipient=c@d final=c@d account=d/c file=1.x,S=1 at=8.000", .unassigned),
    ])
    func aResultThatIsForged(_ line: String, _ kind: Imbalance.Kind) throws {
        var book = order
        book.say(.local, line)
        let judgement = try book.judgement()
        #expect(judgement.imbalances.map(\.kind).contains(kind), "\(judgement.imbalances)")
        #expect(judgement.imbalances.allSatisfy { $0.id.map { line.contains($0.description) } ?? false })
        #expect(judgement.sums.smtpd == (kind == .unaccepted ? 2 : 1), "a closed account is not counted twice")
    }

    @Test func whatIsSaidAgainIsNothingNew() throws {
        var book = order
        let again = book.lines.filter { $0.text.hasPrefix("delivered") || $0.text.hasPrefix("sent") || $0.text.hasPrefix("accept") }
        book.lines += again
        book.say(.local, "state -")
        for line in again where line.log == .local { book.say(.local, line.text) }
        book.say(.local, "state-end -")
        let judgement = try book.judgement()
        #expect(judgement.imbalances.isEmpty, "\(judgement.imbalances)")
        #expect(judgement.sums == (try order.judgement().sums))
    }

    @Test func aCopyReturnedAndDelivered() throws {
        var book = order.without("done \(Book.id(1))")
        book.say(.queue, "bounced \(Book.id(1)) recipient=a@d final=a@d status=5.0.0 target=\(Book.id(9, .queued)) at=3.000")
        book.say(.queue, "done \(Book.id(1)) result=delivered:1,bounced:2 at=8.000")
        #expect(try book.judgement().imbalances.contains { $0.kind == .twice && $0.recipient == Array("a@d".utf8) })
    }

    @Test func whatOneMayNotSayIsNotHeard() throws {
        var book = order.without("delivered ", "recipient=a@d")
        book.say(.remote, "delivered \(Book.id(1)) recipient=a@d final=a@d file=1.x at=3.000")
        book.say(.accepts(.submission), "accept \(Book.id(3)) from=x@y to=a@d at=1.000")
        #expect(try book.judgement().imbalances.map(\.kind) == [.unanswered])
    }

    /// A message is read in one log before, in another after it went on: at every such pair of moments there is no false alarm.
    @Test func aSystemThatRunsIsNotAccused() throws {
        let moments = order.lines.count
        for moment in 0...moments {
            for later in moment...moments {
                let erased = order.lines.prefix(later).contains { $0.text.hasPrefix("done \(Book.id(1))") }
                var early = Book(), late = Book()
                early.lines = Array(order.lines.prefix(moment))
                late.lines = Array(order.lines.prefix(later))
                // The first reading has seen each log at another time; the mail logs first.
                var first = early
                first.lines += order.lines[moment..<later].filter { $0.log == .queue }
                // What was erased meanwhile was done before.
                if erased { late.lines.removeAll { $0.log == .mail(.smtpd) } }
                let opening = try first.ledger()
                let judged = opening.judge()
                let second = try late.ledger(only: judged.suspects)
                let judgement = second.judge(suspectsOf: judged, claimedBy: opening)
                #expect(judgement.imbalances.isEmpty, "after \(moment) and \(later): \(judgement.imbalances)")
            }
        }
    }
}
