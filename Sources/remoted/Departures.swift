// What waits for a connection and what is on its way, in the order of its coming and fair to each domain. No I/O.
// Invariant: a copy is known here from its assignment until its answer is durable, and is begun once in that time, however
// often it is assigned; the answer names the newest assignment, because queued hears no other.

import MailModel
import Spool
import SpoolFormat

/// One destination: a domain, by its MX or by a route.
struct LaneName: Hashable, Sendable {
    let domain: Domain
    let route: [UInt8]?

    init(_ job: Job) {
        domain = job.domain
        route = job.route
    }
}

/// The jobs of remoted; it outlives a life of the runner, because connections do.
struct Departures {
    /// Recipients of one transaction (RFC 5321 §4.5.3.1.8 promises as many).
    private static let mostCopies = 100

    private struct Lane {
        /// A slice: taking the first of a long lane moves no other.
        var jobs: ArraySlice<Job> = []
        var flights = 0
        var pace = Concurrency()
    }

    private var limit: Int
    private var limitPerDomain: Int
    private var lanes: [LaneName: Lane] = [:]
    /// Lanes with jobs, each once, in turn.
    private var turns: [LaneName] = []
    private(set) var flights = 0
    /// The newest assignment of each copy.
    private var known: [CopyKey: LogPosition] = [:]

    init(limit: Int, limitPerDomain: Int) {
        self.limit = max(1, limit)
        self.limitPerDomain = max(1, limitPerDomain)
    }

    /// What is on its way goes on; nothing more begins above the new limits.
    mutating func limit(to limit: Int, perDomain limitPerDomain: Int) {
        self.limit = max(1, limit)
        self.limitPerDomain = max(1, limitPerDomain)
    }

    /// The assignment that an answer must name now; nil for a copy that is not here.
    func assignment(of key: CopyKey) -> LogPosition? { known[key] }

    /// Takes a job of one copy; false if the copy is here already, which then answers this assignment.
    mutating func add(_ job: Job) -> Bool {
        guard let copy = job.copies.first, known.updateValue(copy.answers, forKey: copy.key) == nil else { return false }
        let key = LaneName(job)
        var lane = lanes.removeValue(forKey: key) ?? Lane()
        if lane.jobs.isEmpty { turns.append(key) }
        if let index = lane.jobs.indices.last, lane.jobs[index].id == job.id, lane.jobs[index].sender == job.sender, lane.jobs[index].copies.count < Departures.mostCopies {
            lane.jobs[index].copies.append(copy)
        } else {
            lane.jobs.append(job)
        }
        lanes[key] = lane
        return true
    }

    /// The next job that may begin; nil while the limits are reached or nothing waits.
    mutating func next() -> Job? {
        guard flights < limit else { return nil }
        for turn in turns.indices {
            let key = turns[turn]
            guard var lane = lanes.removeValue(forKey: key) else { continue }
            // The last quarter of all connections is for those that have none: twenty slow domains are not the whole world.
            guard lane.flights < min(lane.pace.allowed, limitPerDomain), lane.flights == 0 || flights < limit - limit / 4 else {
                lanes[key] = lane
                continue
            }
            let job = lane.jobs.removeFirst()
            lane.flights += 1
            flights += 1
            turns.remove(at: turn)
            if !lane.jobs.isEmpty { turns.append(key) }
            lanes[key] = lane
            return job
        }
        return nil
    }

    /// A job that `next` gave has come to its end; its copies stay known until `forget`.
    ///
    /// Gives the jobs of its lane that need not begin any more: the answer that it got is theirs too.
    @discardableResult
    mutating func ended(_ job: Job, _ reach: Reach = .unknown) -> [Job] {
        let key = LaneName(job)
        guard var lane = lanes.removeValue(forKey: key) else { return [] }
        var alike: [Job] = []
        if lane.flights > 0 {
            lane.flights -= 1
            flights -= 1
            lane.pace.note(reach, limit: limitPerDomain)
            if reach == .unreached, lane.pace.isDead, !lane.jobs.isEmpty {
                alike = Array(lane.jobs)
                lane.jobs = []
                turns.removeAll { $0 == key }
            }
        }
        if !lane.jobs.isEmpty || lane.flights > 0 { lanes[key] = lane }
        return alike
    }

    /// The copy was answered durably, or never will be in this life.
    mutating func forget(_ copy: CopyKey) { known[copy] = nil }

    /// Drops what has not begun: a new life of the runner hears of it again.
    mutating func dropWaiting() {
        for key in turns {
            for copy in lanes[key]?.jobs.flatMap(\.copies) ?? [] { known[copy.key] = nil }
            lanes[key]?.jobs.removeAll()
            if lanes[key]?.flights == 0 { lanes[key] = nil }
        }
        turns.removeAll()
    }
}
