// The state block: a start from it knows what the life before knew, whatever state the copies are in.

import Kernel
import MailModel
import MailTestKit
import SpoolFormat
import Testing

@testable import Spool
@testable import queued

@Suite struct StateBlockTests {
    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
    func aStartKnowsWhatWasKnown(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let world = QueueWorld()
        for number in 0..<60 {
            try world.accept(number, to: (0...Int.random(in: 0...3, using: &random)).map { "u\($0)@x\(number % 5).example" })
            if Bool.random(using: &random) { world.route(random.next() % 4 == 0 ? { _ in .unavailable(reason: "no directory") } : QueueWorld.itself) }
            world.assign(window: 40)
            for id in world.queue.messages.keys.sorted().shuffled(using: &random).prefix(2) {
                guard let message = world.queue.messages[id], let copy = message.copies.randomElement(using: &random),
                    case .assigned(let place) = copy.state
                else { continue }
                try world.answer([.sent, .failed, .temporary].randomElement(using: &random) ?? .sent, Int(id.sequence), copy.original.display, place)
            }
            world.now = world.now.adding(seconds: 10)
        }
        world.queue.note(cursor: LogPosition(segment: 1, offset: 3000), of: LogName(.smtpd, .mail))
        let next = try world.started()
        #expect(next.block == world.block, "seed \(seed)")
        #expect(next.queue.bounceDue == world.queue.bounceDue, "seed \(seed)")
        for id in world.queue.messages.keys {
            #expect(next.queue.messages[id]?.unfinished == world.queue.messages[id]?.unfinished, "seed \(seed)")
        }
    }

    /// What stands in queued's log of a message comes before its accept shows again: it waits for it.
    @Test func whatWasSaidOfAnUnseenMessageWaitsForItsAccept() throws {
        let life = QueueWorld()
        try life.accept(1, to: ["a@x.example"])
        life.route()
        life.assign()
        let later = QueueWorld()
        for (offset, line) in life.said.enumerated() { later.queue.replay(try placed(line, at: Int64(offset) * 1000)) }
        later.queue.rebuild(now: later.now)
        #expect(later.queue.messages.isEmpty)
        #expect(later.block.filter { $0.hasPrefix("assign ") || $0.hasPrefix("route ") }.count == 2)
        // The cursor may stand in the segment of the cut; the accept shows in the one after it.
        later.queue.note(cursor: LogPosition(segment: 1, offset: 10), of: LogName(.smtpd, .mail))
        try later.accept(1, to: ["a@x.example"])
        #expect(later.queue.messages[messageID(1)]?.copies.first?.state == .assigned(LogPosition(segment: 1, offset: 1000)))
        #expect(later.queue.closed.known.isEmpty)
        // Its agent may have answered meanwhile, and nobody heard: it is asked again, under the position that it knows.
        later.takeLines()
        let asked = try #require(try later.said(.assign).last)
        #expect(asked.text(.answers) == LogPosition(segment: 1, offset: 1000).text.display)
        try later.answer(.sent, 1, "a@x.example")
        #expect(later.queue.messages.isEmpty)
    }

    /// Found by the power-loss laboratory (shutdown, ext4): what showed again while it was open was forgotten too early.
    @Test func anAcceptThatShowsAgainWhileOpenMovesItsMessage() throws {
        let world = QueueWorld()
        try world.accept(1, to: ["a@x.example"])
        world.route()
        world.assign()
        let again = RecordLine(.accept, messageID(1)).adding(.from, "alice@example.org").adding(.to, "a@x.example").adding(.content, "10:00000000")
        let place = LogPosition(segment: 2, offset: 109)
        let record = PlacedRecord(record: try record(again), position: place, lineLength: again.bytes.count, contentLength: 10)
        world.queue.hear(record, from: LogName(.smtpd, .mail), now: world.now)
        #expect(world.queue.messages[messageID(1)]?.position == place)
        #expect(world.queue.messages[messageID(1)]?.location.position?.segment == 2)
        try world.answer(.sent, 1, "a@x.example")
        // A start reads from here: the accept below the cursor is not known any more, the one that shows there is.
        world.queue.note(cursor: LogPosition(segment: 2, offset: 0), of: LogName(.smtpd, .mail))
        #expect(world.queue.closed.known.count == 1)
    }

