// Mail that is kept a second time: which messages, and where. No I/O.
// An archive is routed like a recipient that the message does not name; `OpenMessage.archives` tells which those are.

import Configuration
import MailModel
import SpoolFormat

struct ArchiveRules {
    private let rules: [ArchiveRule]

    init(_ rules: [ArchiveRule] = []) { self.rules = rules }

    /// The archives that are to have a copy of a message of which no recipient is routed yet, each once, also if a death came between two of them.
    ///
    /// Of notices none is kept: the copy of a notice that failed would be the cause of the next one.
    func addresses(for message: OpenMessage, to recipients: [[UInt8]]) -> [[UInt8]] {
        guard !rules.isEmpty, message.copies.allSatisfy(message.isArchive), message.parent == nil, let sender = EmailAddress(parsing: message.sender) else { return [] }
        let named = [sender] + recipients.compactMap { EmailAddress(parsing: $0) }
        let domains = Set(named.map(\.domain)), known = Set(named)
        var found: [EmailAddress] = []
        for rule in rules where domains.contains(rule.domain) && !known.contains(rule.address) && !found.contains(rule.address) {
            found.append(rule.address)
        }
        let kept = Set(message.copies.map(\.original))
        return found.map(\.wire).filter { !kept.contains($0) }
    }
}

extension Queue {
    /// Routes a message's archives, before the first of its recipients: whoever finds that routed after a crash finds these.
    ///
    /// An archive that leads nowhere keeps no mail waiting: the postmaster hears of it.
    mutating func routeArchives(of message: OpenMessage, to recipients: [[UInt8]], _ lookUp: (_ recipient: [UInt8], _ message: OpenMessage) -> Routed) {
        var known: Set<Destination> = []
        for archive in archiveRules.addresses(for: message, to: recipients) {
            message.archives.insert(archive)
            let first = lines.count
            switch lookUp(archive, message) {
            case .routed(let destinations, let refusal): add(destinations, refusal, for: archive, to: message, &known)
            case .unavailable(let why): refuse(archive, of: message, EnhancedStatus(.permanent, 3, 5), "the archive cannot be found: \(why)")
            }
            for index in first..<lines.count { lines[index].add(.kind, "archive") }
        }
    }
}

extension OpenMessage {
    func isArchive(_ copy: Copy) -> Bool { !archives.isEmpty && archives.contains(copy.original) }
}
