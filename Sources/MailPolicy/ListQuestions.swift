// The lists that are asked of one client or one domain, side by side.

internal import MailModel

struct ListQuestions: Hashable, Sendable {
    private struct Entry: Hashable, Sendable {
        let list: DNSList
        let question: DNSQuestion
        var finding: DNSFinding?
    }

    private var entries: [Entry] = []

    init(_ lists: [DNSList], client: IPAddress) { self.init(lists) { $0.question(for: client) } }
    init(_ lists: [DNSList], name: Domain) { self.init(lists) { $0.question(for: name) } }

    private init(_ lists: [DNSList], _ question: (DNSList) -> DNSQuestion?) {
        entries = lists.compactMap { list in question(list).map { Entry(list: list, question: $0) } }
    }

    var isEmpty: Bool { entries.isEmpty }
    var questions: [DNSQuestion] { entries.filter { $0.finding == nil }.map(\.question) }

    mutating func answered(_ question: DNSQuestion, _ finding: DNSFinding) {
        for index in entries.indices where entries[index].question == question && entries[index].finding == nil {
            entries[index].finding = finding
        }
    }

    mutating func deadlinePassed() {
        for index in entries.indices where entries[index].finding == nil { entries[index].finding = .unavailable }
    }

    /// Adds what every list said; false while one has not answered.
    func count(into tally: inout ListTally) -> Bool {
        for entry in entries {
            guard let finding = entry.finding else { return false }
            tally.add(entry.list, finding)
        }
        return true
    }
}
