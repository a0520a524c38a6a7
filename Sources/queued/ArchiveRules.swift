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
    /// A mailbox that a recipient leads to (`served`) gets that copy and no other. An archive that leads nowhere keeps no mail waiting: the
    /// postmaster hears of it. Why nothing was done, if the directory cannot be asked and there is time (`mayWait`).
    mutating func routeArchives(
        of message: OpenMessage, to recipients: [[UInt8]], besides served: Set<Destination>, mayWait: Bool,
        _ lookUp: (_ recipient: [UInt8], _ message: OpenMessage) -> Routed
    ) -> String? {
        let addresses = archiveRules.addresses(for: message, to: recipients)
        if addresses.isEmpty { return nil }
        var known = Set(message.copies.compactMap(\.destination))
        var ways: [(archive: [UInt8], way: Way)] = []
        for archive in addresses {
            message.archives.insert(archive)
            switch lookUp(archive, message) {
            case .routed(let destinations, let refusal):
                let own = destinations.filter { !served.contains($0.destination) }
                if !own.isEmpty || refusal != nil { ways.append((archive, Way(destinations: own, refusal: refusal))) }
            case .unavailable(let why) where mayWait: return why
            case .held(let why), .unavailable(let why):
                ways.append((archive, .refused(EnhancedStatus(.permanent, 3, 5), "the archive cannot be found: \(why)")))
            }
        }
        for (archive, way) in ways {
            let first = lines.count
            add(way.destinations, way.refusal, for: archive, to: message, &known)
            for index in first..<lines.count { lines[index].add(.kind, "archive") }
        }
        return nil
    }
}

extension OpenMessage {
    func isArchive(_ copy: Copy) -> Bool { !archives.isEmpty && archives.contains(copy.original) }
}
