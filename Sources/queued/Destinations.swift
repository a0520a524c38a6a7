// Destinations that answer nobody now: one copy asks at a time, the others wait. Pure: time is an input, chance an id.
// In memory alone, and here rather than in remoted: what rests is then not even assigned, and a start asks anew, once each.

import Kernel
import MailModel

/// What an agent's answer says of the destination, beside the copy.
enum Reach: Sendable {
    /// A server has spoken of the message.
    case reached
    /// No server could be connected to, or none would begin a session.
    case unreached
    /// It came to neither.
    case unknown
}

/// The memory of dead destinations, by next hop or domain.
struct Destinations {
    private struct Silence {
        /// Attempts in a row that reached nobody.
        var failures = 0
        /// It rests until then.
        var until = WallTime.whenever
        /// The copy that asks now, and since when.
        var probe: (copy: CopyIndex, since: WallTime)?
        var answer = Answer()
        /// Copies that were put off without an attempt: they go at once when it answers.
        var waiting: [CopyIndex] = []
        var tidied = 0
    }

    private var silent: [[UInt8]: Silence] = [:]
    /// When a destination may be asked again, the earliest.
    private(set) var deadline: WallTime?

    /// So many attempts in a row that reach nobody make it rest: one may be an accident.
    static let mostFailures = 2
    /// A probe of which nothing was heard for so long hinders no other. Seconds.
    private static let longestProbe: Int64 = 900
    /// Destinations remembered; what comes beyond is tried as if nothing were known.
    private static let most = 50_000
    private static let few = 4096

    /// Nil if the copy may go; else what was said last there: it is put off.
    mutating func refusal(of copy: CopyIndex, to name: [UInt8], now: WallTime) -> Answer? {
        guard let silence = silent[name], silence.failures >= Destinations.mostFailures, silence.probe?.copy != copy else { return nil }
        let isAsked = silence.probe.map { now.seconds - $0.since.seconds < Destinations.longestProbe } ?? false
        if isAsked || silence.until > now { return silence.answer }
        silent[name]?.probe = (copy, now)
        expect(now.adding(seconds: Destinations.longestProbe))
        return nil
    }

    /// Keeps a copy in mind that was put off; `isWaiting` says of which others that still holds.
    mutating func park(_ copy: CopyIndex, at name: [UInt8], isWaiting: (CopyIndex) -> Bool) {
        guard var silence = silent.removeValue(forKey: name) else { return }
        silence.waiting.append(copy)
        if silence.waiting.count > 2 * silence.tidied + Destinations.few {
            silence.waiting.removeAll { !isWaiting($0) }
            silence.tidied = silence.waiting.count
        }
        silent[name] = silence
        if silence.probe == nil { expect(silence.until) }
    }

    /// Takes in an answer; gives the copies that may go at once, because the destination is there again.
    mutating func heard(_ reach: Reach, of copy: CopyIndex, from name: [UInt8], _ answer: Answer, schedule: RetrySchedule, now: WallTime) -> [CopyIndex] {
        switch reach {
        case .reached: return silent.removeValue(forKey: name)?.waiting ?? []
        case .unknown: release(copy, at: name)
        case .unreached:
            guard silent[name] != nil || silent.count < Destinations.most else { return [] }
            var silence = silent.removeValue(forKey: name) ?? Silence()
            let isProbe = silence.probe?.copy == copy
            // What was on its way when it began to rest says nothing new.
            if isProbe || silence.failures < Destinations.mostFailures {
                silence.failures += 1
                silence.until = schedule.next(after: max(1, silence.failures - Destinations.mostFailures + 1), now: now, id: copy.id)
            }
            if isProbe { silence.probe = nil }
            silence.answer = answer
            silent[name] = silence
            expect(silence.until)
        }
        return []
    }

    /// The copies that are to ask now, one for each destination whose rest is over. `isWaiting`: it may still go.
    mutating func probes(now: WallTime, isWaiting: (CopyIndex) -> Bool, longest: Int64) -> [CopyIndex] {
        guard let deadline, deadline <= now else { return [] }
        self.deadline = nil
        var probes: [CopyIndex] = []
        for (name, silence) in silent {
            var silence = silence
            if let probe = silence.probe, now.seconds - probe.since.seconds >= Destinations.longestProbe {
                silence.probe = nil
                silent[name] = silence
            }
            // Nobody has asked for it since: a host that few write to is not remembered for ever.
            if silence.waiting.isEmpty, silence.probe == nil, now.seconds - silence.until.seconds > longest {
                silent[name] = nil
                continue
            }
            if silence.probe == nil, silence.until <= now {
                while let copy = silence.waiting.popLast() {
                    guard isWaiting(copy) else { continue }
                    silence.probe = (copy, now)
                    probes.append(copy)
                    break
                }
                silent[name] = silence
            }
            if let probe = silence.probe { expect(probe.since.adding(seconds: Destinations.longestProbe)) } else {
                expect(silence.waiting.isEmpty ? max(silence.until, now).adding(seconds: longest + 1) : silence.until)
            }
        }
        return probes
    }

    /// A copy that was to ask has come to another end.
    mutating func release(_ copy: CopyIndex, at name: [UInt8]) {
        guard let silence = silent[name], silence.probe?.copy == copy else { return }
        silent[name]?.probe = nil
        expect(silence.until)
    }

    /// Forgets one destination, or all: the administrator wants them tried. Gives the copies that were put off.
    mutating func forget(_ name: [UInt8]? = nil) -> [CopyIndex] {
        if let name { return silent.removeValue(forKey: name)?.waiting ?? [] }
        defer {
            silent = [:]
            deadline = nil
        }
        return silent.values.flatMap(\.waiting)
    }

    private mutating func expect(_ time: WallTime) { deadline = min(deadline ?? time, time) }
}
