// Histories drawn at random: batches, rollovers, faults, restarts and power cuts in any order, with a follower that looks now and then.

import Kernel
import MailModel
import MailTestKit
import SpoolFormat
import Testing

@testable import Spool

@Suite struct HistoryTests {
    private struct History {
        let world = World()
        var random: SeededGenerator
        var answers = Answers()
        var writer: LogWriter?
        var serial = 0
        var steps: [String] = []
        var live: [String] = []
        let follower: LogFollower
        /// Whether all that is in the newest segment but its last line was synced.
        var isClean = true

        init(seed: UInt64) throws {
            random = SeededGenerator(seed: seed)
            follower = try world.follower()
        }

        mutating func step() throws {
            let faults = try script(plan())
            switch Int.random(in: 0..<10, using: &random) {
            case 0:
                steps.append("rollover")
                FaultInjection.running(faults) { writer?.rollOver() }
            case 1: restart()
            case 2: live += try follower.tokens()
            default: batch(faults)
            }
            if writer == nil {
                steps.append("begin")
                var opened: LogWriter?
                FaultInjection.running(faults) { _ = logFailure { opened = try world.begun() } }
                writer = opened
            }
        }

        private mutating func plan() -> String {
            guard Int.random(in: 0..<3, using: &random) == 0 else { return "EIO@0" }
            let plan = "\(["EIO", "ENOSPC", "EMFILE"].randomElement(using: &random) ?? "EIO")@\(Int.random(in: 1...9, using: &random))"
                + (Bool.random(using: &random) ? "+" : "")
            steps.append(plan)
            return plan
        }

        private mutating func batch(_ faults: FaultScript) {
            guard let writer else { return }
            let tokens = (0..<Int.random(in: 1...3, using: &random)).map { _ in
                serial += 1
                return "\(serial)"
            }
            let content = random.bytes(Int.random(in: 0...60, using: &random), from: [0x61, 0x0A, 0x20])
            steps.append("batch \(tokens)")
            var appended: [String] = []
            let failure = FaultInjection.running(faults) {
                for token in tokens where writer.add(token, content: Bool.random(using: &random) ? content : nil) != nil { appended.append(token) }
                return logFailure { try writer.commit() }
            }
            answers.refused += tokens.filter { !appended.contains($0) }
            isClean = failure == nil
            switch failure {
            case nil: answers.accepted += appended
            case .noSpace?, .failed?: answers.refused += appended
            case .broken?, .locked?: answers.silence += appended
            }
        }

        /// The process ends; with it, perhaps, the power: then the last commit line, which nothing has synced, may be gone in part.
        private mutating func restart() {
            writer = nil
            guard isClean, Bool.random(using: &random), let newest = world.numbers.max() else {
                steps.append("restart")
                return
            }
            let segment = world.segment(newest)
            let bytes = world.tree.read(segment)
            let lastLine = bytes.count - (bytes.dropLast().lastIndex(of: 0x0A).map { $0 + 1 } ?? bytes.count)
            let cut = Int.random(in: 0...lastLine, using: &random)
            steps.append("power cut, \(cut) bytes of \(newest)")
            world.tree.resize(segment, to: bytes.count - cut)
            isClean = false
        }

        mutating func finish() throws {
            writer = nil
            do { try world.begun().commit("later") }
            live += try follower.tokens()
        }
    }

    @Test func whateverHappensWhatIsAcknowledgedIsSeenAndWhatIsRefusedIsNot() throws {
        let first = SeededGenerator().seed
        var accepted = 0, refused = 0
        for round in 0..<60 {
            var history = try History(seed: first &+ UInt64(round))
            for _ in 0..<25 { try history.step() }
            try history.finish()
            let comment = Comment("\(history.steps)")
            let fresh = try history.world.seen()
            #expect(Set(history.live) == Set(fresh), comment)
            #expect(Set(history.answers.accepted).subtracting(fresh).isEmpty, "lost; \(comment)")
            #expect(Set(history.answers.refused).isDisjoint(with: fresh), "refused and seen; \(comment)")
            #expect(history.follower.damage.isEmpty, "\(history.follower.damage); \(comment)")
            accepted += history.answers.accepted.count
            refused += history.answers.refused.count
        }
        #expect(accepted > 500 && refused > 50)
    }
}
