// What a message's content goes through between the dialogue and the log, in pieces of any size.

import MailModel
import MailPolicy
import SMTPProtocol

/// One value a message: every octet that is kept has passed it.
struct IncomingContent {
    private var lines: ContentLines
    /// Fields that claim to be ours; nil where the client is one of our users.
    private var foreign: ForeignResults?

    init(_ envelope: Envelope?, _ facts: AcceptFacts, host: Domain) {
        lines = ContentLines(envelope, facts)
        foreign = facts.identity == nil ? ForeignResults(host: host) : nil
    }

    mutating func take(_ bytes: [UInt8]) -> [UInt8] { passed(lines.take(bytes)) }

    /// What was held back.
    mutating func finish() -> [UInt8] { passed(lines.finish()) + (foreign?.finish() ?? []) }

    private mutating func passed(_ bytes: [UInt8]) -> [UInt8] { foreign?.pass(bytes) ?? bytes }
}
