// Archives: a copy that nobody named, routed before the first recipient, whole or not at all.

import Configuration
import Kernel
import MailModel
import SpoolFormat
import Testing

@testable import Spool
@testable import queued

@Suite struct ArchiveTests {
    private func world(_ rules: String...) -> QueueWorld {
        let world = QueueWorld()
        world.queue.archiveRules = ArchiveRules(rules.compactMap { ArchiveRule(.text($0)) })
        return world
    }

    private func copies(_ world: QueueWorld) -> [String]? { world.message(1)?.copies.map(\.original.display).sorted() }

    @Test func standsBeforeTheRecipientsAndSaysWhatItIs() throws {
        let world = world("example.org keep@a.example", "example.org keep@a.example", "other.example keep@c.example")
        try world.accept(1, to: ["bob@example.net", "carol@example.net"])
        world.route()
        let routes = try world.said(.route)
        #expect(routes.map { $0.text(.recipient) } == ["keep@a.example", "bob@example.net", "carol@example.net"])
        #expect(routes.map { $0.text(.kind) } == ["archive", nil, nil])
        #expect(try world.started().block == world.block)
        #expect(try world.started().message(1)?.archives == [bytes("keep@a.example")])
    }

    @Test func isForWhatComesToo() throws {
        let world = world("example.org keep@a.example")
        try world.accept(1, to: ["x@far.example", "bob@example.org"], from: "stranger@far.example")
        world.route()
        #expect(copies(world) == ["bob@example.org", "keep@a.example", "x@far.example"])
    }

    @Test(arguments: [("", ["bob@example.org"]), ("alice@example.org", ["keep@a.example"]), ("keep@a.example", ["bob@example.org"]), ("x@far.example", ["y@far.example"])])
    func isNotForNoticesNorForItselfNorForOthers(_ sender: String, _ recipients: [String]) throws {
        let world = world("example.org keep@a.example")
        try world.accept(1, to: recipients, from: sender)
        world.route()
        #expect(copies(world) == recipients)
    }

    @Test func aDeathAtAnyRecordLosesNoCopyAndMakesNoneTwice() throws {
        let life = world("example.org keep@a.example", "example.org keep@b.example")
        try life.accept(1, to: ["bob@example.net", "carol@example.net"])
        life.route { address in
            // The archives are lists of two.
            let text = address.display
            let finals = text.hasPrefix("keep") ? ["one.\(text)", "two.\(text)"] : [text]
            return .routed(finals.compactMap { EmailAddress($0) }.map { (.remote($0), []) }, refusal: nil)
        }
        let said = life.said
        #expect(said.count == 6)
        let all = try #require(life.message(1)).copies.map(\.final.display).sorted()
        for count in 0...said.count {
            let next = world("example.org keep@a.example", "example.org keep@b.example")
            try next.accept(1, to: ["bob@example.net", "carol@example.net"])
            for (offset, line) in said.prefix(count).enumerated() { next.queue.replay(try placed(line, at: Int64(offset) * 1000)) }
            next.queue.rebuild(now: next.now)
            next.route { address in
                let text = address.display
                let finals = text.hasPrefix("keep") ? ["one.\(text)", "two.\(text)"] : [text]
                return .routed(finals.compactMap { EmailAddress($0) }.map { (.remote($0), []) }, refusal: nil)
            }
            let message = try #require(next.message(1))
            #expect(message.copies.map(\.final.display).sorted() == all, "after \(count)")
            #expect(message.copies.filter(message.isArchive).count == 4, "after \(count)")
        }
    }

    @Test func waitsForTheFirstRecipientThatCanBeRouted() throws {
        let world = world("example.org keep@a.example")
        try world.accept(1, to: ["bob@example.net", "carol@example.net"])
        world.route { _ in .unavailable(reason: "no directory") }
        #expect(copies(world) == [])
        world.now = world.now.adding(seconds: 40)
        world.route { $0 == bytes("bob@example.net") ? .unavailable(reason: "no directory") : QueueWorld.itself($0) }
        #expect(copies(world) == ["carol@example.net", "keep@a.example"])
        world.now = world.now.adding(seconds: 40)
        world.route()
        #expect(copies(world) == ["bob@example.net", "carol@example.net", "keep@a.example"])
    }

    @Test func anArchiveThatCannotBeFoundKeepsNoMailWaiting() throws {
        let world = world("example.org keep@a.example")
        try world.accept(1, to: ["bob@example.net"])
        world.route { $0 == bytes("keep@a.example") ? .held(reason: "aliases lead back") : QueueWorld.itself($0) }
        let failed = try #require(world.bounce())
        #expect(failed.failed.map { failed.message.copies[$0].original.display } == ["keep@a.example"])
        #expect(world.assign().map(\.recipient) == ["bob@example.net"])
    }

