// The Nth system call fails, N = 1, 2, …: what was acknowledged is there exactly once, what was refused is nowhere.

import Kernel
import MailModel
import MailTestKit
import SpoolFormat
import Testing

@testable import Spool

/// What the clients of one run heard.
struct Answers {
    var accepted: [String] = []
    var refused: [String] = []
    /// No reply: either outcome is right.
    var silence: [String] = []
}

@Suite struct FaultLoopTests {
    /// Six batches of two, a rollover in the middle; a follower looks after each batch.
    private func work(_ world: World, _ faults: FaultScript, watching live: LogFollower) throws -> (Answers, seen: [String]) {
        var answers = Answers()
        var seen: [String] = []
        var writer: LogWriter?
        _ = FaultInjection.running(faults) { logFailure { writer = try world.begun() } }
        guard let writer else { return (answers, seen) }
        for batch in 0..<6 {
            var tokens: [String] = []
            FaultInjection.running(faults) {
                for part in ["x", "y"] {
                    let token = "\(batch)\(part)"
                    if writer.add(token, content: bytes("content of \(token)\n")) != nil { tokens.append(token) } else { answers.refused.append(token) }
                }
                switch logFailure({ try writer.commit() }) {
                case nil: answers.accepted += tokens
                case .noSpace?, .failed?: answers.refused += tokens
                case .broken?, .locked?: answers.silence += tokens
                }
                if batch == 2 { writer.rollOver() }
            }
            seen += try live.tokens()
        }
        return (answers, seen)
    }

    private func check(_ answers: Answers, _ world: World, live: LogFollower, early: [String], _ plan: Comment) throws {
        #expect(early == answers.accepted, "before the restart: \(plan)")
        do { try world.begun().commit("later") }
        let placed = try world.follower().poll().filter { $0.token != nil }
        let byID = Dictionary(grouping: placed, by: \.record.id).mapValues { Set($0.compactMap(\.token)) }
        #expect(byID.values.allSatisfy { $0.count == 1 }, plan)
        let tokens = byID.values.compactMap(\.first)
        #expect(Set(tokens).count == tokens.count, "once: \(plan)")
        #expect(Set(answers.accepted).isSubset(of: tokens), "lost \(Set(answers.accepted).subtracting(tokens)): \(plan)")
        #expect(Set(answers.refused).isDisjoint(with: tokens), "refused \(Set(answers.refused).intersection(tokens)): \(plan)")
        #expect(Set(tokens).subtracting(answers.accepted).subtracting(answers.silence) == ["later"], plan)
        let all = try early + live.tokens()
        #expect(Set(all) == Set(tokens), "live: \(plan)")
    }

    /// Once: the disk coughs. `+`: it is dead from there on, which leaves what a killed process leaves.
    @Test(arguments: ["EIO", "ENOSPC", "EMFILE"], ["", "+"]) func anyCallMayFail(_ code: String, _ stays: String) throws {
        var call = 1
        while true {
            let world = World()
            let live = try world.follower()
            let faults = try script("\(code)@\(call)\(stays)")
            let (answers, seen) = try work(world, faults, watching: live)
            if faults.count < call {
                #expect(answers.accepted.count == 12 && answers.refused.isEmpty)
                break
            }
            if stays.isEmpty, answers.accepted.isEmpty == false { #expect(answers.accepted.count >= 8, "one fault costs at most two batches") }
            try check(answers, world, live: live, early: seen, "\(code)@\(call)\(stays)")
            call += 1
        }
        #expect(call > 25, "the faults reached \(call) calls")
    }

    /// A full disk, then space: the segment goes on, and the clients' later batches are taken.
    @Test func spaceComesBack() throws {
        let world = World()
        let writer = try world.begun()
        try writer.commit("a")
        for _ in 0..<3 {
            writer.add("refused")
            #expect(try FaultInjection.running(script("ENOSPC@write:1+")) { logFailure { try writer.commit() } } == .noSpace)
        }
        try writer.commit("b")
        #expect(world.numbers == [1], "the segment goes on")
        #expect(try world.seen() == ["a", "b"])
    }

    @Test func aCutBackThatFailsSealsTheSegment() throws {
        let world = World()
        let writer = try world.begun()
        let live = try world.follower()
        try writer.commit("a")
        writer.add("in doubt")
        #expect(try FaultInjection.running(script("ENOSPC@write:2+")) { logFailure { try writer.commit() } } == .noSpace)
        writer.add("in doubt too")
        let both = try script("ENOSPC@2+")
        #expect(FaultInjection.running(both) { logFailure { try writer.commit() } } == .broken)
        #expect(logFailure { try writer.commit() } == .failed)
        try writer.commit("b")
        #expect(try live.tokens() == ["a", "b"])
    }
}

/// A real small disk, where the kernel cuts writes short.
@Suite struct FullDiskTests {
    @Test func whatIsAcknowledgedSurvivesAFullDisk() throws {
        let tree = TemporarySpool([])
        tree.makeFolder("disk")
        if let reason = tree.mountSmallDisk("disk", bytes: 1 << 20) {
            print("skipped: cannot mount a small disk: \(reason)")
            return
        }
        defer { tree.unmount("disk") }
        for folder in ["smtpd", "smtpd/mail", "smtpd/mail/big"] { tree.makeFolder("disk/" + folder) }
        let world = World(tree: TemporarySpool(reopening: tree.path + "/disk"))
        var answers = Answers()
        let live = try world.follower()
        do {
            let writer = try world.begun()
            for number in 0..<60 {
                let token = "\(number)"
                writer.add(token, content: [UInt8](repeating: 0x61, count: number % 3 == 0 ? 100_000 : 3000))
                switch logFailure({ try writer.commit() }) {
                case nil: answers.accepted.append(token)
                case .noSpace?, .failed?: answers.refused.append(token)
                case .locked?, .broken?: Issue.record("the disk is full, not broken")
                }
            }
            #expect(!answers.refused.isEmpty && answers.accepted.count > 8, "small ones fit where large ones do not")
            #expect(try live.tokens() == answers.accepted)
        }
        #expect(try world.seen() == answers.accepted)
        let writer = try world.writer()
        #expect(writer.recovered.isEmpty, "what was refused is cut off")
    }
}
