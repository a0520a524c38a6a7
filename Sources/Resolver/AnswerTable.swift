// What DNS has said, for as long as it said that it holds. No I/O, no clock: time is an argument.

/// A bounded memory of answers. What could not be answered is never remembered, nor what is large.
struct AnswerTable: Sendable {
    struct Question: Hashable, Sendable {
        let name: [UInt8]
        let type: Int32
    }

    private struct Entry {
        let answer: DNSAnswer<DNSMessage>
        /// Seconds on the caller's clock.
        let until: Int64
    }

    /// Nobody's mistake is to last longer than a day, and a missing name for 15 minutes (RFC 2308 §5 allows hours).
    private static let longestLife: Int64 = 86400, longestNegativeLife: Int64 = 900

    /// Octets of an answer that is kept: all that people publish for mail, while a full table stays small.
    private static let mostOctets = 4096

    private let capacity: Int
    private var entries: [Question: Entry] = [:]

    init(capacity: Int = 10_000) { self.capacity = max(2, capacity) }

    var count: Int { entries.count }

    func answer(to question: Question, at now: Int64) -> DNSAnswer<DNSMessage>? {
        guard let entry = entries[question], entry.until > now else { return nil }
        return entry.answer
    }

    mutating func keep(_ answer: DNSAnswer<DNSMessage>, to question: Question, negativeLife: UInt32?, at now: Int64) {
        let life: Int64
        switch answer {
        case .found(let message):
            let shortest = message.records.map(\.timeToLive).min() ?? 0
            // RFC 2181 §8: a number with the first bit set is zero.
            life = shortest > UInt32(Int32.max) ? 0 : min(Int64(shortest), AnswerTable.longestLife)
        case .noData, .noSuchName: life = min(Int64(negativeLife ?? 0), AnswerTable.longestNegativeLife)
        case .unavailable: life = 0
        }
        guard life > 0, (answer.value?.octets ?? 0) <= AnswerTable.mostOctets else { return entries[question] = nil }
        if entries.count >= capacity, entries[question] == nil { makeRoom(at: now) }
        entries[question] = Entry(answer: answer, until: now + life)
    }

    /// Drops what is over, and half of the rest if that is not enough: those that would be over first.
    private mutating func makeRoom(at now: Int64) {
        entries = entries.filter { $0.value.until > now }
        guard entries.count >= capacity else { return }
        let middle = entries.values.map(\.until).sorted()[entries.count / 2]
        entries = entries.filter { $0.value.until > middle }
    }
}
