// Equal texts held once. What a queue says of a hundred thousand copies to one dead host is said with the same few words.

/// The texts that were met last; equal ones share their storage. Forgetting one costs memory, never meaning.
struct SharedTexts {
    private var known: Set<[UInt8]> = []
    /// Texts that are kept; then all are let go and the next are learnt.
    private static let limit = 4096

    mutating func callAsFunction(_ text: [UInt8]) -> [UInt8] {
        if text.isEmpty { return [] }
        if known.count >= SharedTexts.limit { known.removeAll(keepingCapacity: true) }
        return known.insert(text).memberAfterInsert
    }

    mutating func callAsFunction(_ text: [UInt8]?) -> [UInt8]? {
        guard let text else { return nil }
        let shared: [UInt8] = self(text)
        return shared
    }

    mutating func callAsFunction(_ answer: Answer) -> Answer {
        Answer(status: self(answer.status), reason: self(answer.reason), host: self(answer.host))
    }
}
