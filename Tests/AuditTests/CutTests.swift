// Logs that are cut at their beginning, each at another time: the sums of their checkpoints hold the rest together.

import MailModel
import MailTestKit
import SpoolFormat
import Testing

@testable import Audit

/// A history of many messages, of which each log keeps an end only.
struct History {
    /// Event number → the message of each log, in its order.
    var accepts: [Int] = []
    var answers: [Int] = []
    var endings: [Int] = []
    let count: Int

    /// Messages are accepted in order, delivered a little later, and ended later still.
    init(count: Int, seed: UInt64) {
        self.count = count
        var chance = SeededGenerator(seed: seed)
        let numbers = Array(1...count)
        accepts = numbers
        answers = numbers.map { ($0 + Int.random(in: 0...5, using: &chance), $0) }.sorted { $0.0 < $1.0 }.map(\.1)
        let answered = Dictionary(uniqueKeysWithValues: answers.enumerated().map { ($1, $0) })
        endings = numbers.map { ((answered[$0] ?? 0) + Int.random(in: 0...5, using: &chance), $0) }.sorted { $0.0 < $1.0 }.map(\.1)
    }

    private func id(_ number: Int) -> QueueID { QueueID(origin: .smtpd, epoch: SegmentHeader.epoch(number: UInt32(number), random: 1), sequence: 1) }

    /// The lines that are there if the first `cut` of each log's are gone; what ended by then is what a state block leaves out.
    func book(accepts acceptCut: Int, answers answerCut: Int, endings endCut: Int, losing lost: Int? = nil) -> (Book, Ledger.Cuts) {
        var book = Book()
        var cuts: Ledger.Cuts = [:]
        if acceptCut > 0 { cuts[.accepts(.smtpd)] = cut(acceptCut) { $0.add(.accept, acceptCut); $0.newest = id(acceptCut); $0.newestAccepted = acceptCut * 1000 } }
        for number in accepts.dropFirst(acceptCut) {
            book.say(.accepts(.smtpd), "accept \(id(number)) from=x@y to=a@d at=\(number).000")
        }
        if endCut > 0 { cuts[.queue] = cut(endCut) { $0.add(.doneSmtpd, endCut); $0.add(.taken, endCut) } }
        sayQueue(&book, endCut, lost)
        if answerCut > 0 { cuts[.local] = cut(answerCut) { $0.add(.delivered, answerCut) } }
        sayAnswers(&book, answerCut, endCut)
        return (book, cuts)
    }

    private func cut(_ number: Int, _ fill: (inout Checkpoint) -> Void) -> Checkpoint {
        var checkpoint = Checkpoint()
        checkpoint.segment = 1
        fill(&checkpoint)
        return checkpoint
    }

    /// When queued's oldest segment began, it had heard of what was answered by then, and of five messages more.
    private func heard(_ endCut: Int) -> Int { endCut == 0 ? 0 : min(count, (endings.prefix(endCut).max() ?? 0) + 5) }

    private func sayQueue(_ book: inout Book, _ endCut: Int, _ lost: Int?) {
        let ended = Set(endings.prefix(endCut))
        let known = heard(endCut)
        book.say(.queue, "state -")
        book.say(.queue, "cursor - log=smtpd/mail upto=\(String(repeating: "0", count: 8 - "\(known + 1)".count))\(known + 1):0")
        for number in 1...count where number <= known && !ended.contains(number) && number != lost {
            book.say(.queue, "open \(id(number)) from=x@y location=s/00000001:1+1:00000000 at=\(number).000 upto=00000001:1")
            book.say(.queue, "pending \(id(number)) recipient=a@d final=a@d agent=locald account=d/a attempt=1 answers=00000001:1")
        }
        book.say(.queue, "state-end -")
        for number in endings.dropFirst(endCut) where number != lost {
            if number > known { book.say(.queue, "route \(id(number)) recipient=a@d final=a@d agent=locald account=d/a at=\(number).100") }
            book.say(.queue, "done \(id(number)) result=delivered:1,bounced:0 at=\(number).900")
        }
    }

    /// locald's oldest segment repeats the answers of all that had not ended when it began: it had read of no ending then.
    private func sayAnswers(_ book: inout Book, _ answerCut: Int, _ endCut: Int) {
        book.say(.local, "state -")
        book.say(.local, "cursor - log=queued/events upto=00000001:0")
        for number in answers.prefix(answerCut) where !endings.prefix(max(endCut, 0)).contains(number) {
            book.say(.local, "delivered \(id(number)) recipient=a@d final=a@d account=d/a file=1.\(id(number)).mx")
        }
        book.say(.local, "state-end -")
        for number in answers.dropFirst(answerCut) {
            book.say(.local, "delivered \(id(number)) recipient=a@d final=a@d account=d/a file=1.\(id(number)).mx at=\(number).500")
        }
    }
}

