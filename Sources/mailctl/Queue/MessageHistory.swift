// What all programs have said of a message, in the order of time; and of its notices and of what it is a notice about.
// A segment is read by the parser only if it has the id in it: what is in memory is what is said of the message.

import Configuration
import Kernel
import MailModel
import Spool
import SpoolFormat

/// The facts about a message.
struct MessageHistory {
    private(set) var facts: [MessageFact] = []
    /// The messages that belong together: a bounce, what it is about, its other notices.
    private(set) var family: Set<QueueID> = []

    /// No more messages belong together, as far as a trace goes: each is searched for.
    private static let largest = 200

    /// `family`: its parent and children too.
    static func read(_ id: QueueID, _ configuration: Configuration, family: Bool) throws(Failure) -> MessageHistory {
        try attempting { () throws(KernelError) in
            let spool = try DirectoryDescriptor(opening: configuration.paths.spool)
            var history = MessageHistory()
            var next: Set<QueueID> = [id]
            while !next.isEmpty, history.family.count + next.count <= largest {
                history.family.formUnion(next)
                for log in logs { try history.search(log, for: next, in: spool) }
                next = family ? history.relatives.subtracting(history.family) : []
            }
            history.order(family ? history.family : [id])
            return history
        }
    }

    /// Every log that speaks of messages. The mail logs know what an event log may not have yet.
    private static let logs: [LogName] = SpoolOwner.allCases.map { LogName($0, .events) } + QueueOrigin.allCases.map { LogName($0.owner, .mail) }

    private var relatives: Set<QueueID> {
        var found: Set<QueueID> = []
        for fact in facts { found.formUnion(fact.relatives) }
        return found
    }

    private mutating func search(_ log: LogName, for ids: Set<QueueID>, in spool: borrowing DirectoryDescriptor) throws(KernelError) {
        guard let folder = try present({ () throws(KernelError) in try spool.openDirectory(log.path) }) else { return }
        for number in try folder.list().compactMap({ SegmentName.number($0.name) }).sorted() {
            let finder = IDFinder(ids)
            guard let found = try present({ () throws(KernelError) in
                try finder.isNamed(in: try folder.open(Path(SegmentName.name(number))))
            }), found else { continue }
            try readSegment(number, of: log, ids, spool)
        }
    }

    private mutating func readSegment(_ number: UInt32, of log: LogName, _ ids: Set<QueueID>, _ spool: borrowing DirectoryDescriptor) throws(KernelError) {
        let follower = try LogFollower(spool: spool, log, from: LogPosition(segment: number, offset: 0))
        let texts = ids.map(\.text)
        var isInBlock = false
        var time = WallTime(nanoseconds: 0)
        while true {
            let records = try follower.poll(limit: 1024)
            for placed in records {
                guard placed.position.segment == number else { return }
                let record = placed.record
                if record.verb == .state { isInBlock = true }
                if !isInBlock, let at = record[.at].flatMap(Timestamp.time) { time = at }
                if record.verb == .stateEnd { isInBlock = false }
                guard !isInBlock, log.kind == .events || record.verb == .accept, let verb = record.verb else { continue }
                let fact = MessageFact(time: time, program: log.owner, isPromise: log.kind == .mail, verb: verb, record: record)
                if fact.speaks(of: ids, texts) { facts.append(fact) }
            }
            if records.isEmpty { return }
        }
    }

    /// By time; what a log says again after a start, and a promise that an event repeats, stand there once.
    private mutating func order(_ wanted: Set<QueueID>) {
        var seen: Set<[UInt8]> = []
        let told = Set(facts.filter { $0.verb == .accept && !$0.isPromise }.compactMap(\.record.id))
        let texts = wanted.map(\.text)
        facts = facts.filter { fact in
            guard fact.speaks(of: wanted, texts), seen.insert(fact.line).inserted else { return false }
            return !fact.isPromise || !told.contains { $0 == fact.record.id }
        }
        let order = facts.enumerated().sorted { a, b in
            (a.element.time.nanoseconds, a.element.rank, a.offset) < (b.element.time.nanoseconds, b.element.rank, b.offset)
        }
        facts = order.map(\.element)
    }

    func show(of id: QueueID) {
        for fact in facts {
            let whose = family.count > 1 ? "\(fact.record.id?.description ?? String(repeating: " ", count: QueueID.textLength))  " : ""
            let program = fact.program.rawValue + String(repeating: " ", count: max(0, 10 - fact.program.rawValue.count))
            Output.line("\(fact.timeText)  \(whose)\(program)  \(fact.sentence)")
        }
    }
}

/// Looks for ids in a file, piece by piece.
private struct IDFinder {
    private let texts: [[UInt8]]
    private let first: Set<UInt8>
    private static let piece = 1 << 18

    init(_ ids: Set<QueueID>) {
        texts = ids.map(\.text)
        first = Set(texts.map { $0[13] })
    }

    func isNamed(in file: borrowing Descriptor) throws(KernelError) -> Bool {
        var offset: Int64 = 0
        while true {
            let bytes = try file.read(IDFinder.piece, at: offset)
            if contains(bytes) { return true }
            // An id may lie across the border of two pieces.
            guard bytes.count == IDFinder.piece else { return false }
            offset += Int64(bytes.count - QueueID.textLength)
        }
    }

    private func contains(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBufferPointer { bytes in
            guard bytes.count >= QueueID.textLength else { return false }
            for start in 0...(bytes.count - QueueID.textLength) {
                // The last digit of the random part differs most.
                guard first.contains(bytes[start + 13]) else { continue }
                for text in texts where text[0] == bytes[start] && text.elementsEqual(bytes[start..<(start + QueueID.textLength)]) { return true }
            }
            return false
        }
    }
}
