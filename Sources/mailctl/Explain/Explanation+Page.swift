// An explanation for people and for scripts.

import MailModel
import MailPolicy

extension Explanation {
    func show() {
        Output.line("route of \(question.recipient)")
        for line in route { Output.line("  \(line)") }
        if !steps.isEmpty {
            Output.line("policy for \(question.client), HELO \(question.hello.display), from <\(question.sender.wire.display)>")
            for step in steps { Output.line("  \(step)") }
        }
        if let message {
            Output.line("message")
            for line in message.lines { Output.line("  \(line)") }
        }
        if !fields.isEmpty {
            Output.line("fields")
            for line in fields.split(separator: 10) { Output.line("  \(line.filter { $0 != 13 }.display)") }
        }
        Output.line("network \(NetworkHistory.network(of: question.client)) in \(NetworkHistory.days) days")
        Output.line("  " + (counts.map(Explanation.sentence) ?? "the log of smtpd cannot be read: run this as root"))
        Output.line("reply\n  \(answer.code) \(answer.status) \(answer.text)\(steps.decisive.map { "  (rule \($0.rawValue))" } ?? "")")
    }

    private static func sentence(_ counts: NetworkCounts) -> String {
        "recipients accepted \(counts.accepted), refused \(counts.refused), unknown \(counts.unknown): \(counts.allowance) % of the configured rates"
    }

    var json: JSONValue {
        .object([
            "route": .array(route.map(JSONValue.text)),
            "policy": .array(steps.map { step in
                .object(["rule": .text(step.rule.rawValue), "found": .text(step.found), "verdict": .text(step.verdict.rawValue)])
            }),
            "message": message?.json ?? .null,
            "fields": .text(fields),
            "network": counts.map { counts in
                .object([
                    "network": .text("\(NetworkHistory.network(of: question.client))"), "accepted": .number(counts.accepted),
                    "refused": .number(counts.refused), "unknown": .number(counts.unknown), "allowance": .number(counts.allowance),
                ])
            } ?? .null,
            "rule": .optional(steps.decisive?.rawValue), "code": .number(answer.code), "status": .text("\(answer.status)"), "text": .text(answer.text),
        ])
    }
}
