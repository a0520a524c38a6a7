// One fact about a message, as a sentence.

import FoundationEssentials
import Kernel
import MailModel
import Spool
import SpoolFormat

/// A record of a program's log that speaks of a message.
struct MessageFact {
    let time: WallTime
    let program: SpoolOwner
    /// An `accept` of a mail log, which has no event beside it where queued accepts.
    let isPromise: Bool
    let verb: Verb
    let record: Record

    /// Of facts of one millisecond, which was first.
    var rank: Int {
        switch verb {
        case .accept, .refuse: 0
        case .request: 1
        case .ordered: 2
        case .route: 3
        case .assign: 4
        case .staged: 5
        case .delivered, .sent, .temporary, .failed: 6
        case .deferred, .bounced, .notified: 7
        case .done: 8
        default: 9
        }
    }

    /// The words of its line: two records that have the same are one that was said again.
    var line: [UInt8] {
        var line = Array("\(program.rawValue) \(verb.rawValue) ".utf8) + (record.id?.text ?? [])
        for field in record.fields { line += [0x20] + field.key + [0x3D] + field.value }
        return line
    }

    /// The notice that it names, or what it is a notice about.
    var relatives: [QueueID] {
        let key: Key
        switch verb {
        case .bounced, .notified: key = .target
        case .accept: key = .parent
        default: return []
        }
        guard let other = record[key].flatMap({ QueueID(parsing: $0) }) else { return [] }
        return [other] + (record.id.map { [$0] } ?? [])
    }

    func speaks(of ids: Set<QueueID>, _ texts: [[UInt8]]) -> Bool {
        if let id = record.id, ids.contains(id) { return true }
        if verb == .request || verb == .bounced || verb == .notified, record.all(.target).contains(where: { QueueID(parsing: $0).map(ids.contains) ?? false }) {
            return true
        }
        if verb == .accept, let parent = record[.parent].flatMap({ QueueID(parsing: $0) }), ids.contains(parent) { return true }
        // The unique part of a mailbox file holds the id.
        guard let file = record[.file] else { return false }
        return texts.contains { file.contains($0) }
    }

    var timeText: String {
        let seconds = Double(time.nanoseconds) / 1e9
        return Date(timeIntervalSince1970: seconds).formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }

    var json: JSONValue {
        var members: [JSONValue.Member] = [
            .init(name: "time", value: .text(timeText)), .init(name: "at", value: .text(Timestamp.text(time))),
            .init(name: "program", value: .text(program.rawValue)), .init(name: "id", value: .optional(record.id?.description)),
            .init(name: "verb", value: .text(verb.rawValue)), .init(name: "text", value: .text(sentence)),
        ]
        var keys: [[UInt8]] = []
        for field in record.fields where !keys.contains(field.key) { keys.append(field.key) }
        let details = keys.map { key in
            let values = record.fields.filter { $0.key == key }.map { JSONValue.text($0.value) }
            return JSONValue.Member(name: key.display, value: values.count == 1 ? values[0] : .array(values))
        }
        members.append(.init(name: "keys", value: .object(details)))
        return .object(members)
    }
}

// MARK: - Sentences

extension MessageFact {
    private func word(_ key: Key) -> String? { record[key].flatMap { $0.isEmpty ? nil : $0.visible } }
    private func after(_ words: String, _ key: Key) -> String { word(key).map { "\(words)\($0)" } ?? "" }
    private var why: String { [word(.status), word(.reason)].compactMap { $0 }.joined(separator: " ") }
    /// Who it is for: the recipient, and where that leads.
    private var recipient: String {
        let original = word(.recipient) ?? "?"
        return record[.final].map { $0.isEmpty || $0 == record[.recipient] } ?? true ? original : "\(original) → \(word(.final) ?? "")"
    }

    /// The fact in plain words.
    var sentence: String {
        switch verb {
        case .accept: accepted
        case .refuse: "refused: \(word(.result).map { "\($0) by a filter: " } ?? "")\(why)"
        case .route: routed
        case .assign: "given to \(word(.agent) ?? "an agent") for \(recipient)\(after(", attempt ", .attempt))\(after(", by way of ", .host))"
        case .deferred: "\(recipient) waits\(record[.until].flatMap(Timestamp.time).map { " until \(MessageFact(time: $0, program: program, isPromise: false, verb: verb, record: record).timeText)" } ?? ""): \(why)"
        case .staged: "stored on the stage for \(recipient)"
        case .delivered: "delivered to \(word(.account) ?? recipient)\(after(" as ", .file))\(word(.result).map { " (\($0))" } ?? "")"
        case .sent: "sent to \(recipient): \(word(.host) ?? "a host") took it\(tls)"
        case .temporary: "the attempt for \(recipient) failed for now\(after(", ", .host)): \(why)\(tls)"
        case .failed: "the attempt for \(recipient) failed for good\(after(", ", .host)): \(why)\(tls)"
        case .bounced: "\(recipient) failed: \(why)\(word(.target).map { "; the sender is told in \($0)" } ?? "")\(word(.result).map { "; \($0)" } ?? "")"
        case .notified: "the sender is told that the copy for \(recipient) is \(word(.told) ?? "on its way")\(after(", in ", .target))"
        case .ordered, .request: "\(verb == .request ? "the administrator asks" : "the administrator's order"): \(word(.command) ?? "?")\(after(": ", .reason))\(after(" (uid ", .uid))\(record[.uid] == nil ? "" : ")")"
        case .done: "done\(after(": ", .result))"
        default: inMailbox
        }
    }

    private var tls: String { word(.tls).map { $0 == "none" ? ", without TLS" : ", \($0)" } ?? "" }

    private var accepted: String {
        let kind = word(.kind).map { $0 == "drop" ? "a local submission" : "a \($0)\(after(" about ", .parent))" }
        let size = (record.extent(.content) ?? record.extent(.big)).map { "\($0.length)" } ?? word(.size)
        let extra = [
            kind, size.map { "\($0) bytes" }, word(.peer).map { "from \($0)\(after(" (", .helo))\(record[.helo] == nil ? "" : ")")" },
            word(.tls).map { $0 == "none" ? "without TLS" : $0 }, word(.auth).map { "logged in as \($0)" }, word(.uid).map { "uid \($0)" }, word(.policy),
        ].compactMap { $0 }
        return "accepted from <\(word(.from) ?? "")> for \(record.all(.to).map(\.visible).joined(separator: ", "))\(extra.isEmpty ? "" : ": \(extra.joined(separator: ", "))")"
    }

    private var routed: String {
        if word(.result) == "duplicate" { return "\(recipient): every destination has its copy already" }
        if record[.final] == nil { return "\(recipient) is refused: \(why)" }
        return "\(recipient) goes to \(word(.account).map { "the account \($0)" } ?? "another host")\(after(", by ", .path))"
    }

    /// What became of it in a mailbox, and whatever has no sentence of its own.
    private var inMailbox: String {
        let place = [word(.account), word(.mailbox)].compactMap { $0 }.joined(separator: ", ")
        switch verb {
        case .fetch: return "read by \(place) over \(word(.protocolName) ?? "?")"
        case .delete: return "removed by \(place) over \(word(.protocolName) ?? "?")"
        case .copy: return "copied by \(place)\(after(" to ", .target))"
        case .move: return "moved by \(place)\(after(" to ", .target))"
        case .append: return "stored by \(place)"
        default:
            let words = record.fields.filter { $0.key != Array("at".utf8) }.map { "\($0.key.display)=\($0.value.visible)" }
            return ([verb.rawValue] + words).joined(separator: " ")
        }
    }
}
