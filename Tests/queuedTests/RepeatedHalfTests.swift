// Found by the model: a half of a routing that waited for its accept stands in the log before the routing that followed it,
// by an alias that was changed meanwhile. A start must not take the one for a part of the other (O4a).

import Kernel
import MailModel
import SpoolFormat
import Testing

@testable import Spool
@testable import queued

@Suite struct RepeatedHalfTests {
    private func list(_ names: String...) -> ([UInt8]) -> Routed {
        { _ in .routed(names.compactMap { EmailAddress(parsing: bytes($0)) }.map { (.remote($0), []) }, refusal: nil) }
    }

    /// The first records of a life that routes so.
    private func said(_ count: Int, _ lookUp: ([UInt8]) -> Routed) throws -> [RecordLine] {
        let life = QueueWorld()
        try life.accept(1, to: ["all@y.example"])
        life.route(lookUp)
        return Array(life.said.prefix(count))
    }

    /// Who gets a copy after a start that finds these records.
    private func finals(_ lines: [RecordLine], then lookUp: ([UInt8]) -> Routed) throws -> [String]? {
        let world = QueueWorld()
        try world.accept(1, to: ["all@y.example"])
        for (offset, line) in lines.enumerated() { world.queue.replay(try placed(line, at: Int64(offset) * 1000)) }
        world.queue.rebuild(now: world.now)
        world.route(lookUp)
        return world.message(1)?.copies.map(\.final.display).sorted()
    }

    @Test func aWholeRoutingAfterAHalfIsNotLost() throws {
        let late = list("c@z.example", "d@z.example")
        #expect(try finals(said(1, list("a@z.example", "b@z.example")) + said(2, late), then: late) == ["c@z.example", "d@z.example"])
    }

    @Test func nobodyOfTheHalfGetsACopy() throws {
        let late = list("c@z.example")
        #expect(try finals(said(1, list("a@z.example", "b@z.example")) + said(1, late), then: late) == ["c@z.example"])
    }

    @Test func twoHalvesAreNoWhole() throws {
        let late = list("d@z.example", "e@z.example", "f@z.example")
        let lines = try said(1, list("a@z.example", "b@z.example", "c@z.example")) + said(2, late)
        #expect(try finals(lines, then: late) == ["d@z.example", "e@z.example", "f@z.example"])
    }

    /// Found by review: a second record of a recipient who was routed whole is no later routing.
    @Test func whoIsNamedTwiceGetsHisCopy() throws {
        let life = QueueWorld()
        try life.accept(1, to: ["all@y.example", "all@y.example"])
        life.route(list("a@z.example"))
        life.assign()
        #expect(try life.said(.route).count == 1)
        let repeated = RecordLine(.route, messageID(1)).adding(.recipient, "all@y.example").adding(.result, "duplicate").adding(.count, 1)
        let world = QueueWorld()
        try world.accept(1, to: ["all@y.example", "all@y.example"])
        for (offset, line) in (life.said.prefix(1) + [repeated] + life.said.dropFirst()).enumerated() {
            world.queue.replay(try placed(line, at: Int64(offset) * 1000))
        }
        world.queue.rebuild(now: world.now)
        #expect(world.message(1)?.copies.map(\.final.display) == ["a@z.example"])
        #expect(world.message(1)?.unfinished == 1)
    }

    /// Logs of before the key: each record counts for itself.
    @Test func recordsWithoutACountAreWhole() throws {
        let lines = ["a@z.example", "b@z.example"].map {
            RecordLine(.route, messageID(1)).adding(.recipient, "all@y.example").adding(.final, $0).adding(.agent, "remoted")
        }
        #expect(try finals(lines, then: list("c@z.example")) == ["a@z.example", "b@z.example"])
    }
}