struct CutTests {
    @Test(arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func eachLogMayBeCutAnywhere(_ seed: UInt64) throws {
        let history = History(count: 40, seed: seed)
        var chance = SeededGenerator(seed: seed)
        for _ in 0..<60 {
            let cut = (0..<3).map { _ in Bool.random(using: &chance) ? 0 : Int.random(in: 0...36, using: &chance) }
            // An agent's segments go after queued has read them, and nothing is ended before it is answered.
            let answers = max(cut[1], 0)
            let (book, cuts) = history.book(accepts: cut[0], answers: answers, endings: cut[2])
            let judgement = try book.judgement(cuts: cuts)
            #expect(judgement.imbalances.isEmpty, "seed \(seed), cut at \(cut): \(judgement.imbalances)")
        }
    }

    @Test func whatIsLostAcrossACutIsMissedInTheSums() throws {
        let history = History(count: 40, seed: 1)
        // Accepted where queued's log is gone, and neither open nor ended: the checkpoint says how many ended.
        var (book, cuts) = history.book(accepts: 0, answers: 0, endings: 20)
        cuts[.queue]?[.doneSmtpd] = 19
        #expect(try book.judgement(cuts: cuts).imbalances.contains { $0.kind == .sums && $0.place.contains("smtpd/events") })
        (book, cuts) = history.book(accepts: 30, answers: 30, endings: 10)
        cuts[.local]?[.delivered] = 29
        #expect(try book.judgement(cuts: cuts).imbalances.contains { $0.kind == .sums && $0.place.contains("locald/events") })
    }

    @Test func whatIsLostAfterACutIsNamed() throws {
        let history = History(count: 40, seed: 1)
        let (book, cuts) = history.book(accepts: 5, answers: 3, endings: 10, losing: 35)
        let found = try book.judgement(cuts: cuts).imbalances
        #expect(found.contains { $0.kind == .lost || $0.kind == .unassigned })
        #expect(found.allSatisfy { $0.id?.epoch == SegmentHeader.epoch(number: 35, random: 1) }, "\(found)")
    }

    /// queued began a segment while smtpd's log was gone: after the block it says again who was done, and nothing of his copies.
    @Test func anEndThatIsSaidAgainIsThatOfBefore() throws {
        let history = History(count: 40, seed: 3)
        var (book, cuts) = history.book(accepts: 0, answers: 0, endings: 20)
        let end = try #require(book.lines.firstIndex { $0.log == .queue && $0.text.hasPrefix("state-end") })
        var later: [(log: AuditedLog, text: String)] = []
        for number in history.endings.prefix(20) {
            let id = QueueID(origin: .smtpd, epoch: SegmentHeader.epoch(number: UInt32(number), random: 1), sequence: 1)
            book.lines.insert((.queue, "done \(id) result=delivered:1,bounced:0"), at: end + 1)
            // And the next segment, where its log is still gone.
            later.append((.queue, "done \(id) result=delivered:1,bounced:0"))
        }
        book.lines += [(.queue, "state -"), (.queue, "state-end -")] + later
        #expect(try book.judgement(cuts: cuts).imbalances.isEmpty)
        cuts[.queue]?[.doneSmtpd] = 19
        #expect(try !book.judgement(cuts: cuts).imbalances.isEmpty, "the sums still tell")
    }

    @Test func anAcceptThatIsSaidAgainIsCountedOnce() throws {
        let history = History(count: 20, seed: 2)
        var (book, cuts) = history.book(accepts: 10, answers: 0, endings: 0)
        let again = "accept \(QueueID(origin: .smtpd, epoch: SegmentHeader.epoch(number: 8, random: 1), sequence: 1)) from=x@y to=a@d at=8.000"
        book.lines.insert((.accepts(.smtpd), again), at: 0)
        book.lines.insert((.accepts(.smtpd), "start - pid=1 at=12.000"), at: 1)
        let judgement = try book.judgement(cuts: cuts)
        #expect(judgement.imbalances.isEmpty, "\(judgement.imbalances)")
        cuts[.accepts(.smtpd)]?[.accept] = 11
        #expect(try !book.judgement(cuts: cuts).imbalances.isEmpty)
    }
}
