// Which messages a command of `mailctl queue` is about: ids, or what is true of them, or both.
// What is said of a copy must be true of one copy: `--domain x --reason y` is "why does mail for x wait".

import ArgumentParser
import Configuration
import Kernel
import MailModel

/// The options by which messages are chosen; all that are given must hold.
struct QueueSelection: ParsableArguments {
    @Argument(help: "Ids as `queue list` shows them.") var ids: [String] = []
    @Option(help: ArgumentHelp("The sender; @domain for all of a domain, <> for notices.", valueName: "address")) var from: String?
    @Option(help: ArgumentHelp("A recipient, as it was given or where it leads; @domain for all of a domain.", valueName: "address")) var to: String?
    @Option(help: ArgumentHelp("The domain that a copy goes to.", valueName: "name")) var domain: String?
    @Option(help: ArgumentHelp("Accepted before that long: 90min, 12h, 3d.", valueName: "age")) var olderThan: String?
    @Option(help: ArgumentHelp("Accepted since then.", valueName: "age")) var newerThan: String?
    @Option(help: ArgumentHelp("Words in the status or the reason of a copy.", valueName: "text")) var reason: String?
    @Option(help: "A state of a copy: unrouted, waiting, held, assigned, delivered, failed, bounced.") var state: String?

    var isEmpty: Bool { ids.isEmpty && [from, to, domain, olderThan, newerThan, reason, state].allSatisfy { $0 == nil } }

    /// The options as values; throws what is wrong with one.
    func criteria() throws(Failure) -> QueueCriteria {
        var criteria = QueueCriteria()
        var chosen: Set<QueueID> = []
        for text in ids { chosen.insert(try QueueSelection.id(text)) }
        criteria.ids = ids.isEmpty ? nil : chosen
        criteria.from = try from.map(pattern)
        criteria.to = try to.map(pattern)
        criteria.domain = try domain.map { name throws(Failure) in try parseDomain(name).bytes }
        criteria.olderThan = try olderThan.map(QueueSelection.seconds)
        criteria.newerThan = try newerThan.map(QueueSelection.seconds)
        criteria.reason = reason.map { Array($0.utf8).asciiLowercased }
        criteria.state = try state.map { text throws(Failure) in
            guard let state = QueueView.State(rawValue: text) else {
                let states = QueueView.State.allCases.map(\.rawValue).joined(separator: ", ")
                throw Failure(.usage, "\(text) is no state of a copy", remedy: "write one of \(states)")
            }
            return state
        }
        return criteria
    }

    /// The chosen messages of the queue, the oldest first. An id that is not there is an error: it was a message, and is over.
    func messages(of view: QueueView, now: WallTime) throws(Failure) -> [QueueView.Message] {
        let criteria = try criteria()
        if let missing = criteria.ids?.filter({ view.messages[$0] == nil }).min() {
            throw Failure(.noInput, "\(missing) is not in the queue", remedy: "`mailctl trace \(missing)` tells what became of it")
        }
        return view.sorted.filter { criteria.match($0, now: now) }
    }

    static func id(_ text: String) throws(Failure) -> QueueID {
        guard let id = QueueID(parsing: Array(text.utf8)) else {
            throw Failure(.usage, "\(text) is not the id of a message", remedy: "`mailctl queue list` shows the ids")
        }
        return id
    }

    private func pattern(_ text: String) throws(Failure) -> QueueCriteria.Pattern {
        if ["", "<>"].contains(text) { return .null }
        if text.first == "@" { return .domain(try parseDomain(String(text.dropFirst())).bytes) }
        return .address(try parseAddress(text).canonical)
    }

    /// `90min`, `12 h`, `3d`, `45s`.
    static func seconds(_ text: String) throws(Failure) -> Int64 {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let units: [String: Int64] = ["s": 1, "min": 60, "h": 3600, "d": 86_400]
        let unit = text.dropFirst(digits.count).drop { $0 == " " }
        guard let count = Int64(digits), count < 1_000_000, let unit = units[String(unit)] else {
            throw Failure(.usage, "\(text) is no age", remedy: "write a number and s, min, h or d: 90min, 12h, 3d")
        }
        return count * unit
    }
}

/// What must be true of a message.
struct QueueCriteria {
    enum Pattern {
        case null
        case address([UInt8])
        case domain([UInt8])

        func matches(_ address: [UInt8]) -> Bool {
            switch self {
            case .null: address.isEmpty
            case .address(let wanted): EmailAddress(parsing: address)?.canonical == wanted
            case .domain(let wanted): EmailAddress(parsing: address)?.domain.bytes == wanted
            }
        }
    }

    var ids: Set<QueueID>?
    var from: Pattern?
    var to: Pattern?
    var domain: [UInt8]?
    /// Seconds.
    var olderThan: Int64?
    var newerThan: Int64?
    var reason: [UInt8]?
    var state: QueueView.State?

    func match(_ message: QueueView.Message, now: WallTime) -> Bool {
        if let ids, !ids.contains(message.id) { return false }
        if let from, !from.matches(message.sender) { return false }
        if olderThan != nil || newerThan != nil {
            guard let accepted = message.accepted else { return false }
            let age = now.seconds - accepted.seconds
            if let olderThan, age < olderThan { return false }
            if let newerThan, age > newerThan { return false }
        }
        guard to != nil || domain != nil || reason != nil || state != nil else { return true }
        return message.copies.contains { match($0, of: message) }
    }

    /// What is said of copies, of this one.
    func match(_ copy: QueueView.Copy, of message: QueueView.Message) -> Bool {
        if let to, !to.matches(copy.original), !to.matches(copy.final) { return false }
        if let domain, EmailAddress(parsing: copy.destination)?.domain.bytes != domain { return false }
        if let state, message.shown(copy) != state { return false }
        if let reason, !(copy.status + [0x20] + copy.reason).asciiLowercased.contains(reason) { return false }
        return true
    }
}

extension [UInt8] {
    /// Whether these bytes stand in it, one after the other.
    func contains(_ part: [UInt8]) -> Bool {
        guard !part.isEmpty else { return true }
        guard count >= part.count else { return false }
        return (0...(count - part.count)).contains { start in self[start] == part[0] && self[start..<(start + part.count)].elementsEqual(part) }
    }
}