    /// A clock that was ten years ahead when it was written down does not hold mail back for ten years.
    @Test func noWaitIsLongerThanTheLongest() throws {
        let world = QueueWorld()
        try world.putOff(0..<3)
        world.now = world.now.adding(seconds: -10 * 365 * 86_400)
        let next = try world.started()
        next.now = next.now.adding(seconds: QueueWorld.schedule.longest)
        #expect(next.assign().count == 3)
    }

    @Test func whatNeverShowsAgainIsForgotten() throws {
        let world = QueueWorld()
        world.queue.replay(try placed(RecordLine(.done, messageID(1))))
        world.queue.note(cursor: LogPosition(segment: 1, offset: 10), of: LogName(.smtpd, .mail))
        #expect(world.queue.closed.known.count == 1)
        world.queue.note(cursor: LogPosition(segment: 2, offset: 10), of: LogName(.smtpd, .mail))
        #expect(world.queue.closed.known.isEmpty)
    }

    /// Who dies while he writes leaves a part of what he said. However much of a recipient's routing it is, each destination gets its copy,
    /// and those of today only.
    @Test func aRoutingThatWasNotSaidToItsEndIsNoRouting() throws {
        func list(_ names: String...) -> ([UInt8]) -> Routed {
            { recipient in
                guard recipient.starts(with: bytes("all@")) else { return QueueWorld.itself(recipient) }
                return .routed(names.compactMap { EmailAddress(parsing: bytes($0)) }.map { (.remote($0), []) }, refusal: nil)
            }
        }
        let life = QueueWorld()
        try life.accept(1, to: ["first@x.example", "all@y.example"])
        life.route(list("a@z.example", "b@z.example", "c@z.example"))
        let routes = try life.said(.route)
        #expect(routes.count == 4 && routes.map { $0.number(.count) } == [1, 3, nil, nil])
        for count in 0...4 {
            let later = QueueWorld()
            try later.accept(1, to: ["first@x.example", "all@y.example"])
            for line in life.said.prefix(count) { later.queue.replay(try placed(line)) }
            later.queue.rebuild(now: later.now)
            let halves = routes.prefix(count).filter { later.queue.isHalfRouting($0) }.count
            #expect(halves == (count == 4 ? 0 : max(0, count - 1)), "\(count) records")
            later.route(list("a@z.example", "d@z.example"))
            let finals = later.message(1)?.copies.map(\.final.display).sorted()
            let whole = ["a@z.example", "b@z.example", "c@z.example", "first@x.example"]
            #expect(finals == (count == 4 ? whole : ["a@z.example", "d@z.example", "first@x.example"]), "\(count) records")
            #expect(later.message(1)?.unfinished == finals?.count && later.message(1)?.unrouted.isEmpty == true)
        }
    }

    /// A half that waited for its accept is repeated before the routing that followed it, by an alias that was changed meanwhile: what
    /// that one assigned is not begun again.
    @Test func whatWasAssignedAfterAHalfRoutingStays() throws {
        func list(_ names: String...) -> ([UInt8]) -> Routed {
            { _ in .routed(names.compactMap { EmailAddress(parsing: bytes($0)) }.map { (.remote($0), []) }, refusal: nil) }
        }
        let early = QueueWorld(), late = QueueWorld()
        for life in [early, late] { try life.accept(1, to: ["all@y.example"]) }
        early.route(list("a@z.example", "b@z.example", "c@z.example"))
        late.route(list("a@z.example", "d@z.example", "e@z.example"))
        late.assign()
        let world = QueueWorld()
        try world.accept(1, to: ["all@y.example"])
        for (offset, line) in (Array(early.said.prefix(2)) + late.said).enumerated() {
            world.queue.replay(try placed(line, at: Int64(offset) * 1000))
        }
        world.queue.rebuild(now: world.now)
        world.route(list("a@z.example", "d@z.example", "e@z.example"))
        let copies = try #require(world.message(1)?.copies)
        #expect(copies.map(\.final.display).sorted() == ["a@z.example", "d@z.example", "e@z.example"])
        #expect(world.assign().isEmpty, "each is assigned already")
    }
}
