// A message of the queue as `mailctl queue` shows it, for people and as JSON.

import Kernel
import MailModel

extension QueueView.Message {
    func json(_ now: WallTime) -> JSONValue {
        .object([
            "id": .text(id.text), "from": .text(sender), "size": .number(size),
            "accepted": .optional(accepted?.seconds), "age": .optional(accepted.map { now.seconds - $0.seconds }),
            "order": .optional(order), "order_reason": orderReason.isEmpty ? .null : .text(orderReason),
            "recipients": .array(copies.map { json($0) }),
        ])
    }

    private func json(_ copy: QueueView.Copy) -> JSONValue {
        .object([
            "address": .text(copy.original), "final": copy.final.isEmpty ? .null : .text(copy.final), "state": .text(shown(copy).rawValue),
            "attempts": .number(copy.attempts), "next": .optional(isHeld ? nil : copy.until?.seconds), "agent": .optional(copy.agent),
            "host": copy.host.isEmpty ? .null : .text(copy.host),
            "status": copy.status.isEmpty ? .null : .text(copy.status), "reason": copy.reason.isEmpty ? .null : .text(copy.reason),
        ])
    }

    /// The message and its copies in some lines.
    func lines(_ now: WallTime) -> [String] {
        let age = accepted.map { StatusCommand.span(max(0, now.seconds - $0.seconds)) } ?? "?"
        var lines = ["\(id)  \(size) bytes  \(age)  from <\(sender.visible)>"]
        if let order { lines.append("  \(QueueView.Message.words(order))\(orderReason.isEmpty ? "" : ": \(orderReason.visible)")") }
        for copy in copies {
            let final = copy.final.isEmpty || copy.final == copy.original ? "" : " → \(copy.final.visible)"
            let next = isHeld ? nil : copy.until.map { ", next in \(StatusCommand.span(max(0, $0.seconds - now.seconds)))" }
            let attempts = copy.attempts > 0 ? ", attempt \(copy.attempts)" : ""
            lines.append("  \(copy.original.visible)\(final): \(shown(copy).rawValue)\(attempts)\(next ?? "")")
            if !copy.reason.isEmpty { lines.append("    \(copy.status.visible) \(copy.reason.visible)") }
        }
        return lines
    }

    private static func words(_ order: String) -> String {
        switch order {
        case "hold": "held by the administrator"
        case "delete": "deleted by the administrator, as soon as no agent has it"
        case "bounce": "returned by the administrator, as soon as no agent has it"
        default: order
        }
    }
}

extension [UInt8] {
    /// For a terminal: what a peer wrote must not steer it.
    var visible: String {
        String(String(decoding: self, as: UTF8.self).unicodeScalars.map { scalar in
            scalar.properties.generalCategory == .control || scalar.properties.generalCategory == .format ? "\u{FFFD}" : Character(scalar)
        })
    }
}