    private func account(_ address: String) -> Destination? {
        EmailAddress(address).map { .account(folder: bytes("example.org/box"), address: $0) }
    }

    /// An account that is both an archive and a recipient's, by whatever way.
    @Test func aMailboxThatARecipientLeadsToGetsHisCopyAlone() throws {
        let world = world("example.org keep@a.example")
        try world.accept(1, to: ["bob@example.net", "team@example.org"])
        let box = try #require(account("box@example.org"))
        world.route { $0 == bytes("bob@example.net") ? QueueWorld.itself($0) : .routed([(box, [])], refusal: nil) }
        #expect(copies(world) == ["bob@example.net", "team@example.org"])
        #expect(try world.said(.route).allSatisfy { $0.text(.kind) == nil })
    }

    /// The archive's copy was said already when the recipient could be looked up: he has one of his own, in this life and the next.
    @Test(arguments: [false, true]) func whoComesLaterHasAStandingOfHisOwn(_ isStartedAnew: Bool) throws {
        let first = world("example.org keep@a.example")
        try first.accept(1, to: ["bob@example.net", "team@example.org"], asking: [(.notify, "2:SUCCESS")])
        let box = try #require(account("box@example.org"))
        func lookUp(_ address: [UInt8]) -> Routed {
            address == bytes("bob@example.net") ? QueueWorld.itself(address) : .routed([(box, [])], refusal: nil)
        }
        first.route { $0 == bytes("team@example.org") ? .held(reason: "loop") : lookUp($0) }
        #expect(copies(first) == ["bob@example.net", "keep@a.example"])
        let next = isStartedAnew ? try first.started() : first
        next.queue.archiveRules = first.queue.archiveRules
        next.now = next.now.adding(seconds: 60)
        next.route(lookUp)
        let message = try #require(next.message(1))
        #expect(message.copies.map { message.isArchive($0) }.filter { $0 }.count == 1)
        let own = try #require(message.copies.first { $0.original == bytes("team@example.org") })
        #expect(own.destination == box && !message.isArchive(own))
        #expect(message.wants(.success, about: own, fallback: false))
        next.assign()
        let kinds = try (first.said + (isStartedAnew ? next.said : [])).filter { $0.verb == .assign }.map(record)
        #expect(kinds.filter { $0.text(.kind) == "archive" }.map { $0.text(.recipient) } == ["keep@a.example"])
    }

    /// It is kept also if all its recipients are given up; a directory that is away is waited for.
    @Test func isKeptAlsoWhereNoRecipientIsFound() throws {
        let world = world("example.org keep@a.example")
        try world.accept(1, to: ["bob@example.net", "carol@example.net"])
        world.route { $0 == bytes("keep@a.example") ? .unavailable(reason: "no directory") : QueueWorld.itself($0) }
        #expect(copies(world) == [])
        for _ in 0..<32 {
            world.route { $0 == bytes("keep@a.example") ? QueueWorld.itself($0) : .held(reason: "loop") }
            world.now = world.now.adding(seconds: 20_000)
        }
        #expect(copies(world) == ["bob@example.net", "carol@example.net", "keep@a.example"])
        #expect(try world.said(.route).map { $0.text(.final) } == ["keep@a.example", nil, nil])
    }

    /// A deleted message is told to nobody, whoever would hear of it otherwise.
    @Test func theFailureOfADeletedArchiveIsToldToNobody() throws {
        let world = world("example.org keep@a.example")
        try world.accept(1, to: ["bob@example.net"])
        world.route()
        let message = try #require(world.message(1))
        #expect(message.copies.map { message.listener(to: $0) } == [.postmaster, .sender])
        message.order = Order(.delete, reason: [])
        #expect(message.copies.map { message.listener(to: $0) } == [.nobody, .nobody])
        #expect(message.silence(about: message.copies[0]) == "the administrator deleted it")
    }

    @Test func itsDelayIsToldToNobody() throws {
        let world = world("example.org keep@a.example")
        try world.accept(1, to: ["bob@example.net"])
        world.route()
        world.now = world.now.adding(seconds: 20_000)
        for (recipient, place) in world.assign() { try world.answer(.temporary, 1, recipient, place) }
        #expect(world.queue.takeNotices().allSatisfy { due in due.copies.allSatisfy { !due.message.isArchive(due.message.copies[$0]) } })
    }
}
