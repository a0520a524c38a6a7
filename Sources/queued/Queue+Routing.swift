// Routing: each recipient becomes copies once, whatever the aliases say later. What cannot be looked up now waits.

import Kernel
import MailModel
import SpoolFormat

/// Messages with recipients that are not routed: new ones, and those for which the directory had no answer.
struct Unrouted {
    private var new: [QueueID] = []
    private var held: [QueueID] = []
    /// When those held are tried again, and how long they have waited for it. Seconds.
    private var until = WallTime.whenever
    private var pause: Int64 = 1

    static let longestPause: Int64 = 30

    var deadline: WallTime? { !new.isEmpty ? .whenever : held.isEmpty ? nil : until }

    mutating func add(_ id: QueueID) { new.append(id) }
    mutating func tryNow() { until = .whenever }

    /// The next messages to route, at most so many.
    mutating func take(_ limit: Int, now: WallTime) -> [QueueID] {
        if held.isEmpty { pause = 1 }
        if !held.isEmpty, until <= now {
            new += held
            held.removeAll()
            until = now.adding(seconds: pause)
            pause = min(pause * 2, Unrouted.longestPause)
        }
        let portion = Array(new.prefix(limit))
        new.removeFirst(portion.count)
        return portion
    }

    /// Nothing could be concluded of some of its recipients.
    mutating func hold(_ id: QueueID, now: WallTime) {
        if held.isEmpty, until <= now { until = now.adding(seconds: 1) }
        held.append(id)
    }
}

extension Queue {
    /// Addresses that one message's recipients may lead to; counted again for each recipient that leads to them.
    static let maximumExpansion = 20_000

    /// Routes what waits for it, at most `limit` messages. Recipients that cannot be looked up now are tried again later.
    mutating func route(now: WallTime, limit: Int = .max, by lookUp: (_ recipient: [UInt8], _ message: OpenMessage) -> Routed) {
        for id in unrouted.take(limit, now: now) {
            guard let message = messages[id] else { continue }
            let first = message.copies.count
            let reason = route(message, now: now, lookUp)
            takeUpCopies(of: message, from: first)
            if let reason { hold(message, reason, now: now) }
            finishIfComplete(message)
        }
    }

    /// Why some of its recipients could not be routed; nil if all were.
    private mutating func route(_ message: OpenMessage, now: WallTime, _ lookUp: (_ recipient: [UInt8], _ message: OpenMessage) -> Routed) -> String? {
        let recipients = message.unrouted
        message.unrouted.removeAll()
        message.routesToCome.removeAll()
        let isExhausted = schedule.isExhausted(heldSince: message.heldSince ?? now, accepted: message.accepted, now: now)
        var budget = max(Queue.maximumExpansion, 2 * recipients.count) - message.copies.count
        var ways: [(recipient: [UInt8], way: Way)] = []
        var waiting: [[UInt8]] = []
        var reason: String?
        for recipient in recipients {
            guard budget > 0 else {
                ways.append((recipient, .refused(EnhancedStatus(.permanent, 5, 3), "the recipients of this message lead to too many addresses")))
                continue
            }
            switch lookUp(recipient, message) {
            case .routed(let destinations, let refusal):
                budget -= max(destinations.count, 1)
                ways.append((recipient, Way(destinations: destinations, refusal: refusal)))
            case .held(let why), .unavailable(let why):
                if isExhausted {
                    ways.append((recipient, .refused(EnhancedStatus(.permanent, 4, 7), "gave up looking for its destination: \(why)")))
                } else {
                    waiting.append(recipient)
                    reason = why
                }
            }
        }
        // All are looked up before anything is said: an archive's mailbox that one of them leads to has that copy.
        let served = Set(ways.flatMap { $0.way.destinations.map(\.destination) })
        if !ways.isEmpty, let why = routeArchives(of: message, to: recipients, besides: served, mayWait: !isExhausted, lookUp) {
            message.unrouted = recipients
            return why
        }
        message.unrouted = waiting
        // What only an archive has is no recipient's copy: its failure would be told to another, and its success in another's name.
        var known = Set(message.copies.filter { !message.isArchive($0) }.compactMap(\.destination))
        for (recipient, way) in ways { add(way.destinations, way.refusal, for: recipient, to: message, &known) }
        return reason
    }

    /// What is to be said of a recipient.
    struct Way {
        var destinations: [(destination: Destination, path: [UInt8])] = []
        var refusal: (status: EnhancedStatus, reason: [UInt8])?

        static func refused(_ status: EnhancedStatus, _ reason: String) -> Way { Way(refusal: (status, Array(reason.utf8))) }
    }

    /// One mailbox gets one copy, however many of the message's recipients lead to it; `known` holds those that have one.
    mutating func add(
        _ destinations: [(destination: Destination, path: [UInt8])], _ refusal: (status: EnhancedStatus, reason: [UInt8])?,
        for recipient: [UInt8], to message: OpenMessage, _ known: inout Set<Destination>
    ) {
        let first = lines.count
        if let refusal { refuse(recipient, of: message, refusal.status, refusal.reason) }
        var servants: Set<[UInt8]> = []
        for (destination, path) in destinations {
            guard known.insert(destination).inserted else {
                if message.asked != nil, !message.archives.contains(recipient), let serving = message.original(of: destination), serving != recipient { servants.insert(serving) }
                continue
            }
            lines.append(.route(message.id, recipient, destination, path: path))
            message.add(Copy(original: recipient, to: destination, message.beginning, &texts))
        }
        let count = lines.count - first
        if count == 0 { lines.append(.routeAgain(message.id, recipient)) }
        // Who dies while he writes leaves some of them: a start must know that they are not all, and where a routing begins.
        lines[first].add(.count, max(count, 1))
        for serving in servants.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            message.asked?.share(recipient, with: serving)
            lines[first].add(.covers, serving)
        }
    }

    private mutating func refuse(_ recipient: [UInt8], of message: OpenMessage, _ status: EnhancedStatus, _ reason: [UInt8]) {
        lines.append(.route(message.id, recipient, refused: status, reason))
        message.add(Copy(refused: recipient, Answer(status: Array(status.description.utf8), reason: reason), &texts))
    }

    /// Says once why a message waits, and tries again later.
    private mutating func hold(_ message: OpenMessage, _ reason: String, now: WallTime) {
        unrouted.hold(message.id, now: now)
        if message.heldSince != nil { return }
        message.heldSince = now
        for recipient in message.unrouted { lines.append(.held(message.id, recipient, reason: reason)) }
    }
}

extension Copy {
    init(original: [UInt8], to destination: Destination, _ state: CopyState, _ texts: inout SharedTexts) {
        switch destination {
        case .account(let folder, let address): self.init(original: original, final: address.wire, folder: texts(folder), state: state)
        case .remote(let address): self.init(original: original, final: address.wire, folder: nil, state: state)
        }
    }

    init(refused original: [UInt8], _ answer: Answer, _ texts: inout SharedTexts) {
        self.init(original: original, final: [], folder: nil, state: .failed)
        self.answer = texts(answer)
    }
}
