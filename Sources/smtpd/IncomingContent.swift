// What a message's content goes through between the dialogue and the log, in pieces of any size.

import MailModel
import MailPolicy
import SMTPProtocol

/// One value a message: every octet that is kept has passed it.
struct IncomingContent {
    private var lines: ContentLines
    /// Fields that strangers wrote in our name.
    private var foreign: ForeignResults

    init(_ envelope: Envelope?, _ facts: AcceptFacts, host: Domain) {
        lines = ContentLines(envelope, facts)
        foreign = ForeignResults(host: host)
    }

    /// The same of a whole short message; the same array where nothing is to be changed.
    static func whole(_ content: [UInt8], _ envelope: Envelope, _ facts: AcceptFacts, host: Domain) -> [UInt8] {
        var lines = ContentLines(envelope, facts)
        var out = lines.take(content)
        out += lines.finish()
        return ForeignResults.removed(from: out, host: host)
    }

    mutating func take(_ bytes: [UInt8]) -> [UInt8] { foreign.pass(lines.take(bytes)) }

    /// What was held back.
    mutating func finish() -> [UInt8] { foreign.pass(lines.finish()) + foreign.finish() }
}
