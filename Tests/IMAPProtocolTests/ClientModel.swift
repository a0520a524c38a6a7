// What a correct client believes of its mailbox, from nothing but what the server told it. A server that breaks the
// rules of RFC 3501 §7.4.1 makes the belief impossible, and the model says how.

import MailTestKit

/// One client's view: places and the UIDs that it has learned for them.
struct ClientModel {
    private(set) var uids: [UInt32?] = []
    private(set) var flags: [String?] = []
    private(set) var isSelected = false
    private(set) var violation: String?
    /// The tagged replies that came, and the command for which EXPUNGE is forbidden now.
    private(set) var replies: [String] = []
    var forbidsExpunge = false

    /// Reads whole responses; content of literals is passed over.
    mutating func read(_ bytes: [UInt8]) {
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\r\n", omittingEmptySubsequences: true) {
            take(String(line))
        }
    }

    private mutating func take(_ line: String) {
        let words = line.split(separator: " ").map(String.init)
        guard words.first == "*" else {
            if words.count > 1, ["OK", "NO", "BAD"].contains(words[1]) { replies.append(line) }
            return
        }
        if line.hasPrefix("* OK [CLOSED]") { forget() }
        guard words.count >= 3, let number = Int(words[1]) else { return }
        switch words[2] {
        case "EXISTS":
            if number < uids.count { violation = "EXISTS \(number) with \(uids.count) known" }
            while uids.count < number {
                uids.append(nil)
                flags.append(nil)
            }
        case "EXPUNGE":
            if forbidsExpunge { violation = "EXPUNGE during a command by number" }
            guard (1...max(1, uids.count)).contains(number), !uids.isEmpty else { return violation = "EXPUNGE \(number) of \(uids.count)" }
            uids.remove(at: number - 1)
            flags.remove(at: number - 1)
        case "FETCH": takeFetch(number, line)
        default: break
        }
    }

    private mutating func takeFetch(_ number: Int, _ line: String) {
        guard number >= 1, number <= uids.count else { return violation = "FETCH \(number) of \(uids.count)" }
        if let uid = ClientModel.value(of: "UID ", in: line).flatMap({ UInt32($0) }) {
            if let known = uids[number - 1], known != uid { violation = "\(number) was UID \(known) and is \(uid)" }
            uids[number - 1] = uid
        }
        if let open = line.split(separator: "FLAGS (", maxSplits: 1).dropFirst().first {
            flags[number - 1] = String(open.prefix { $0 != ")" })
        }
    }

    private static func value(of label: String, in line: String) -> String? {
        line.split(separator: label, maxSplits: 1).dropFirst().first.map { String($0.prefix { $0.isNumber }) }
    }

    mutating func selected() { isSelected = true }

    mutating func forget() {
        uids = []
        flags = []
        isSelected = false
    }

    mutating func takeReply() -> String? { replies.isEmpty ? nil : replies.removeFirst() }
}
