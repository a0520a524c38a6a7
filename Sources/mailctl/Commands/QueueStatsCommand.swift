// mailctl queue stats: why is mail waiting.

import ArgumentParser
import Kernel
import MailModel

struct QueueStats: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats", abstract: "Tell why mail waits: by destination and reason, and how old it is.")
    @OptionGroup var options: GlobalOptions
    @OptionGroup var selection: QueueSelection

    func run() throws {
        let now = WallTime.now()
        let view = try QueueView.read(try options.loadConfiguration())
        let statistics = QueueStatistics(try selection.messages(of: view, now: now), try selection.criteria(), now)
        if options.json { return Output.json(statistics.json) }
        statistics.show()
    }
}

/// Copies that are not over, counted.
struct QueueStatistics {
    struct Group: Hashable {
        let domain: [UInt8]
        let state: QueueView.State
        let status: [UInt8]
        let reason: [UInt8]
    }

    struct Sum {
        var copies = 0
        /// Seconds.
        var oldest: Int64 = 0
    }

    /// The ages up to which each column counts, in seconds.
    static let ages: [(name: String, seconds: Int64)] = [
        ("1 min", 60), ("10 min", 600), ("1 h", 3600), ("6 h", 21_600), ("1 d", 86_400), ("3 d", 259_200), ("older", .max),
    ]

    private(set) var groups: [Group: Sum] = [:]
    private(set) var messages = 0
    private(set) var copies = 0
    private(set) var histogram = Array(repeating: 0, count: QueueStatistics.ages.count)

    init(_ chosen: [QueueView.Message], _ criteria: QueueCriteria, _ now: WallTime) {
        messages = chosen.count
        for message in chosen {
            let age = max(0, message.accepted.map { now.seconds - $0.seconds } ?? 0)
            for copy in message.copies where copy.isWaiting || copy.state == .assigned || copy.state == .failed {
                guard criteria.match(copy, of: message) else { continue }
                let domain = EmailAddress(parsing: copy.destination)?.domain.bytes ?? []
                let isHeld = message.shown(copy) == .held
                let group = Group(domain: domain, state: message.shown(copy), status: copy.status, reason: isHeld ? message.orderReason : QueueStatistics.general(copy))
                var sum = groups[group] ?? Sum()
                sum.copies += 1
                sum.oldest = max(sum.oldest, age)
                groups[group] = sum
                copies += 1
                histogram[QueueStatistics.ages.firstIndex { age <= $0.seconds } ?? 0] += 1
            }
        }
    }

    /// What the reasons of one cause have in common: the recipient's address, which a server likes to repeat, is left out.
    private static func general(_ copy: QueueView.Copy) -> [UInt8] {
        let reason = String(decoding: copy.reason, as: UTF8.self)
        return Array(reason.replacing(String(decoding: copy.final, as: UTF8.self), with: "…").utf8)
    }

    private var sorted: [(group: Group, sum: Sum)] {
        groups.map { ($0.key, $0.value) }.sorted { a, b in
            a.sum.copies != b.sum.copies ? a.sum.copies > b.sum.copies : (a.group.domain + [0] + a.group.reason).lexicographicallyPrecedes(b.group.domain + [0] + b.group.reason)
        }
    }

    var json: JSONValue {
        .object([
            "messages": .number(messages), "copies": .number(copies),
            "waiting": .array(sorted.map { group, sum in
                .object([
                    "domain": .text(group.domain), "state": .text(group.state.rawValue), "status": group.status.isEmpty ? .null : .text(group.status),
                    "reason": group.reason.isEmpty ? .null : .text(group.reason), "copies": .number(sum.copies), "oldest": .optional(sum.oldest),
                ])
            }),
            "ages": .array(zip(QueueStatistics.ages, histogram).map { age, count in
                .object(["up_to": .optional(age.seconds == .max ? nil : age.seconds), "copies": .number(count)])
            }),
        ])
    }

    func show() {
        if copies == 0 { return Output.line("nothing waits") }
        let rows = sorted.map { group, sum in
            ["\(sum.copies)", StatusCommand.span(sum.oldest), group.state.rawValue, group.domain.visible, "\(group.status.visible) \(group.reason.visible)"]
        }
        Output.table(["copies", "oldest", "state", "destination", "reason"], rows)
        Output.line("")
        let most = max(histogram.max() ?? 1, 1)
        for (age, count) in zip(QueueStatistics.ages, histogram) {
            let bar = String(repeating: "#", count: count == 0 ? 0 : max(1, count * 50 / most))
            let name = age.seconds == .max ? "older" : "≤ \(age.name)"
            Output.line("\(name)\(String(repeating: " ", count: 9 - name.count))\(bar) \(count)")
        }
        Output.line("\(QueueRequest.count(messages)), \(copies) copies")
    }
}
